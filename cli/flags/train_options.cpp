// SPDX-License-Identifier: MIT
#include "flags/train_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <type_traits>

#include "flags/names.hpp"
#include "overtake/error.hpp"
#include "overtake/text.hpp"

namespace cli {
namespace {

using overtake::UsageError;

constexpr const char* network_group = "Networks (--estimator network)";
constexpr const char* forest_group = "Forests (--estimator random-forest or extra-trees)";

struct ParameterHelp {
  const char* name;
  const char* type;
  const char* text;
};

/// The parameters of forests with a flag of their own. random_state is --seed; warm_start is --more-trees.
constexpr ParameterHelp parameter_help[] = {
    {"n_estimators", "N", "Trees"},
    {"criterion", "NAME", "gini (default), entropy, log_loss; squared_error (default), friedman_mse, poisson"},
    {"max_depth", "N", "Deepest level of a tree (none: no limit)"},
    {"min_samples_split", "N", "Rows a node needs to be split; 0.1 is a share"},
    {"min_samples_leaf", "N", "Rows on each side of a split; 0.1 is a share"},
    {"min_weight_fraction_leaf", "SHARE", "Share of all weight on each side of a split"},
    {"max_features", "N",
     "Features a node looks at: sqrt, log2, none, a number, a share (default: sqrt for classes, all for numbers)"},
    {"max_leaf_nodes", "N", "Most leaves of a tree (none: no limit)"},
    {"min_impurity_decrease", "X", "What a split must gain"},
    {"bootstrap", "BOOL", "Each tree learns from rows drawn with replacement (default: true, extra-trees: false)"},
    {"oob_score", "", "Score each row by the trees that did not see it"},
    {"class_weight", "WEIGHTS", "none, balanced, balanced_subsample or name:weight,name:weight"},
    {"ccp_alpha", "X", "Cost-complexity pruning (0: none)"},
    {"max_samples", "N", "Rows that a tree draws; 0.5 is a share (none: as many as there are)"},
    {"max_bins", "N", "Most distinct values of a feature that are kept apart"},
};

/// Refuses a number that the parser would replace by another: whole ones beyond the largest, others that double holds
/// only as 0 or infinity.
template <bool whole>
std::string out_of_range(const std::string& text) {
  errno = 0;
  if constexpr (whole) static_cast<void>(std::strtoll(text.c_str(), nullptr, 10));
  if constexpr (!whole) static_cast<void>(std::strtod(text.c_str(), nullptr));
  return errno == ERANGE ? text + " is out of range" : "";
}

void add_network_flags(CLI::App& app, overtake::NetworkOptions& options) {
  overtake::TrainerOptions& training = options.training;
  const auto add = [&](const char* name, auto& value, const char* help) {
    return app.add_option(name, value, help)->capture_default_str()->group(network_group);
  };
  const auto add_number = [&](const char* name, auto& value, const char* help) {
    constexpr bool whole = std::is_integral_v<std::remove_reference_t<decltype(value)>>;
    add(name, value, help)->check(out_of_range<whole>, "");
  };
  const auto set_hidden = [&](const std::string& text) { options.hidden = parse_sizes(text, "--hidden"); };
  app.add_option_function<std::string>("--hidden", set_hidden, "Widths of the hidden layers; \"\" for none")
      ->default_str(fmt::format("{}", fmt::join(options.hidden, ",")))
      ->type_name("N,...")
      ->group(network_group);
  add("--activation", options.activation, "relu, leaky_relu, tanh, sigmoid, gelu or silu");
  add_number("--dropout", options.dropout, "Share of each hidden layer that is dropped in training");
  add("--epochs", training.epochs, "Passes over the data");
  add_number("--batch-size", training.batch_size, "Rows in a training step; all rows where there are fewer");
  add_number("--lr", options.learning_rate, "Learning rate (default: 0.1 for sgd, else 0.001)");
  add("--optimizer", options.optimizer, "sgd, adam or adamw");
  add_number("--momentum", options.momentum, "Of sgd");
  add_number("--weight-decay", options.weight_decay, "Pull of the weights to zero (default: 0.01 for adamw, else 0)");
  add("--schedule", options.schedule, "constant, step:EPOCHS[:FACTOR], cosine or exponential:FACTOR");
  add_number("--validation", training.validation_fraction,
             "Share of the rows set aside to judge the model, at least one");
  add("--patience", training.patience, "Stop after so many epochs without improvement (0: never)");
  add("--checkpoint", training.checkpoint_path, "Write the state of the training to a file")->type_name("FILE");
  add("--checkpoint-every", training.checkpoint_every, "Epochs between two checkpoints");
  app.add_flag("--resume", training.resume, "Continue from --checkpoint if that file exists, with the same bits")
      ->group(network_group);
}

void add_forest_flags(CLI::App& app, ForestFlags& flags, std::string& sample_weight) {
  const overtake::Parameters defaults = overtake::ForestParameters().all();
  for (const ParameterHelp& help : parameter_help) {
    std::string& value = flags.values[help.name];
    if (std::string_view(help.type).empty()) {
      app.add_flag(flag_of(help.name), value, help.text)->group(forest_group);
      continue;
    }
    CLI::Option* option = app.add_option(flag_of(help.name), value, help.text);
    option->type_name(help.type)->group(forest_group);
    if (std::string_view(help.text).find("default") != std::string_view::npos) continue;  // it depends on kind or task
    const auto known =
        std::find_if(defaults.begin(), defaults.end(), [&](const auto& it) { return it.first == help.name; });
    option->default_str(overtake::to_text(known->second));
  }
  const auto add = [&](const char* name, auto& value, const char* type, const char* help) {
    return app.add_option(name, value, help)->type_name(type)->group(forest_group);
  };
  add_parameter_flags(app, sample_weight, flags.set, forest_group);
  add("--export-text", flags.export_text, "FILE", "Write a tree as text (-: standard output)");
  add("--export-dot", flags.export_dot, "FILE", "Write a tree for Graphviz (-: standard output)");
  add("--tree", flags.tree, "N", "Which tree is exported")->capture_default_str();
  add("--digits", flags.digits, "N",
      "Digits after the decimal point of exported numbers (default: those that reading back takes)");
  add("--more-trees", flags.more_trees, "FILE",
      "Grow a saved forest to --n-estimators trees; the data must be the same");
}

/// Throws UsageError for a flag of `group` that was given.
void refuse_group(const CLI::App& app, const char* group, const std::string& what, const std::string& hint) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group() == group && option->count() > 0) {
      throw UsageError(fmt::format("{} belongs to {}", option->get_name(), what), hint);
    }
  }
}

}  // namespace

