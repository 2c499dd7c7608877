// SPDX-License-Identifier: MIT
#include <utility>

#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake {
namespace {

const Forest& fitted(const std::optional<Forest>& forest) {
  if (!forest) throw UsageError("the forest is not trained yet", "Call fit() first.");
  return *forest;
}

void check_task(Task expected, const ForestParameters& parameters, const Dataset& data) {
  if (parameters.task == expected && data.task == expected) return;
  throw UsageError(expected == Task::classification
                       ? "ForestClassifier expects parameters and data of classification; these are of regression"
                       : "ForestRegressor expects parameters and data of regression; these are of classification",
                   expected == Task::classification ? "Use ForestRegressor." : "Use ForestClassifier.");
}

/// fit() of both: with warm_start the forest that is there gets more trees.
void fit_forest(const ForestParameters& parameters, const Device& device, const Dataset& data,
                std::span<const float> sample_weight, std::optional<Forest>& forest) {
  ForestOptions options;
  options.device = device;
  const Forest* earlier = parameters.warm_start && forest ? &*forest : nullptr;
  forest = train_forest(parameters, data, options, sample_weight, earlier);
}

}  // namespace

ForestClassifier::ForestClassifier(ForestParameters wanted, Device device)
    : parameters(std::move(wanted)), device_(device) {}

ForestClassifier& ForestClassifier::fit(const Dataset& data, std::span<const float> sample_weight) {
  check_task(Task::classification, parameters, data);
  fit_forest(parameters, device_, data, sample_weight, forest_);
  return *this;
}

std::vector<std::int32_t> ForestClassifier::predict(std::span<const float> inputs) const {
  return forest().predict(inputs);
}

std::vector<double> ForestClassifier::predict_proba(std::span<const float> inputs) const {
  return forest().predict_proba(inputs);
}

double ForestClassifier::score(const Dataset& data) const { return score_of(forest(), data); }

const Forest& ForestClassifier::forest() const { return fitted(forest_); }

ForestRegressor::ForestRegressor(ForestParameters wanted, Device device)
    : parameters(std::move(wanted)), device_(device) {}

ForestRegressor& ForestRegressor::fit(const Dataset& data, std::span<const float> sample_weight) {
  check_task(Task::regression, parameters, data);
  fit_forest(parameters, device_, data, sample_weight, forest_);
  return *this;
}

std::vector<double> ForestRegressor::predict(std::span<const float> inputs) const {
  return forest().predict_values(inputs);
}

double ForestRegressor::score(const Dataset& data) const { return score_of(forest(), data); }

const Forest& ForestRegressor::forest() const { return fitted(forest_); }

}  // namespace overtake
