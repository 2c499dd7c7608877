// SPDX-License-Identifier: MIT
// Which estimators there are.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

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

namespace {

/// A search that was looked at before anything of it runs.
struct Counted {
  std::unique_ptr<search_detail::Forecast> forecast;
  std::int64_t folds = 0;
  MemoryLimits limits;
  Shareable work;

  [[nodiscard]] auto predict() const {
    return [this](const DeviceInfo& device) { return forecast->on(device, limits); };
  }
};

Counted count_work(const Dataset& data, const std::vector<Parameters>& candidates, const SearchOptions& options) {
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
  Counted counted{type.forecast(data, all, size), size.folds, {options.memory_limit, options.host_memory_limit}, {}};
  counted.work = {counted.forecast->models(), size.refit ? 1 : 0};
  return counted;
}

}  // namespace

SearchForecast forecast_search(const Dataset& data, const std::vector<Parameters>& candidates,
                               const SearchOptions& options, Candidates devices,
                               const std::vector<DeviceInfo>& elsewhere) {
  const Counted counted = count_work(data, candidates, options);
  SearchForecast result;
  result.plan.candidates = static_cast<std::int64_t>(candidates.size());
  result.plan.folds = counted.folds;
  result.plan.jobs = result.plan.candidates * counted.folds;
  result.plan.models = counted.forecast->models();
  result.problems = counted.forecast->problems();
  result.counts = counted.forecast->counts();
  result.placement = choose_device(counted.predict(), devices, counted.work, counted.limits);
  if (devices == Candidates::all && options.helper) {
    std::vector<std::string> chosen =
        std::exchange(result.placement.shared, {options.device.id(), options.helper->id()});
    add_together(result.placement, counted.work, counted.limits);
    result.placement.shared = std::move(chosen);
  }
  for (const DeviceInfo& device : elsewhere) result.elsewhere.push_back(counted.forecast->on(device));
  return result;
}

void predict_asked(Placement& asked, const Dataset& data, const std::vector<Parameters>& candidates,
                   const SearchOptions& options) {
  const Counted counted = count_work(data, candidates, options);
  predict_asked(asked, counted.predict(), counted.work, counted.limits);
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
