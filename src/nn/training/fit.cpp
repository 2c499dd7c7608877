// SPDX-License-Identifier: MIT
#include "nn/training/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <utility>

#include "core/philox.hpp"
#include "graph/compiled_step.hpp"
#include "nn/training/mode_guard.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

// The stream of the row orders; far from those of the layers.
constexpr std::uint32_t order_stream = 0x4000'0000U;

// Row orders of several epochs go up together while they are not more indices than this (16 MiB).
constexpr std::int64_t most_staged_rows = std::int64_t{1} << 22;

// Rows of validation data computed at a time, at least.
constexpr std::int64_t least_validation_batch = 1024;

// Where the weights are no more than this (16 MiB), those of the last two read-backs are kept, else those of the last:
// a third copy would be most of a large network's memory.
constexpr std::int64_t most_weights_kept_twice = std::int64_t{1} << 22;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Fit::Fit(Module& model, const Loss& loss, optim::Optimizer& optimizer, const TrainerOptions& options, TrainingData data)
    : model_(model),
      loss_(loss),
      optimizer_(optimizer),
      options_(options),
      data_(std::move(data)),
      base_rate_(optimizer.learning_rate()),
      last_rate_(base_rate_) {}

Fit::~Fit() {
  try {
    if (optimizer_.learning_rate() != base_rate_) optimizer_.set_learning_rate(base_rate_);
  } catch (
      const std::exception&) {  // NOLINT(bugprone-empty-catch): the device failed, which fit() is already reporting
  }
}

FitReport Fit::run() {
  const ModeGuard mode(model_, true);
  report_.device = model_.device().id();
  report_.parameters = model_.parameter_count();
  if (!options_.checkpoint_path.empty()) fingerprint_ = fingerprint(model_, loss_, optimizer_, options_, data_);
  take_own_buffers();
  resume();
  transfer();
  compile();
  train();
  finish();
  return std::move(report_);
}

void Fit::take_own_buffers() {
  optimizer_.zero_grad();
  for (const NamedValue& entry : model_values(model_)) {
    latest_.values.push_back(
        *entry.value);  // plans write to the copies, so this handle keeps the weights training began with
    const bool learnt = std::as_const(*entry.value).requires_grad();
    *entry.value = graph::copy_of(*entry.value);
    if (learnt) entry.value->requires_grad(true);
  }
  for (const NamedValue& entry : optimizer_.state()) *entry.value = graph::copy_of(*entry.value);
}

void Fit::resume() {
  if (!options_.resume || !has_checkpoints() || !std::filesystem::exists(options_.checkpoint_path)) return;
  progress_ =
      read_checkpoint(options_.checkpoint_path, model_, optimizer_, options_, data_.has_validation(), fingerprint_);
  first_epoch_ = progress_.epoch;
  saved_epoch_ = progress_.epoch;
  report_.resumed_epoch = progress_.epoch;
  latest_ = {};
  if (!has_best()) take_snapshot(latest_);
}

// Also of a checkpoint: then there is nothing left to train.
bool Fit::is_over() const {
  return progress_.divergence.has_value() || progress_.epoch >= options_.epochs ||
         is_exhausted(options_.patience, progress_.epoch, progress_.best);
}

void Fit::transfer() {
  const auto start = Clock::now();
  const Device device = model_.device();
  for (Array* array : {&data_.inputs, &data_.targets, &data_.validation_inputs, &data_.validation_targets}) {
    if (array->defined()) *array = array->to(device);
  }
  device.synchronize();
  report_.seconds.transfer += seconds_since(start);
}

void Fit::compile() {
  const auto start = Clock::now();
  const int period = std::min(options_.report_every, std::max(1, options_.epochs));
  const std::int64_t at_once = std::clamp<std::int64_t>(most_staged_rows / rows(), 1, period);
  engine_ = make_engine(options_.engine,
                        {model_, loss_, optimizer_, data_.inputs, data_.targets, batch(), static_cast<int>(at_once)});
  if (data_.has_validation()) {
    const std::int64_t validation_rows = data_.validation_inputs.shape()[0];
    evaluator_.emplace(model_, loss_, data_.validation_inputs, data_.validation_targets,
                       std::min(validation_rows, std::max(least_validation_batch, batch())));
  }
  bound_.emplace(model_, optimizer_);
  report_.seconds.compile = seconds_since(start);
  const EngineStats stats = engine_->stats();
  report_.engine = engine_->name();
  report_.launches_per_step = stats.launches_per_step;
  report_.plan_bytes = stats.bytes;
}

void Fit::train() {
  const auto before_orders = Clock::now();
  if (!is_over()) stage_orders(progress_.epoch, next_stop() - progress_.epoch);
  model_.device().synchronize();
  report_.seconds.transfer += seconds_since(before_orders);
  if (options_.observer != nullptr) {
    options_.observer->on_start(options_.epochs, steps_per_epoch());
    bound_->take_back();
  }
  start_ = Clock::now();
  while (!is_over()) {
    if (has_stop_request() || !run_until(next_stop())) {
      report_.stop_reason = StopReason::interrupted;
      bad_steps_ = engine_->read_statistics().bad_steps;
      break;
    }
    const EpochRecord record = read_record();
    if (bad_steps_ > 0 || !std::isfinite(record.train_loss)) {
      diverge();
      break;
    }
    accept(record);
  }
  model_.device().synchronize();
  report_.seconds.compute = seconds_since(start_);
}

