// SPDX-License-Identifier: MIT
// How a training ends: which weights the model keeps, what they are worth, and what the report says.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "graph/node.hpp"
#include "nn/training/batches_that_fit.hpp"
#include "nn/training/candidate.hpp"
#include "nn/training/evaluator.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
FitReport Candidate::finish() {
  evaluator_.reset();
  report_.weights_epoch = state_.epoch;
  if (report_.stop_reason == StopReason::finished && state_.epoch < options_.epochs) {
    report_.stop_reason = StopReason::early_stopped;
  }
  if (state_.divergence) {  // of the checkpoint: nothing was trained
    report_.stop_reason = StopReason::diverged;
    report_.first_bad_step = state_.divergence->first_bad_step;
    report_.weights_epoch = state_.divergence->weights_epoch;
    report_.message = state_.divergence->message;
    (void)measure();
  } else {
    choose_weights();
  }
  report_.epochs = state_.history;
  report_.epochs_run = state_.epoch;
  report_.best_epoch = state_.best.epoch;
  return std::move(report_);
}

void Candidate::choose_weights() {
  if (report_.stop_reason == StopReason::diverged) return end_diverged();
  if (has_best()) {
    save_end();
    restore(state_.kept);
    if (options_.check_result) (void)measure();
    report_.message = ending();
    return;
  }
  const bool good = bad_steps_ == 0 && (!options_.check_result || measure());
  if (!good && report_.stop_reason != StopReason::interrupted) {
    diverge();
    return end_diverged();
  }
  save_end();
  report_.message = ending();
  // The file keeps what was reached: resumed, training diverges as it would have without the interrupt.
  if (!good) report_.message += " The loss had become NaN or infinite." + fall_back();
}

void Candidate::end_diverged() {
  report_.message += fall_back();
  state_.divergence = Divergence{report_.first_bad_step, report_.message, report_.weights_epoch};
  state_.previous = {};
  if (has_checkpoints()) save_checkpoint(StopReason::diverged);
}

void Candidate::save_end() {
  const bool recorded = !state_.history.empty() && state_.history.back().epoch == state_.epoch;
  if (!has_checkpoints() || !recorded || report_.mid_epoch || saved_epoch_ == state_.epoch) return;
  save_checkpoint(report_.stop_reason);
}

std::string Candidate::ending() const {
  const std::string kept =
      has_best() ? fmt::format(" The weights are those after epoch {}.", report_.weights_epoch) : "";
  switch (report_.stop_reason) {
    case StopReason::early_stopped:
      return fmt::format("Stopped after epoch {}: no better loss for {} epochs.{}", state_.epoch,
                         state_.epoch - state_.best.epoch, kept);
    case StopReason::interrupted: return fmt::format("Interrupted after {} complete epochs.{}", state_.epoch, kept);
    case StopReason::finished:
    case StopReason::diverged: break;
  }
  return fmt::format("Finished {} epochs.{}", state_.epoch, kept);
}

void Candidate::diverge() {
  report_.stop_reason = StopReason::diverged;
  // Without a bad lane it is the sum that overflowed, or the weights after the last step that are at fault.
  const std::int64_t step = total_steps() - std::max<std::int64_t>(bad_steps_, 1) + 1;
  report_.first_bad_step = std::max<std::int64_t>(step, 1);
  std::string cause = fmt::format("The learning rate {} is most likely too high.", optimizer_.learning_rate());
  if (bad_steps_ > 0 && step == 1) {
    cause = "It was so before any update: data or weights hold NaN, or values that are too large.";
  } else if (!options_.check_data) {
    cause += " Or the data holds NaN: it was not checked (check_data).";
  }
  report_.message =
      fmt::format("The loss became NaN or infinite {} step {} (epoch {}). {}", bad_steps_ > 0 ? "at" : "after",
                  report_.first_bad_step, (report_.first_bad_step - 1) / steps_per_epoch() + 1, cause);
}

std::string Candidate::fall_back() {
  bool good = has_best();
  if (good) {
    restore(state_.kept);
    (void)measure();
  }
  for (const Snapshot* snapshot : {&latest_, &state_.previous}) {
    if (good || snapshot->values.empty()) continue;
    restore(*snapshot);
    good = measure();
  }
  const std::string which = report_.weights_epoch > 0 ? fmt::format("after epoch {}", report_.weights_epoch)
                                                      : std::string("before the first epoch");
  return good ? fmt::format(" The weights are those {}.", which)
              : fmt::format(" No weights with a finite loss are known; they are those {}.", which);
}

void Candidate::restore(const Snapshot& snapshot) {
  const std::vector<NamedValue> entries = model_values(model_);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const bool learnt = std::as_const(*entries[i].value).requires_grad();
    const bool frozen = entries[i].value->node()->frozen;
    *entries[i].value = snapshot.values[i];
    entries[i].value->node()->frozen = frozen;
    if (learnt) entries[i].value->requires_grad(true);
  }
  report_.weights_epoch = snapshot.epoch;
  report_.mid_epoch = false;
}

bool Candidate::weights_are_finite() {
  Array sum_of_differences = zeros(Shape{}, model_.device());
  for (const NamedValue& entry : model_values(model_)) {
    if (entry.value->dtype() != DType::float32) continue;
    const Array value = std::as_const(*entry.value).detach();
    // x - x is 0 for every finite x and NaN for the others.
    sum_of_differences = sum_of_differences + sum(value - value);
  }
  return sum_of_differences.item() == 0;
}

bool Candidate::measure() {
  const auto evaluate = [&](const Array& inputs, const Array& targets) {
    const std::int64_t most = std::max(judged_rows, data_.batch(options_.batch_size));
    return with_batch_that_fits(std::min(inputs.shape()[0], most), [&](std::int64_t batch) {
      return Evaluator(model_, loss_, inputs, targets, batch, options_.precision.value_or(current_precision())).run();
    });
  };
  report_.training = evaluate(data_.inputs, data_.targets);
  if (data_.has_validation()) report_.validation = evaluate(data_.validation_inputs, data_.validation_targets);
  return std::isfinite(report_.training.loss) && weights_are_finite();
}

}  // namespace overtake::nn
