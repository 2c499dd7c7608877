// SPDX-License-Identifier: MIT
// What a search refuses before it begins, and its result before anything is in it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/sample_weights.hpp"
#include "overtake/error.hpp"
#include "search/runner.hpp"

namespace overtake::search_detail {

namespace {

void check_data(const Dataset& data) {
  if (data.rows < 1) throw DataError("the data has no rows", "A search needs rows to train on and to score.");
  const std::size_t answers = data.task == Task::classification ? data.labels.size() : data.targets.size();
  if (static_cast<std::int64_t>(answers) != data.rows) {
    throw DataError(fmt::format("the data has {} targets for {} rows", answers, data.rows),
                    "A search needs the target of every row.");
  }
  if (static_cast<std::int64_t>(data.inputs.size()) != data.rows * data.features) {
    throw UsageError(fmt::format("the data has {} inputs, expected {} rows x {} features", data.inputs.size(),
                                 data.rows, data.features));
  }
}

/// The name of the class that the metric is about; empty where it is about all classes.
std::string positive_name(Metric metric, const SearchOptions& options) {
  if (!is_about_one_class(metric)) return {};
  const auto place = static_cast<std::size_t>(positive_of(metric, options));
  return place < options.class_names.size() ? options.class_names[place] : fmt::format("{}", place);
}

void check_names(std::string_view what, const std::vector<std::string>& names, std::int64_t expected) {
  if (names.empty() || static_cast<std::int64_t>(names.size()) == expected) return;
  throw UsageError(fmt::format("{} has {} names for {}", what, names.size(), expected), "Give one for each, or none.");
}

/// Names the devices, the CPU first where there are two.
void take_devices(const SearchOptions& options, SearchResult& result) {
  result.device = options.device.id();
  result.devices = {{options.device.id()}};
  if (!options.helper) return;
  const std::string helper = options.helper->id();
  if ((helper == "cpu") == (result.device == "cpu")) {
    throw UsageError(fmt::format("{} and {} do not share a search", result.device, helper),
                     "One of them must be the CPU, the other another device.");
  }
  result.device = helper == "cpu" ? helper + " + " + result.device : result.device + " + " + helper;
  result.devices.push_back({helper});
}

}  // namespace

std::int32_t positive_of(Metric metric, const SearchOptions& options) {
  return is_about_one_class(metric) ? positive_class(metric, options.class_names, options.positive_class) : 1;
}

SearchResult checked_result(const Dataset& data, const std::vector<Parameters>& candidates,
                            const SearchOptions& options) {
  check_data(data);
  check_sample_weights(options.sample_weight, data.rows);
  check_names("feature_names", options.feature_names, data.features);
  if (data.task == Task::classification) check_names("class_names", options.class_names, data.classes);
  if (candidates.empty()) throw UsageError("there is no candidate to try", "Give a grid or a space to draw from.");
  check_given_once(options.fixed);
  for (const Parameters& candidate : candidates) check_given_once(candidate);
  SearchResult result;
  result.task = data.task;
  result.estimator = estimator_named(options.estimator).name();
  result.metrics = options.metrics;
  if (result.metrics.empty()) result.metrics.push_back(default_metric(data.task));
  result.refit_metric = options.refit_metric;
  if (result.refit_metric >= result.metrics.size()) {
    throw UsageError(fmt::format("the refit metric is number {} of {}", result.refit_metric, result.metrics.size()));
  }
  for (std::size_t m = 0; m < result.metrics.size(); ++m) {
    check_metric(result.metrics[m], data.task, data.classes);
    result.positive_classes.push_back(positive_name(result.metrics[m], options));
    const auto end = result.metrics.begin() + static_cast<std::ptrdiff_t>(m);
    if (std::find(result.metrics.begin(), end, result.metrics[m]) != end) {
      throw UsageError(fmt::format("the metric {} is given twice", name_of(result.metrics[m])));
    }
  }
  const bool about_one = std::any_of(result.metrics.begin(), result.metrics.end(), is_about_one_class);
  if (!options.positive_class.empty() && !about_one) {
    throw UsageError("a positive class is given, and no metric is about one class",
                     "f1, precision, recall and roc_auc are; leave the positive class out for others.");
  }
  take_devices(options, result);
  result.device_reason = options.device_reason;
  result.prediction = options.prediction;
  return result;
}

}  // namespace overtake::search_detail
