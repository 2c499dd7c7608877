// SPDX-License-Identifier: MIT
// Which estimators there are.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/nearest.hpp"
#include "overtake/error.hpp"
#include "search/estimator.hpp"
#include "search/runner.hpp"

namespace overtake {

namespace search_detail {

namespace {

std::vector<const EstimatorType*>& types() {
  static std::vector<const EstimatorType*> list;  // built on first use: registrations run before main in any order
  return list;
}

}  // namespace

EstimatorType::EstimatorType() { types().push_back(this); }

const EstimatorType* find_estimator(std::string_view name) {
  const auto found =
      std::find_if(types().begin(), types().end(), [&](const auto* type) { return type->name() == name; });
  return found == types().end() ? nullptr : *found;
}

const EstimatorType& estimator_named(std::string_view name) {
  if (const EstimatorType* type = find_estimator(name)) return *type;
  const std::vector<std::string> names = estimator_names();
  const std::string near = nearest(name, names);
  throw UsageError(fmt::format("there is no estimator \"{}\"{}", name,
                               near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)),
                   fmt::format("Known: {}.", fmt::join(names, ", ")));
}

const std::string* repeated_name(const Parameters& parameters) {
  const auto repeated = std::find_if(parameters.begin(), parameters.end(), [&](const auto& parameter) {
    return std::any_of(parameters.data(), &parameter,
                       [&](const auto& other) { return other.first == parameter.first; });
  });
  return repeated == parameters.end() ? nullptr : &repeated->first;
}

void check_given_once(const Parameters& parameters) {
  if (const std::string* name = repeated_name(parameters)) {
    throw UsageError(fmt::format("the parameter {} is given twice", *name), "Give it one value.");
  }
}

std::vector<Fold> folds_of(const Dataset& data, const SearchOptions& options, std::string* warning) {
  if (!options.given_folds.empty()) return sorted_folds(options.given_folds, data.rows);
  return make_folds(data, options.folds, options.groups, warning);
}

Parameters with_fixed(const Parameters& fixed, const Parameters& candidate) {
  Parameters all = fixed;
  all.insert(all.end(), candidate.begin(), candidate.end());
  return all;
}

}  // namespace search_detail

std::vector<std::string> estimator_names() {
  std::vector<std::string> names;
  for (const auto* type : search_detail::types()) names.emplace_back(type->name());
  std::sort(names.begin(), names.end());
  return names;
}

void check_candidates(const std::vector<Parameters>& candidates, const SearchOptions& options) {
  const search_detail::EstimatorType& type = search_detail::estimator_named(options.estimator);
  search_detail::check_given_once(options.fixed);
  for (const Parameters& candidate : candidates) {
    search_detail::check_given_once(candidate);
    type.check(search_detail::with_fixed(options.fixed, candidate));
  }
}

SearchForecast forecast_search(const Dataset& data, const std::vector<Parameters>& candidates,
                               const SearchOptions& options, Candidates devices,
                               const std::vector<DeviceInfo>& elsewhere) {
  (void)search_detail::checked_result(data, candidates, options);  // what the search would refuse
  const search_detail::EstimatorType& type = search_detail::estimator_named(options.estimator);
  std::vector<Parameters> all;
  for (const Parameters& candidate : candidates) all.push_back(search_detail::with_fixed(options.fixed, candidate));
  search_detail::SearchSize size;
  size.invalid_candidates_fail = options.invalid_candidates_fail;
  const std::vector<Fold> folds = search_detail::folds_of(data, options);
  size.folds = static_cast<std::int64_t>(folds.size());
  for (const Fold& fold : folds) {
    // Of given folds the rows may be in both parts; what is not trained on decides.
    const std::int64_t trained = static_cast<std::int64_t>(fold.train.size());
    const auto tested = static_cast<std::int64_t>(fold.test.size());
    size.test_rows += (options.given_folds.empty() ? tested : data.rows - trained) / size.folds;
  }
  size.refit = options.refit;
  size.class_names = options.class_names;
  const auto forecast = type.forecast(data, all, size);
  SearchForecast result;
  result.plan.candidates = static_cast<std::int64_t>(candidates.size());
  result.plan.folds = size.folds;
  result.plan.jobs = result.plan.candidates * size.folds;
  result.plan.models = forecast->models();
  result.problems = forecast->problems();
  result.counts = forecast->counts();
  const MemoryLimits limits{options.memory_limit, options.host_memory_limit};
  const Shareable work{result.plan.models, size.refit ? 1 : 0};
  result.placement =
      choose_device([&](const DeviceInfo& device) { return forecast->on(device, limits); }, devices, work, limits);
  for (const DeviceInfo& device : elsewhere) result.elsewhere.push_back(forecast->on(device));
  return result;
}

void run_on(const Placement& placement, SearchOptions& options) {
  const bool is_shared = placement.shared.size() == 2;
  options.device = Device(is_shared ? placement.shared[0] : placement.device);
  options.helper.reset();
  if (is_shared) options.helper.emplace(placement.shared[1]);
  options.alone_seconds = options.batch_seconds = {};
  for (std::size_t i = 0; is_shared && i < 2; ++i) {
    for (const Prediction& of : placement.predictions) {
      if (of.device == placement.shared[i] && of.failure.empty()) {
        options.alone_seconds[i] = of.transfer_seconds + of.compute_seconds + of.finish_seconds;
        options.batch_seconds[i] = of.batch_seconds;
      }
    }
  }
  options.device_reason = placement.reason;
  if (const Prediction* prediction = placement.chosen()) options.prediction = *prediction;
}

}  // namespace overtake
