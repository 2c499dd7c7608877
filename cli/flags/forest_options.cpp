// SPDX-License-Identifier: MIT
#include "flags/forest_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "flags/names.hpp"
#include "flags/search_options.hpp"
#include "overtake/error.hpp"

namespace cli {
namespace {

using overtake::UsageError;

struct ParameterHelp {
  const char* name;
  const char* type;
  const char* text;
};

/// The parameters with a flag of their own. random_state is --seed; warm_start is --more-trees.
constexpr ParameterHelp parameter_help[] = {
    {"n_estimators", "N", "Trees (default: 100)"},
    {"criterion", "NAME", "gini, entropy, log_loss; squared_error, friedman_mse, poisson"},
    {"max_depth", "N", "Deepest level of a tree (none: no limit)"},
    {"min_samples_split", "N", "Rows a node needs to be split; 0.1 is a share (default: 2)"},
    {"min_samples_leaf", "N", "Rows on each side of a split; 0.1 is a share (default: 1)"},
    {"min_weight_fraction_leaf", "SHARE", "Share of all weight on each side of a split (default: 0)"},
    {"max_features", "N", "Features a node looks at: sqrt, log2, none, a number, a share"},
    {"max_leaf_nodes", "N", "Most leaves of a tree (none: no limit)"},
    {"min_impurity_decrease", "X", "What a split must gain (default: 0)"},
    {"bootstrap", "BOOL", "Each tree learns from rows drawn with replacement (default: true, extra-trees: false)"},
    {"oob_score", "", "Score each row by the trees that did not see it"},
    {"class_weight", "WEIGHTS", "none, balanced, balanced_subsample or name:weight,name:weight"},
    {"ccp_alpha", "X", "Cost-complexity pruning (default: 0: none)"},
    {"max_samples", "N", "Rows that a tree draws; 0.5 is a share (none: as many as there are)"},
    {"max_bins", "N", "Most distinct values of a feature that are kept apart (default: 256)"},
};

const std::vector<std::string> network_flags = {
    "--hidden",     "--activation", "--dropout",    "--epochs",           "--batch-size",
    "--lr",         "--optimizer",  "--momentum",   "--weight-decay",     "--schedule",
    "--validation", "--patience",   "--checkpoint", "--checkpoint-every", "--resume"};

const std::vector<std::string> other_forest_flags = {"--set",  "--sample-weight", "--export-text", "--export-dot",
                                                     "--tree", "--digits",        "--more-trees"};

/// "min_samples_leaf" -> "--min-samples-leaf"
std::string flag_of(std::string parameter) {
  std::replace(parameter.begin(), parameter.end(), '_', '-');
  return "--" + parameter;
}

void refuse_given(const CLI::App& app, const std::vector<std::string>& names, const std::string& what,
                  const std::string& hint) {
  for (const std::string& name : names) {
    if (app.count(name) > 0) {
      throw UsageError(fmt::format("{} belongs to {}", name, what), hint);
    }
  }
}

std::vector<std::string> forest_flags() {
  std::vector<std::string> names = other_forest_flags;
  for (const ParameterHelp& help : parameter_help) {
    names.push_back(flag_of(help.name));
  }
  return names;
}

}  // namespace

void add_forest_flags(CLI::App& app, ForestFlags& flags) {
  app.add_option("--estimator", flags.estimator, "network, random-forest or extra-trees")->capture_default_str();
  const std::string group = "Forests (--estimator random-forest or extra-trees)";
  for (const ParameterHelp& help : parameter_help) {
    std::string& value = flags.values[help.name];
    if (std::string_view(help.type).empty()) {
      app.add_flag(flag_of(help.name), value, help.text)->group(group);
    } else {
      app.add_option(flag_of(help.name), value, help.text)->type_name(help.type)->group(group);
    }
  }
  app.add_option("--set", flags.set, "A parameter by scikit-learn's name (repeat)")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->take_all()
      ->group(group);
  app.add_option("--sample-weight", flags.sample_weight, "Column of row weights")->type_name("COLUMN")->group(group);
  app.add_option("--export-text", flags.export_text, "Write a tree as text (-: standard output)")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--export-dot", flags.export_dot, "Write a tree for Graphviz (-: standard output)")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--tree", flags.tree, "Which tree is exported")->capture_default_str()->group(group);
  app.add_option("--digits", flags.digits,
                 "Digits after the decimal point of exported numbers (default: those that reading back takes)")
      ->type_name("N")
      ->group(group);
  app.add_option("--more-trees", flags.more_trees,
                 "Grow a saved forest to --n-estimators trees; the data must be the same")
      ->type_name("FILE")
      ->group(group);
}

void check_estimator_flags(const CLI::App& app, const ForestFlags& flags) {
  check_choice(flags.estimator, {"network", "random-forest", "extra-trees"}, "--estimator");
  if (flags.estimator == "network") {
    refuse_given(app, forest_flags(), "forests", "Add --estimator random-forest or --estimator extra-trees.");
    return;
  }
  refuse_given(app, network_flags, "--estimator network",
               app.count("--validation") > 0 ? "--oob-score judges a forest on rows its trees did not see." : "");
  if (app.count("--tree") > 0 && flags.export_text.empty() && flags.export_dot.empty()) {
    throw UsageError("--tree belongs to --export-text and --export-dot");
  }
  if (app.count("--digits") > 0 && flags.export_text.empty() && flags.export_dot.empty()) {
    throw UsageError("--digits belongs to --export-text and --export-dot");
  }
  if (app.count("--digits") > 0 && (flags.digits < 0 || flags.digits > 17)) {
    throw UsageError(fmt::format("--digits {}: expected a whole number from 0 to 17", flags.digits));
  }
}

overtake::Parameters given_parameters(const CLI::App& app, const ForestFlags& flags) {
  overtake::Parameters parameters;
  for (const ParameterHelp& help : parameter_help) {
    if (app.count(flag_of(help.name)) > 0) {
      parameters.emplace_back(help.name, overtake::parse_parameter_value(flags.values.at(help.name)));
    }
  }
  for (const std::string& text : flags.set) {
    auto parameter = parse_parameter(text, "--set");
    const bool twice = std::any_of(parameters.begin(), parameters.end(),
                                   [&](const auto& other) { return other.first == parameter.first; });
    if (twice) {
      throw UsageError(fmt::format("the parameter {} is given twice", parameter.first));
    }
    if (parameter.first == "random_state" || parameter.first == "warm_start") {
      throw UsageError(fmt::format("--set {}: that parameter has a flag of its own", text),
                       parameter.first == "random_state" ? "Use --seed." : "Use --more-trees FILE.");
    }
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

}  // namespace cli