std::string flag_of(std::string parameter) {
  if (parameter == "learning_rate") return "--lr";
  if (parameter == "validation_fraction") return "--validation";
  std::replace(parameter.begin(), parameter.end(), '_', '-');
  return "--" + parameter;
}

std::string in_flags(const CLI::App& app, std::string message) {
  if (message.starts_with('[')) message.erase(0, message.find("] ") + 2);
  const std::size_t end = message.find(' ');
  const std::string flag = flag_of(message.substr(0, end));
  return app.get_option_no_throw(flag) != nullptr ? flag + message.substr(end) : message;
}

void add_train_flags(CLI::App& app, TrainFlags& flags) {
  app.add_option("--estimator", flags.estimator, "network, random-forest or extra-trees")->capture_default_str();
  add_data_flags(app, flags.data);
  add_training_flags(app, flags.compute, "Of weights, shuffling, dropout, validation rows and forests", flags.outputs);
  app.get_option("--target")->required(false);  // of images; check_train_flags() asks for it else
  add_network_flags(app, flags.network);
  add_image_flags(app, flags.images);
  add_forest_flags(app, flags.forest, flags.data.roles.sample_weight);
}

void check_train_flags(const CLI::App& app, const TrainFlags& flags) {
  static const std::vector<std::string> estimators = {"network", "random-forest", "extra-trees"};
  overtake::text::check_choice("--estimator", flags.estimator, estimators);
  if (!flags.images.model.empty()) {
    static const std::vector<std::string> shared = {"DATA",
                                                    "--epochs",
                                                    "--batch-size",
                                                    "--lr",
                                                    "--optimizer",
                                                    "--momentum",
                                                    "--schedule",
                                                    "--validation",
                                                    "--checkpoint",
                                                    "--resume",
                                                    "--device",
                                                    "--threads",
                                                    "--seed",
                                                    "--save",
                                                    "--json",
                                                    "--plan",
                                                    "--memory-limit",
                                                    "--weight-decay",
                                                    "--checkpoint-every"};
    refuse_all_but(app, shared, image_group, "networks for images (--model)", "It belongs to models of tables.");
    static_cast<void>(image_options(app, flags));
    return;
  }
  refuse_group(app, image_group, "--model", "Name a network for images: --model vgg16.");
  require(app.count("--target") > 0, "--target is required", "Name the column to predict; images take --model.");
  if (flags.estimator == "network") {
    refuse_group(app, forest_group, "forests", "Add --estimator random-forest or --estimator extra-trees.");
    try {
      return flags.network.check();
    } catch (const UsageError& error) {
      throw UsageError(in_flags(app, error.what()), error.hint());
    }
  }
  refuse_group(app, network_group, "--estimator network",
               app.count("--validation") > 0 ? "--oob-score judges a forest on rows its trees did not see." : "");
  const ForestFlags& forest = flags.forest;
  for (const char* flag : {"--tree", "--digits"}) {
    require(app.count(flag) == 0 || !forest.export_text.empty() || !forest.export_dot.empty(),
            fmt::format("{} belongs to --export-text and --export-dot", flag));
  }
  require(!forest.digits || (*forest.digits >= 0 && *forest.digits <= 17),
          fmt::format("--digits {}: expected a whole number from 0 to 17", forest.digits.value_or(0)));
}

overtake::NetworkOptions network_options(const TrainFlags& flags) {
  overtake::NetworkOptions options = flags.network;
  options.training.seed = flags.compute.seed;
  options.memory_limit = flags.compute.memory_limit;
  options.host_memory_limit = flags.compute.host_memory_limit;
  return options;
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
    require(!twice, fmt::format("the parameter {} is given twice", parameter.first));
    require(parameter.first != "random_state" && parameter.first != "warm_start",
            fmt::format("--set {}: that parameter has a flag of its own", text),
            parameter.first == "random_state" ? "Use --seed." : "Use --more-trees FILE.");
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

std::pair<std::string, overtake::ParameterValue> parse_parameter(const std::string& text, const std::string& flag) {
  const std::size_t equals = text.find('=');
  require(equals != std::string::npos && equals > 0 && equals + 1 < text.size(),
          fmt::format("{} \"{}\" is not of the form name=value", flag, text),
          fmt::format("For example {} max_depth=5.", flag));
  return {text.substr(0, equals), overtake::parse_parameter_value(std::string_view(text).substr(equals + 1))};
}

}  // namespace cli