int Fit::next_stop() const {
  const auto multiple = [&](std::int64_t every) { return (progress_.epoch / every + 1) * every; };
  std::int64_t next = std::min<std::int64_t>(options_.epochs, multiple(options_.report_every));
  if (has_checkpoints()) next = std::min(next, multiple(options_.checkpoint_every));
  return static_cast<int>(next);
}

bool Fit::run_until(int target) {
  const int first = progress_.epoch;
  for (int epoch = first; epoch < target; ++epoch) {
    if (epoch < staged_epoch_ || epoch >= staged_epoch_ + staged_count_) stage_orders(epoch, target - epoch);
    // The figures are those of the last epoch alone.
    if (epoch == target - 1 && target - first > 1) engine_->reset_statistics();
    set_rate(epoch);
    const std::int64_t steps = engine_->run_epoch(options_.stop);
    report_.steps += steps;
    report_.mid_epoch = steps > 0 && steps < steps_per_epoch();
    if (steps < steps_per_epoch()) return false;
    progress_.epoch = epoch + 1;
  }
  return true;
}

void Fit::stage_orders(int epoch, int count) {
  count = std::min(count, engine_->epochs_at_once());
  const auto row_count = static_cast<std::int32_t>(rows());
  const bool keeps = !options_.shuffle && staged_count_ > 0;
  staged_epoch_ = epoch;
  if (keeps) {  // every epoch has the same order
    staged_count_ = engine_->epochs_at_once();
    return engine_->rewind_orders();
  }
  if (!options_.shuffle) count = engine_->epochs_at_once();
  std::vector<std::int32_t> orders;
  orders.reserve(static_cast<std::size_t>(count) * static_cast<std::size_t>(row_count));
  for (int i = 0; i < count; ++i) {
    if (options_.shuffle) {
      const std::vector<std::int32_t> order =
          philox::permutation(row_count, options_.seed, order_stream, static_cast<std::uint32_t>(epoch + i));
      orders.insert(orders.end(), order.begin(), order.end());
    } else {
      for (std::int32_t row = 0; row < row_count; ++row) orders.push_back(row);
    }
  }
  staged_count_ = count;
  engine_->set_orders(orders);
}

// The observer's code may change the rate: from there on, the schedule goes on from the new one.
void Fit::set_rate(int epoch) {
  const float now = optimizer_.learning_rate();
  if (now != last_rate_) base_rate_ = last_rate_ > 0 ? base_rate_ * (now / last_rate_) : now;
  const double rate = options_.schedule.at(base_rate_, epoch);
  if (static_cast<float>(rate) != optimizer_.learning_rate()) optimizer_.set_learning_rate(rate);
  last_rate_ = optimizer_.learning_rate();
}

EpochRecord Fit::read_record() {
  const EpochStatistics sums = engine_->read_statistics();
  const auto count = static_cast<double>(rows());
  bad_steps_ = sums.bad_steps;
  EpochRecord record{.epoch = progress_.epoch, .learning_rate = optimizer_.learning_rate()};
  record.train_loss = sums.loss_sum / count;
  if (loss_.metric != Metric::none) record.train_error = 1 - sums.correct / count;
  if (evaluator_ && bad_steps_ == 0) {
    const Evaluation validation = evaluator_->run();
    record.validation_loss = validation.loss;
    record.validation_error = validation.error;
  }
  return record;
}

void Fit::accept(const EpochRecord& record) {
  progress_.history.push_back(record);
  const double loss = monitored(record, data_.has_validation());
  const bool better = improves(loss, progress_.best, options_.min_delta) && (!keeps_best() || weights_are_finite());
  if (better) progress_.best = {record.epoch, loss};
  keep_weights(better, record.epoch >= options_.epochs);
  // The last checkpoint is finish()'s, which knows how training ended.
  if (has_checkpoints() && record.epoch % options_.checkpoint_every == 0 && !is_over()) save_checkpoint({});
  if (options_.observer == nullptr) return;
  const double spent = seconds_since(start_);
  const double per_epoch = spent / (record.epoch - first_epoch_);
  options_.observer->on_epoch({.record = record,
                               .epochs = options_.epochs,
                               .best = better,
                               .seconds_spent = spent,
                               .seconds_left = per_epoch * (options_.epochs - record.epoch)});
  take_back();
}

// What the observer assigned is trained on. What it changed besides (numbers in the module, flags) shows when the step
// is traced again, which takes time: after the first epochs, then ever more seldom.
void Fit::take_back() {
  bound_->take_back();
  if (std::has_single_bit(static_cast<unsigned>(++looks_))) engine_->require_unchanged();
}

void Fit::keep_weights(bool better, bool last) {
  if (better && keeps_best()) {
    latest_ = {};
    progress_.previous = {};
    return take_snapshot(progress_.kept);
  }
  if (has_best()) return;
  if (model_.parameter_count() <= most_weights_kept_twice) progress_.previous = std::exchange(latest_, {});
  if (!last) take_snapshot(latest_);
}

void Fit::save_checkpoint(std::optional<StopReason> ended) {
  progress_.ended = ended;
  write_checkpoint(options_.checkpoint_path, model_, optimizer_, progress_, fingerprint_);
  saved_epoch_ = progress_.epoch;
}

void Fit::take_snapshot(Snapshot& copy) {
  const std::vector<NamedValue> entries = model_values(model_);
  copy.epoch = progress_.epoch;
  copy.values.resize(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    copy.values[i] = Array();  // its memory first: there need be no room for old and new copies at once
    copy.values[i] = graph::copy_of(*entries[i].value);
  }
}

}  // namespace overtake::nn
