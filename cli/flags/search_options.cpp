// SPDX-License-Identifier: MIT
#include "flags/search_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <set>

#include "flags/names.hpp"
#include "flags/train_options.hpp"
#include "overtake/error.hpp"
#include "overtake/report.hpp"
#include "overtake/text.hpp"

namespace cli {
namespace {

using overtake::FoldKind;
using overtake::UsageError;
using overtake::report::Json;

const std::vector<std::string> fold_kinds = {"auto",        "k-fold",     "stratified", "group",
                                             "time-series", "predefined", "holdout"};

/// --group and --fold name the kind by themselves.
FoldKind fold_kind(const SearchFlags& flags) {
  if (flags.fold_kind == "auto") {
    return !flags.data.roles.group.empty()  ? FoldKind::group
           : !flags.data.roles.fold.empty() ? FoldKind::predefined
                                            : FoldKind::automatic;
  }
  constexpr FoldKind kinds[] = {FoldKind::automatic,   FoldKind::k_fold,     FoldKind::stratified, FoldKind::group,
                                FoldKind::time_series, FoldKind::predefined, FoldKind::holdout};
  return kinds[std::find(fold_kinds.begin(), fold_kinds.end(), flags.fold_kind) - fold_kinds.begin()];
}

void check_folds(const CLI::App& app, const SearchFlags& flags) {
  const FoldKind kind = fold_kind(flags);
  require(flags.data.roles.group.empty() || flags.data.roles.fold.empty(), "--group and --fold exclude each other");
  require((kind == FoldKind::group) == !flags.data.roles.group.empty(),
          kind == FoldKind::group ? "--cv-kind group needs --group COLUMN"
                                  : fmt::format("--group does not belong to --cv-kind {}", flags.fold_kind));
  require((kind == FoldKind::predefined) == !flags.data.roles.fold.empty(),
          kind == FoldKind::predefined ? "--cv-kind predefined needs --fold COLUMN"
                                       : fmt::format("--fold does not belong to --cv-kind {}", flags.fold_kind));
  require(kind == FoldKind::holdout || app.count("--test-size") == 0, "--test-size belongs to --cv-kind holdout");
  const bool counts_folds = kind != FoldKind::holdout && kind != FoldKind::predefined;
  require(counts_folds || app.count("--cv") == 0,
          fmt::format("--cv does not belong to --cv-kind {}: the number of folds is given by {}", flags.fold_kind,
                      kind == FoldKind::holdout ? "the kind" : "the column"));
}

/// A parameter is either tried or fixed, and fixed once.
void check_names_differ(const SearchFlags& flags) {
  std::set<std::string> names;
  for (const std::vector<std::string>* list : {&flags.grid, &flags.space, &flags.fixed}) {
    for (const std::string& text : *list) {
      const std::string name = text.substr(0, text.find('='));
      require(names.insert(name).second, fmt::format("the parameter {} is given twice", name),
              "Give all its values in one flag.");
    }
  }
}

bool names_one_class(const std::string& scoring) {
  const std::vector<std::string> names = parse_words(scoring);
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return overtake::is_about_one_class(overtake::parse_metric(name));
  });
}

void add_space_flags(CLI::App& app, SearchFlags& flags) {
  const auto repeated = [&](const char* name, std::vector<std::string>& values, const char* help, const char* type) {
    app.add_option(name, values, help)->type_name(type)->allow_extra_args(false)->take_all();
  };
  app.add_option("--estimator", flags.estimator, fmt::format("{}", fmt::join(overtake::estimator_names(), " or ")))
      ->capture_default_str();
  repeated("--grid", flags.grid, "Values of a parameter; every combination is tried (repeat)", "NAME=A,B,C");
  app.add_option("--random", flags.random, "Draw so many candidates from the --param distributions")->type_name("N");
  repeated("--param", flags.space,
           "How a parameter is drawn: int(a,b), log-int(a,b), uniform(a,b), log-uniform(a,b) or A,B,C (repeat)",
           "NAME=DIST");
  add_parameter_flags(app, flags.data.roles.sample_weight, flags.fixed);
}

}  // namespace

void add_search_flags(CLI::App& app, SearchFlags& flags) {
  add_data_flags(app, flags.data);
  const auto add_column = [&](const char* name, std::string& column, const char* help) {
    app.add_option(name, column, help)->type_name("COLUMN");
  };
  add_column("--group", flags.data.roles.group, "Column whose equal cells stay in one fold");
  add_column("--fold", flags.data.roles.fold, "Column of each row's fold (-1: always training)");
  add_space_flags(app, flags);
  app.add_option("--cv", flags.folds.n_splits, "Folds")->capture_default_str();
  app.add_option("--cv-kind", flags.fold_kind, fmt::format("{}", fmt::join(fold_kinds, ", ")))->capture_default_str();
  app.add_flag("--shuffle", flags.folds.shuffle, "Shuffle the rows before they are cut into folds");
  app.add_option("--repeats", flags.folds.n_repeats, "Cross-validations, each with folds of its own")
      ->capture_default_str();
  app.add_option("--test-size", flags.folds.test_size, "Share of the rows that --cv-kind holdout scores")
      ->capture_default_str();
  app.add_option("--scoring", flags.scoring, "Metrics, the first decides (default: accuracy or r2)")
      ->type_name("METRIC,...");
  add_positive_class_flag(app, flags.positive_class);
  app.add_option("--refit-by", flags.refit_by, "The metric that decides")->type_name("METRIC");
  app.add_flag("--no-refit", flags.no_refit, "Do not train the best candidate on all rows");
  add_training_flags(app, flags.compute, "Of the models, the folds and the draws", flags.outputs);
  app.add_option("--journal", flags.journal, "Keep every result in a file; the same command continues from it")
      ->type_name("FILE");
  app.add_flag("--resume", flags.resume, "The journal must exist already");
  add_report_flag(app, flags.outputs.html);
  app.add_option("--top", flags.top, "Rows of the table that are shown")->capture_default_str();
}

