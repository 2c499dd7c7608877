// SPDX-License-Identifier: MIT
#include "flags/search_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <set>

#include "flags/names.hpp"
#include "output/description.hpp"
#include "overtake/error.hpp"
#include "overtake/report.hpp"

namespace cli {
namespace {

using overtake::FoldKind;
using overtake::UsageError;
using overtake::report::Json;

const std::vector<std::string> fold_kinds = {"auto",        "k-fold",     "stratified", "group",
                                             "time-series", "predefined", "holdout"};

void require(bool ok, const std::string& message, const std::string& hint = {}) {
  if (!ok) {
    throw UsageError(message, hint);
  }
}

/// --group and --fold name the kind by themselves.
FoldKind fold_kind(const SearchFlags& flags) {
  if (flags.cv_kind == "auto") {
    return !flags.data.group.empty()  ? FoldKind::group
           : !flags.data.fold.empty() ? FoldKind::predefined
                                      : FoldKind::automatic;
  }
  constexpr FoldKind kinds[] = {FoldKind::automatic,   FoldKind::k_fold,     FoldKind::stratified, FoldKind::group,
                                FoldKind::time_series, FoldKind::predefined, FoldKind::holdout};
  return kinds[std::find(fold_kinds.begin(), fold_kinds.end(), flags.cv_kind) - fold_kinds.begin()];
}

void check_folds(const CLI::App& app, const SearchFlags& flags) {
  const FoldKind kind = fold_kind(flags);
  require(flags.data.group.empty() || flags.data.fold.empty(), "--group and --fold exclude each other");
  require((kind == FoldKind::group) == !flags.data.group.empty(),
          kind == FoldKind::group ? "--cv-kind group needs --group COLUMN"
                                  : fmt::format("--group does not belong to --cv-kind {}", flags.cv_kind));
  require((kind == FoldKind::predefined) == !flags.data.fold.empty(),
          kind == FoldKind::predefined ? "--cv-kind predefined needs --fold COLUMN"
                                       : fmt::format("--fold does not belong to --cv-kind {}", flags.cv_kind));
  require(kind == FoldKind::holdout || app.count("--test-size") == 0, "--test-size belongs to --cv-kind holdout");
  const bool counts_folds = kind != FoldKind::holdout && kind != FoldKind::predefined;
  require(counts_folds || app.count("--cv") == 0,
          fmt::format("--cv does not belong to --cv-kind {}: the number of folds is given by {}", flags.cv_kind,
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

Json texts(const std::vector<std::string>& values) {
  Json list = Json::array();
  for (const std::string& value : values) {
    list.push(value);
  }
  return list;
}

bool names_one_class(const std::string& scoring) {
  const std::vector<std::string> names = parse_words(scoring);
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return overtake::is_about_one_class(overtake::parse_metric(name));
  });
}

/// null for a flag that was not given.
Json text_or_null(const std::string& value) { return value.empty() ? Json() : Json(value); }

void add_data_flags(CLI::App& app, ForestDataFlags& data) {
  add_reading_flags(app, data);
  app.add_option("--target", data.target, "Column to predict")->required()->type_name("COLUMN");
  app.add_option("--sample-weight", data.sample_weight, "Column of row weights")->type_name("COLUMN");
  app.add_option("--group", data.group, "Column whose equal cells stay in one fold")->type_name("COLUMN");
  app.add_option("--fold", data.fold, "Column of each row's fold (-1: always training)")->type_name("COLUMN");
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
  repeated("--set", flags.fixed, "A parameter that every candidate shares (repeat)", "NAME=VALUE");
}

}  // namespace

void add_search_flags(CLI::App& app, SearchFlags& flags) {
  add_data_flags(app, flags.data);
  add_space_flags(app, flags);
  app.add_option("--cv", flags.cv, "Folds")->capture_default_str();
  app.add_option("--cv-kind", flags.cv_kind, fmt::format("{}", fmt::join(fold_kinds, ", ")))->capture_default_str();
  app.add_flag("--shuffle", flags.shuffle, "Shuffle the rows before they are cut into folds");
  app.add_option("--repeats", flags.repeats, "Cross-validations, each with folds of its own")->capture_default_str();
  app.add_option("--test-size", flags.test_size, "Share of the rows that --cv-kind holdout scores")
      ->capture_default_str();
  app.add_option("--scoring", flags.scoring, "Metrics, the first decides (default: accuracy or r2)")
      ->type_name("METRIC,...");
  app.add_option("--positive-class", flags.positive_class,
                 "The class that f1, precision, recall and roc_auc are about (default: 1; roc_auc: the second)")
      ->type_name("NAME");
  app.add_option("--refit-by", flags.refit_by, "The metric that decides")->type_name("METRIC");
  app.add_flag("--no-refit", flags.no_refit, "Do not train the best candidate on all rows");
  app.add_option("--seed", flags.seed, "Of the forests, the folds and the draws")
      ->capture_default_str()
      ->check(seed_check());
  app.add_option("--device", flags.device, "auto, cpu, cuda, cuda:1, opencl:0, ...")->capture_default_str();
  app.add_option("--threads", flags.threads, "CPU threads (0: all)")->capture_default_str();
  read_as_size(*app.add_option("--memory-limit", flags.memory_limit,
                               "Most memory of the table, and on the device, e.g. 512MiB"));
  app.add_option("--journal", flags.journal, "Keep every result in a file; the same command continues from it")
      ->type_name("FILE");
  app.add_flag("--resume", flags.resume, "The journal must exist already");
  app.add_option("--report", flags.html, "Write an HTML page to a file")->type_name("FILE");
  app.add_option("--json", flags.json, "Write the table as JSON to a file (-: standard output)")->type_name("FILE");
  app.add_option("--save", flags.save, "Write the best forest to a file")->type_name("FILE");
  app.add_flag("--describe", flags.describe, "Show the table of the columns before the search");
  app.add_option("--top", flags.top, "Rows of the table that are shown")->capture_default_str();
}

void check_search_flags(const CLI::App& app, const SearchFlags& flags) {
  check_choice(flags.estimator, overtake::estimator_names(), "--estimator");
  check_choice(flags.data.task, {"auto", "classification", "regression"}, "--task");
  check_choice(flags.cv_kind, fold_kinds, "--cv-kind");
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
  require(!flags.no_refit || flags.save.empty(), "--save needs the refit that --no-refit turns off");
  require(flags.positive_class.empty() || names_one_class(flags.scoring),
          fmt::format("--positive-class {}: no metric of --scoring is about one class", flags.positive_class),
          "f1, precision, recall and roc_auc are.");
  require(app.count("--memory-limit") == 0 || flags.memory_limit > 0, "--memory-limit must be above 0",
          "Leave it out to use most of the memory that is free.");
  require(flags.threads >= 0, fmt::format("--threads must not be negative, but is {}", flags.threads));
  require(flags.top >= 1, fmt::format("--top must be at least 1, not {}", flags.top));
}

std::vector<overtake::Parameters> make_candidates(const SearchFlags& flags, std::string& note) {
  if (flags.random > 0) {
    std::vector<overtake::Distribution> space;
    for (const std::string& text : flags.space) {
      space.push_back(overtake::parse_distribution(text));
    }
    std::vector<overtake::Parameters> drawn = overtake::random_candidates(space, flags.random, flags.seed);
    if (static_cast<int>(drawn.size()) < flags.random) {
      note = fmt::format("--random {} tries {} candidates: the distributions give no more that differ",
                         overtake::report::count(flags.random),
                         overtake::report::count(static_cast<std::int64_t>(drawn.size())));
    }
    return drawn;
  }
  std::vector<overtake::GridAxis> axes;
  for (const std::string& text : flags.grid) {
    axes.push_back(overtake::parse_grid_axis(text));
  }
  return overtake::grid_candidates(std::move(axes));
}

std::pair<std::string, overtake::ParameterValue> parse_parameter(const std::string& text, const std::string& flag) {
  const std::size_t equals = text.find('=');
  require(equals != std::string::npos && equals > 0 && equals + 1 < text.size(),
          fmt::format("{} \"{}\" is not of the form name=value", flag, text),
          fmt::format("For example {} max_depth=5.", flag));
  return {text.substr(0, equals), overtake::parse_parameter_value(std::string_view(text).substr(equals + 1))};
}

overtake::SearchOptions make_search_options(const SearchFlags& flags) {
  overtake::SearchOptions options;
  options.estimator = flags.estimator;
  for (const std::string& text : flags.fixed) {
    options.fixed.push_back(parse_parameter(text, "--set"));
  }
  options.folds = {fold_kind(flags), flags.cv, flags.repeats, flags.shuffle, flags.test_size, flags.seed};
  for (const std::string& name : parse_words(flags.scoring)) {
    options.metrics.push_back(overtake::parse_metric(name));
  }
  if (!flags.refit_by.empty()) {
    const overtake::Metric wanted = overtake::parse_metric(flags.refit_by);
    const auto found = std::find(options.metrics.begin(), options.metrics.end(), wanted);
    require(found != options.metrics.end(),
            fmt::format("--refit-by {} is none of the metrics of --scoring", flags.refit_by), "Add it to --scoring.");
    options.refit_metric = static_cast<std::size_t>(found - options.metrics.begin());
  }
  options.positive_class = flags.positive_class;
  options.refit = !flags.no_refit;
  options.seed = flags.seed;
  options.memory_limit = flags.memory_limit;
  options.journal = flags.journal;
  options.data_name = flags.data.data;
  return options;
}

std::string settings_json(const SearchFlags& flags, const overtake::TableDescription& description) {
  Json json = Json::object();
  json.set("data", flags.data.data).set("target", flags.data.target).set("task", flags.data.task);
  json.set("drop", texts(parse_words(flags.data.drop))).set("text", texts(parse_words(flags.data.text)));
  json.set("sample_weight", text_or_null(flags.data.sample_weight));
  json.set("group", text_or_null(flags.data.group)).set("fold", text_or_null(flags.data.fold));
  json.set("estimator", flags.estimator).set("grid", texts(flags.grid)).set("set", texts(flags.fixed));
  json.set("random", flags.random > 0 ? Json(flags.random) : Json()).set("param", texts(flags.space));
  json.set("cv", flags.cv).set("cv_kind", flags.cv_kind).set("shuffle", flags.shuffle).set("repeats", flags.repeats);
  json.set("test_size", flags.test_size).set("scoring", texts(parse_words(flags.scoring)));
  json.set("positive_class", text_or_null(flags.positive_class));
  json.set("refit_by", text_or_null(flags.refit_by)).set("refit", !flags.no_refit).set("seed", flags.seed);
  json.set("device", flags.device).set("threads", flags.threads);
  json.set("memory_limit", flags.memory_limit > 0 ? Json(flags.memory_limit) : Json());
  json.set("journal", text_or_null(flags.journal)).set("report", text_or_null(flags.html));
  json.set("table", description_json(description));
  return json.set("save", text_or_null(flags.save)).dump(-1);
}

}  // namespace cli
