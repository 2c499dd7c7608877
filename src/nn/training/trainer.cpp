// SPDX-License-Identifier: MIT
#include "overtake/nn/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nn/training/batches_that_fit.hpp"
#include "nn/training/evaluator.hpp"
#include "nn/training/fit.hpp"
#include "nn/training/float_setting.hpp"
#include "nn/training/trainer_data.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

constexpr std::int64_t evaluation_batch = 4096;

void require(bool holds, const std::string& message, const std::string& hint = {}) {
  if (!holds) throw UsageError("[Trainer] " + message, hint);
}

void check_parameters(nn::Module& model, const optim::Optimizer& optimizer) {
  const std::vector<nn::Parameter*> known = model.parameters();
  for (const nn::Parameter* parameter : optimizer.parameters()) {
    require(std::find(known.begin(), known.end(), parameter) != known.end(),
            "the optimizer holds a parameter that is not one of the model's",
            "Make the optimizer with parameters() of the same model, and do not move the model afterwards.");
  }
}

}  // namespace

std::string_view name_of(EngineKind kind) noexcept {
  switch (kind) {
    case EngineKind::graph: break;
  }
  return "graph";
}

std::string_view name_of(StopReason reason) noexcept {
  switch (reason) {
    case StopReason::finished: return "finished";
    case StopReason::early_stopped: return "early_stopped";
    case StopReason::interrupted: return "interrupted";
    case StopReason::diverged: break;
  }
  return "diverged";
}

const EpochRecord& FitReport::last() const {
  if (epochs.empty()) throw UsageError("[FitReport] no epoch was read back");
  return epochs.back();
}

void TrainerOptions::check() const {
  require(epochs >= 0, fmt::format("epochs {} is negative", epochs));
  require(batch_size >= 1, fmt::format("batch_size {} must be at least 1", batch_size));
  require(validation_fraction >= 0 && validation_fraction < 1,
          fmt::format("validation_fraction {} is not in [0, 1)", validation_fraction),
          "0.2 sets a fifth of the rows aside.");
  require(validation_fraction == 0 || !validation_inputs.defined(),
          "validation_fraction and validation_inputs exclude each other");
  require(patience >= 0, fmt::format("patience {} is negative", patience));
  require(min_delta >= 0 && std::isfinite(min_delta),
          fmt::format("min_delta {} must be a number of at least 0", min_delta));
  require(report_every >= 1, fmt::format("report_every {} must be at least 1", report_every));
  require(checkpoint_every >= 1, fmt::format("checkpoint_every {} must be at least 1", checkpoint_every));
  require(!resume || !checkpoint_path.empty(), "resume needs a checkpoint_path to continue from",
          "With the tool, give --checkpoint FILE.");
  require(clip_grad_norm == 0 || (clip_grad_norm > 0 && nn::fits_float(clip_grad_norm)),
          fmt::format("clip_grad_norm {} must be 0 or a number above 0 of float32", clip_grad_norm));
  require(accumulate >= 1, fmt::format("accumulate {} must be at least 1", accumulate));
  schedule.check();
}

Trainer::Trainer(nn::Module& model, nn::Loss loss, optim::Optimizer& optimizer, TrainerOptions options)
    : model_(model), loss_(std::move(loss)), optimizer_(optimizer), options_(std::move(options)) {
  options_.check();
  require(static_cast<bool>(loss_.rows), "the loss has no function");
}

FitReport Trainer::fit(const Array& inputs, const Array& targets) {
  check_parameters(model_, optimizer_);
  if (options_.precision) nn::require_precision(*options_.precision, model_.device());
  options_.schedule.check(optimizer_.learning_rate(), options_.epochs);
  return nn::Fit(model_, loss_, optimizer_, options_, nn::prepare_data(model_, loss_, options_, inputs, targets)).run();
}

FitReport Trainer::fit(std::span<const float> inputs, std::span<const std::int32_t> labels) {
  require(!labels.empty(), "training data has no rows", "Pass at least one row.");
  require(inputs.size() % labels.size() == 0,
          fmt::format("{} input values do not divide into {} rows", inputs.size(), labels.size()));
  const auto rows = static_cast<std::int64_t>(labels.size());
  const Shape shape{rows, static_cast<std::int64_t>(inputs.size()) / rows};
  return fit(Array::from(inputs, shape), Array::from(labels, Shape{rows}));
}

Evaluation Trainer::evaluate(const Array& inputs, const Array& targets) {
  nn::check_data(model_, loss_, inputs, targets, options_.check_data, "evaluation data");
  const Device device = model_.device();
  const Array here = inputs.to(device), truth = targets.to(device);
  return nn::with_batch_that_fits(std::min(inputs.shape()[0], evaluation_batch), [&](std::int64_t batch) {
    return nn::Evaluator(model_, loss_, here, truth, batch, options_.precision.value_or(current_precision())).run();
  });
}

}  // namespace overtake