void check_search_flags(const CLI::App& app, const SearchFlags& flags) {
  overtake::text::check_choice("--estimator", flags.estimator, overtake::estimator_names());
  overtake::text::check_choice("--cv-kind", flags.fold_kind, fold_kinds);
  require(flags.grid.empty() || flags.space.empty(), "--grid and --param exclude each other",
          "--grid tries every combination; --random N with --param draws N of them. --set fixes a parameter.");
  require(flags.space.empty() || app.count("--random") > 0, "--param needs --random N, the number of candidates");
  require(!flags.grid.empty() || !flags.space.empty(), "there is nothing to try",
          "Give --grid max_depth=none,3,5, or --random 100 --param 'max_depth=int(2,20)'.");
  require(flags.grid.empty() || app.count("--random") == 0, "--random belongs to --param, not to --grid");
  require(app.count("--random") == 0 || flags.random >= 1,
          fmt::format("--random must be at least 1, not {}", flags.random));
  check_folds(app, flags);
  check_names_differ(flags);
  require(!flags.resume || !flags.journal.empty(), "--resume needs --journal FILE, the file to continue from");
  require(!flags.no_refit || flags.outputs.save.empty(), "--save needs the refit that --no-refit turns off");
  require(flags.positive_class.empty() || names_one_class(flags.scoring),
          fmt::format("--positive-class {}: no metric of --scoring is about one class", flags.positive_class),
          "f1, precision, recall and roc_auc are.");
  require(flags.top >= 1, fmt::format("--top must be at least 1, not {}", flags.top));
}

std::vector<overtake::Parameters> make_candidates(const SearchFlags& flags, std::string& note) {
  if (flags.random > 0) {
    std::vector<overtake::Distribution> space;
    for (const std::string& text : flags.space) space.push_back(overtake::parse_distribution(text));
    std::vector<overtake::Parameters> drawn = overtake::random_candidates(space, flags.random, flags.compute.seed);
    if (static_cast<int>(drawn.size()) < flags.random) {
      note = fmt::format("--random {} tries {} candidates: the distributions give no more that differ",
                         overtake::report::count(flags.random),
                         overtake::report::count(static_cast<std::int64_t>(drawn.size())));
    }
    return drawn;
  }
  std::vector<overtake::GridAxis> axes;
  for (const std::string& text : flags.grid) axes.push_back(overtake::parse_grid_axis(text));
  return overtake::grid_candidates(std::move(axes));
}

overtake::SearchOptions make_search_options(const SearchFlags& flags) {
  overtake::SearchOptions options;
  options.estimator = flags.estimator;
  for (const std::string& text : flags.fixed) options.fixed.push_back(parse_parameter(text, "--set"));
  options.folds = flags.folds;
  options.folds.kind = fold_kind(flags);
  options.folds.seed = flags.compute.seed;
  for (const std::string& name : parse_words(flags.scoring)) options.metrics.push_back(overtake::parse_metric(name));
  if (!flags.refit_by.empty()) {
    options.refit_metric = overtake::metric_index(options.metrics, flags.refit_by, "--refit-by");
  }
  options.positive_class = flags.positive_class;
  options.refit = !flags.no_refit;
  options.seed = flags.compute.seed;
  options.memory_limit = flags.compute.memory_limit;
  options.host_memory_limit = flags.compute.host_memory_limit;
  options.journal = flags.journal;
  options.data_name = flags.data.data;
  return options;
}

std::string settings_json(const SearchFlags& flags, const overtake::TableDescription& description) {
  const overtake::ColumnRoles& roles = flags.data.roles;
  const overtake::TableOptions reading = flags.data.over();
  const std::uint64_t limit = flags.compute.memory_limit;
  Json json = Json::object();
  json.set("data", flags.data.data).set("target", roles.target);
  json.set("task", flags.data.task ? name_of(*flags.data.task) : "auto");
  json.set("drop", Json::list(reading.ignored)).set("text", Json::list(reading.text));
  json.set("sample_weight", Json::text_or_null(roles.sample_weight));
  json.set("group", Json::text_or_null(roles.group)).set("fold", Json::text_or_null(roles.fold));
  json.set("estimator", flags.estimator).set("grid", Json::list(flags.grid)).set("set", Json::list(flags.fixed));
  json.set("random", flags.random > 0 ? Json(flags.random) : Json()).set("param", Json::list(flags.space));
  json.set("cv", flags.folds.n_splits).set("cv_kind", flags.fold_kind).set("shuffle", flags.folds.shuffle);
  json.set("repeats", flags.folds.n_repeats).set("test_size", flags.folds.test_size);
  json.set("scoring", Json::list(parse_words(flags.scoring)));
  json.set("positive_class", Json::text_or_null(flags.positive_class));
  json.set("refit_by", Json::text_or_null(flags.refit_by)).set("refit", !flags.no_refit);
  json.set("seed", flags.compute.seed).set("device", flags.compute.device).set("threads", flags.compute.threads);
  const std::uint64_t host_limit = flags.compute.host_memory_limit;
  json.set("host_memory_limit", host_limit > 0 ? Json(host_limit) : Json());
  json.set("memory_limit", limit > 0 ? Json(limit) : Json()).set("journal", Json::text_or_null(flags.journal));
  json.set("report", Json::text_or_null(flags.outputs.html)).set("table", to_json(description));
  return json.set("save", Json::text_or_null(flags.outputs.save)).dump(-1);
}

}  // namespace cli
