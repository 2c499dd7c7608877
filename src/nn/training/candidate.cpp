// SPDX-License-Identifier: MIT
#include "nn/training/candidate.hpp"

#include <bit>
#include <cmath>
#include <filesystem>
#include <utility>

#include "graph/compiled_step.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

// Rows of validation data computed at a time, at least.
constexpr std::int64_t least_validation_batch = 1024;

// Where the weights are no more than this (16 MiB), those of the last two read-backs are kept, else those of the last:
// a third copy would be most of a large network's memory.
constexpr std::int64_t most_weights_kept_twice = std::int64_t{1} << 22;

}  // namespace

Candidate::Candidate(Module& model, const Loss& loss, optim::Optimizer& optimizer, const TrainerOptions& options,
                     const TrainingData& data)
    : model_(model),
      loss_(loss),
      optimizer_(optimizer),
      options_(options),
      data_(data),
      base_rate_(optimizer.learning_rate()),
      last_rate_(base_rate_) {}

Candidate::~Candidate() {
  try {
    if (optimizer_.learning_rate() != base_rate_) optimizer_.set_learning_rate(base_rate_);
  } catch (
      const std::exception&) {  // NOLINT(bugprone-empty-catch): the device failed, which fit() is already reporting
  }
}

void Candidate::begin() {
  report_.device = model_.device().id();
  report_.parameters = model_.parameter_count();
  if (has_checkpoints()) fingerprint_ = fingerprint(model_, loss_, optimizer_, options_, data_);
  take_own_buffers();
  resume();
}

void Candidate::bind() {
  if (data_.has_validation()) {
    const std::int64_t rows = data_.validation_inputs.shape()[0];
    evaluator_.emplace(model_, loss_, data_.validation_inputs, data_.validation_targets,
                       std::min(rows, std::max(least_validation_batch, data_.batch(options_.batch_size))),
                       options_.precision.value_or(current_precision()));
  }
  bound_.emplace(model_, optimizer_);
}

void Candidate::announce() {
  if (options_.observer == nullptr) return;
  options_.observer->on_start(options_.epochs, steps_per_epoch());
  bound_->take_back();
}

void Candidate::add_steps(int epoch, std::int64_t steps) {
  report_.steps += steps;
  report_.mid_epoch = steps > 0 && steps < steps_per_epoch();
  if (steps == steps_per_epoch()) state_.epoch = epoch + 1;
}

void Candidate::interrupt(const EpochStatistics& sums) {
  report_.stop_reason = StopReason::interrupted;
  bad_steps_ = sums.bad_steps;
}

void Candidate::take_own_buffers() {
  optimizer_.zero_grad();
  for (const NamedValue& entry : model_values(model_)) {
    latest_.values.push_back(
        *entry.value);  // plans write to the copies, so this handle keeps the weights training began with
  }
  nn::take_own_buffers(model_, optimizer_);
}

void Candidate::resume() {
  if (!options_.resume || !has_checkpoints() || !std::filesystem::exists(options_.checkpoint_path)) return;
  state_ =
      read_checkpoint(options_.checkpoint_path, model_, optimizer_, options_, data_.has_validation(), fingerprint_);
  first_epoch_ = state_.epoch;
  saved_epoch_ = state_.epoch;
  report_.resumed_epoch = state_.epoch;
  latest_ = {};
  if (!has_best()) take_snapshot(latest_);
}

// Also of a checkpoint: then there is nothing left to train.
bool Candidate::is_over() const {
  return state_.divergence.has_value() || state_.epoch >= options_.epochs ||
         is_exhausted(options_.patience, state_.epoch, state_.best);
}

int Candidate::next_stop() const {
  const auto multiple = [&](std::int64_t every) { return (state_.epoch / every + 1) * every; };
  std::int64_t next = std::min<std::int64_t>(options_.epochs, multiple(options_.report_every));
  if (has_checkpoints()) next = std::min(next, multiple(options_.checkpoint_every));
  return static_cast<int>(next);
}

// The observer's code may change the rate: from there on, the schedule goes on from the new one.
void Candidate::set_rate(int epoch) {
  const float now = optimizer_.learning_rate();
  if (now != last_rate_) base_rate_ = last_rate_ > 0 ? base_rate_ * (now / last_rate_) : now;
  const double rate = options_.schedule.at(base_rate_, epoch);
  if (static_cast<float>(rate) != optimizer_.learning_rate()) optimizer_.set_learning_rate(rate);
  last_rate_ = optimizer_.learning_rate();
}

EpochRecord Candidate::read_record(const EpochStatistics& sums) {
  const auto count = static_cast<double>(data_.rows());
  bad_steps_ = sums.bad_steps;
  EpochRecord record{.epoch = state_.epoch, .learning_rate = optimizer_.learning_rate()};
  record.train_loss = sums.loss_sum / count;
  if (loss_.error_rate != ErrorRate::none) record.train_error = 1 - sums.correct / count;
  if (evaluator_ && bad_steps_ == 0) {
    const Evaluation validation = evaluator_->run();
    record.validation_loss = validation.loss;
    record.validation_error = validation.error;
  }
  return record;
}

bool Candidate::accept(const EpochStatistics& sums, double seconds, const Engine& engine) {
  const EpochRecord record = read_record(sums);
  if (bad_steps_ > 0 || !std::isfinite(record.train_loss)) {
    diverge();
    return false;
  }
  state_.history.push_back(record);
  const double loss = monitored(record, data_.has_validation());
  const bool better = improves(loss, state_.best, options_.min_delta) && (!keeps_best() || weights_are_finite());
  if (better) state_.best = {record.epoch, loss};
  keep_weights(better, record.epoch >= options_.epochs);
  // The last checkpoint is finish()'s, which knows how training ended.
  if (has_checkpoints() && record.epoch % options_.checkpoint_every == 0 && !is_over()) save_checkpoint({});
  if (options_.observer == nullptr) return true;
  const double per_epoch = seconds / (record.epoch - first_epoch_);
  EpochEvent event;
  event.done = record.epoch;
  event.total = options_.epochs;
  event.seconds = seconds;
  event.seconds_left = per_epoch * (options_.epochs - record.epoch);
  event.record = record;
  event.best = better;
  options_.observer->on_epoch(event);
  take_back(engine);
  return true;
}

// What the observer assigned is trained on. What it changed besides (numbers in the module, flags) shows when the step
// is traced again, which takes time: after the first epochs, then ever more seldom.
void Candidate::take_back(const Engine& engine) {
  bound_->take_back();
  if (std::has_single_bit(static_cast<unsigned>(++looks_))) engine.require_unchanged();
}

void Candidate::keep_weights(bool better, bool last) {
  if (better && keeps_best()) {
    latest_ = {};
    state_.previous = {};
    return take_snapshot(state_.kept);
  }
  if (has_best()) return;
  if (model_.parameter_count() <= most_weights_kept_twice) state_.previous = std::exchange(latest_, {});
  if (!last) take_snapshot(latest_);
}

void Candidate::save_checkpoint(std::optional<StopReason> ended) {
  state_.ended = ended;
  write_checkpoint(options_.checkpoint_path, model_, optimizer_, state_, fingerprint_);
  saved_epoch_ = state_.epoch;
}

void Candidate::take_snapshot(Snapshot& copy) {
  const std::vector<NamedValue> entries = model_values(model_);
  copy.epoch = state_.epoch;
  copy.values.resize(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    copy.values[i] = Array();  // its memory first: there need be no room for old and new copies at once
    copy.values[i] = graph::copy_of(*entries[i].value);
  }
}

}  // namespace overtake::nn
