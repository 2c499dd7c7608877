// SPDX-License-Identifier: MIT
// Searches.
#include <fmt/format.h>

#include <array>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "c_api/settings.hpp"
#include "c_api/watch.hpp"
#include "overtake/search.hpp"

namespace api = overtake::c_api;
using overtake::SearchOptions;
using overtake::SearchResult;
using overtake::UsageError;

struct overtake_search_result {
  SearchResult found;
  /// [of_training][metric]: candidates x folds.
  std::array<std::vector<std::vector<double>>, 2> scores;
  std::map<std::int64_t, std::vector<std::string>> categories;  ///< of the data
};

namespace {

/// Rows `starts[fold]` to `starts[fold + 1]`.
std::vector<std::int32_t> rows_of(const std::int32_t* rows, const std::int64_t* starts, std::int64_t fold,
                                  const char* argument) {
  const std::int64_t begin = starts[fold], end = starts[fold + 1];
  if (starts[0] != 0 || begin > end) {
    throw UsageError(fmt::format("{}_starts: fold {} goes from {} to {}", argument, fold, begin, end),
                     "The starts begin with 0 and never fall.");
  }
  if (end > begin) (void)api::given(rows, argument);
  return end > begin ? std::vector<std::int32_t>(rows + begin, rows + end) : std::vector<std::int32_t>();
}

std::vector<overtake::Fold> folds_of(const overtake_folds& folds) {
  if (folds.count < 1) throw UsageError(fmt::format("folds: {} of them, expected at least 1", folds.count));
  (void)api::given(folds.train_starts, "train_starts");
  (void)api::given(folds.test_starts, "test_starts");
  std::vector<overtake::Fold> all;
  for (std::int64_t fold = 0; fold < folds.count; ++fold) {
    all.push_back({rows_of(folds.train, folds.train_starts, fold, "train"),
                   rows_of(folds.test, folds.test_starts, fold, "test")});
  }
  return all;
}

void take_metrics(const api::Settings& asked, const overtake::Dataset& rows, SearchOptions& options) {
  for (const std::string& name : asked.texts("scoring").value_or(std::vector<std::string>())) {
    options.metrics.push_back(overtake::parse_metric(name));
  }
  api::Settings::take(asked.flag("refit"), options.refit);
  api::Settings::take(asked.text("positive_class"), options.positive_class);
  if (const auto name = asked.text("refit_metric")) {
    const std::vector<overtake::Metric> one = {default_metric(rows.task)};
    options.refit_metric = metric_index(options.metrics.empty() ? one : options.metrics, *name, "refit_metric");
  }
}

SearchOptions options_of(const api::Settings& asked, const overtake_data& data, const overtake_folds* folds) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  SearchOptions options;
  api::Settings::take(asked.text("estimator"), options.estimator);
  options.fixed = asked.parameters("fixed");
  take_metrics(asked, data.rows, options);
  api::Settings::take(asked.flag("train_scores"), options.train_scores);
  api::Settings::take(asked.flag("predictions"), options.keep_predictions);
  api::Settings::take(asked.flag("invalid_candidates_fail"), options.invalid_candidates_fail);
  api::Settings::take(asked.whole("seed", 0, most), options.seed);
  api::Settings::take(asked.text("journal"), options.journal);
  api::Settings::take(asked.text("data_name"), options.data_name);
  options.memory_limit = asked.bytes("memory_limit");
  options.host_memory_limit = asked.bytes("host_memory_limit");
  const auto cv = asked.whole("cv", 0, std::numeric_limits<int>::max());
  if (cv && folds != nullptr) throw UsageError("both folds and cv are given", "Give one of them.");
  api::Settings::take(cv, options.folds.n_splits);
  if (folds != nullptr) options.given_folds = folds_of(*folds);
  options.sample_weight = data.weights;
  options.feature_names = data.feature_names;
  options.class_names = data.class_names;
  return options;
}

void place(const std::string& device, const overtake_data& data, const std::vector<overtake::Parameters>& candidates,
           SearchOptions& options) {
  if (device == "auto") return run_on(forecast_search(data.rows, candidates, options).placement, options);
  if (device.find(',') != std::string::npos) return run_on(overtake::share_between(device), options);
  options.device = overtake::Device(device);
}

/// One list of all candidates' folds for each metric; NaN where a candidate has no score.
std::vector<std::vector<double>> table_of(const SearchResult& found, bool of_training) {
  const auto folds = static_cast<std::size_t>(found.plan.folds);
  std::vector<std::vector<double>> tables(found.metrics.size());
  for (std::size_t m = 0; m < tables.size(); ++m) {
    for (const overtake::SearchRow& row : found.rows) {
      const auto& scores = of_training ? row.train_scores : row.scores;
      const std::vector<double> none(folds, std::numeric_limits<double>::quiet_NaN());
      const std::vector<double>& own = scores.empty() ? none : scores[m];
      tables[m].insert(tables[m].end(), own.begin(), own.end());
    }
  }
  return tables;
}

}  // namespace

overtake_status overtake_search(const overtake_data* data, const char* candidates, const overtake_folds* folds,
                                const char* settings, const overtake_watch* watch, overtake_search_result** result) {
  return api::guarded([&] {
    overtake_search_result*& handle = api::given(result, "result");
    const overtake_data& given = api::given(data, "data");
    api::require_answers(given);
    const std::vector<overtake::Parameters> tried = api::parse_candidates(candidates, "candidates");
    const api::Settings asked(settings, {"estimator", "fixed", "scoring", "refit", "refit_metric", "train_scores",
                                         "predictions", "invalid_candidates_fail", "seed", "positive_class", "device",
                                         "memory_limit", "host_memory_limit", "journal", "data_name", "cv"});
    SearchOptions options = options_of(asked, given, folds);
    if (!options.invalid_candidates_fail) check_candidates(tried, options);
    api::Watch watcher(watch);
    options.stop = watcher.stop();
    options.observer = &watcher;
    place(asked.text("device").value_or("auto"), given, tried, options);
    auto found = std::make_unique<overtake_search_result>();
    found->categories = given.categories;
    found->found = search(given.rows, tried, options);
    found->scores = {table_of(found->found, false),
                     options.train_scores ? table_of(found->found, true) : std::vector<std::vector<double>>()};
    handle = found.release();
  });
}

overtake_status overtake_search_json(const overtake_search_result* result, overtake_text** json) {
  return api::guarded([&] {
    const SearchResult& found = api::given(result, "result").found;
    api::hand_out(to_json(found), &api::given(json, "json"));
  });
}

overtake_status overtake_search_html(const overtake_search_result* result, const char* title, overtake_text** html) {
  return api::guarded([&] {
    const SearchResult& found = api::given(result, "result").found;
    api::hand_out(to_html(found, api::text_of(title, "title")), &api::given(html, "html"));
  });
}

overtake_status overtake_search_scores(const overtake_search_result* result, const char* metric, int of_training,
                                       const double** values, int64_t* count) {
  return api::guarded([&] {
    const overtake_search_result& held = api::given(result, "result");
    const std::size_t index =
        overtake::metric_index(held.found.metrics, api::text_of(metric, "metric"), "overtake_search_scores");
    const auto& tables = held.scores[of_training != 0 ? 1 : 0];
    if (tables.empty()) {
      throw UsageError("the rows that were trained on were not scored", "Search with \"train_scores\": true.");
    }
    const double*& first = api::given(values, "values");
    api::given(count, "count") = static_cast<std::int64_t>(tables[index].size());
    first = tables[index].data();
  });
}

overtake_status overtake_search_predictions(const overtake_search_result* result, int64_t candidate, int64_t fold,
                                            int of_training, const double** values, int64_t* count) {
  return api::guarded([&] {
    const SearchResult& found = api::given(result, "result").found;
    const double*& first = api::given(values, "values");
    std::int64_t& size = api::given(count, "count");
    if (candidate < 0 || candidate >= found.plan.candidates || fold < 0 || fold >= found.plan.folds) {
      throw UsageError(fmt::format("candidate {}, fold {}: there are {} candidates and {} folds", candidate, fold,
                                   found.plan.candidates, found.plan.folds));
    }
    const overtake::SearchRow& row = found.rows[static_cast<std::size_t>(candidate)];
    const auto& kept = of_training != 0 ? row.train_predictions : row.predictions;
    const std::vector<double> none;
    const std::vector<double>& held = kept.empty() ? none : kept[static_cast<std::size_t>(fold)];
    first = held.empty() ? nullptr : held.data();
    size = static_cast<std::int64_t>(held.size());
  });
}

overtake_status overtake_search_best(const overtake_search_result* result, overtake_model** model) {
  return api::guarded([&] {
    const SearchResult& found = api::given(result, "result").found;
    overtake_model*& handle = api::given(model, "model");
    if (found.best == nullptr) {
      throw UsageError("the search has no model: nothing was refitted, or no candidate has a score",
                       "\"warnings\" and \"failures\" of overtake_search_json() say more.");
    }
    auto best = std::make_unique<overtake_model>();
    best->model = found.best;
    best->preprocessing = api::columns_of(*found.best, result->categories);
    handle = best.release();
  });
}

void overtake_search_result_free(overtake_search_result* result) {
  std::unique_ptr<overtake_search_result>{result}.reset();
}
