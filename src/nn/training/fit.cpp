// SPDX-License-Identifier: MIT
#include "nn/training/fit.hpp"

#include <algorithm>
#include <utility>

#include "core/clock.hpp"
#include "core/philox.hpp"
#include "nn/training/mode_guard.hpp"

namespace overtake::nn {
namespace {

// The stream of the row orders; far from those of the layers.
constexpr std::uint32_t order_stream = 0x4000'0000U;

// Row orders of several epochs go up together while they are not more indices than this (16 MiB).
constexpr std::int64_t most_staged_rows = std::int64_t{1} << 22;

}  // namespace

Fit::Fit(Module& model, const Loss& loss, optim::Optimizer& optimizer, const TrainerOptions& options, TrainingData data)
    : device_(model.device()),
      loss_(loss),
      options_(options),
      data_(std::move(data)),
      candidate_(model, loss, optimizer, options, data_) {}

FitReport Fit::run() {
  const ModeGuard mode(candidate_.parts().model, true);
  candidate_.begin();
  transfer();
  compile();
  train();
  engine_.reset();  // the plans' memory: what follows needs less than training did
  return candidate_.finish();
}

void Fit::transfer() {
  const auto start = Clock::now();
  for (Array* array : {&data_.inputs, &data_.targets, &data_.validation_inputs, &data_.validation_targets}) {
    if (array->defined()) *array = array->to(device_);
  }
  device_.synchronize();
  candidate_.report().seconds.transfer += seconds_since(start);
}

void Fit::compile() {
  const auto start = Clock::now();
  const int period = std::min(options_.report_every, std::max(1, options_.epochs));
  const std::int64_t at_once = std::clamp<std::int64_t>(most_staged_rows / data_.rows(), 1, period);
  engine_ = make_engine(options_.engine, {.candidates = {candidate_.parts()},
                                          .loss = loss_,
                                          .inputs = data_.inputs,
                                          .targets = data_.targets,
                                          .batch = data_.batch(options_.batch_size),
                                          .epochs_at_once = static_cast<int>(at_once),
                                          .clip_grad_norm = options_.clip_grad_norm,
                                          .precision = options_.precision.value_or(current_precision()),
                                          .accumulate = options_.accumulate});
  candidate_.bind();
  FitReport& report = candidate_.report();
  report.seconds.compile = seconds_since(start);
  const EngineStats stats = engine_->stats();
  report.engine = engine_->name();
  report.launches_per_step = stats.launches_per_step;
  report.plan_bytes = stats.bytes;
}

void Fit::train() {
  const auto before_orders = Clock::now();
  if (!candidate_.is_over()) stage_orders(candidate_.epoch(), candidate_.next_stop() - candidate_.epoch());
  device_.synchronize();
  candidate_.report().seconds.transfer += seconds_since(before_orders);
  candidate_.announce();
  const auto start = Clock::now();
  while (!candidate_.is_over()) {
    const bool stops = options_.stop != nullptr && options_.stop->requested();
    if (stops || !run_until(candidate_.next_stop())) {
      candidate_.interrupt(engine_->read_statistics().front());
      break;
    }
    if (!candidate_.accept(engine_->read_statistics().front(), seconds_since(start), *engine_)) break;
  }
  device_.synchronize();
  candidate_.report().seconds.compute = seconds_since(start);
}

bool Fit::run_until(int target) {
  const std::int64_t steps_per_epoch = data_.steps_per_epoch(options_.batch_size);
  const int first = candidate_.epoch();
  for (int epoch = first; epoch < target; ++epoch) {
    if (epoch < staged_epoch_ || epoch >= staged_epoch_ + staged_count_) stage_orders(epoch, target - epoch);
    // The figures are those of the last epoch alone.
    if (epoch == target - 1 && target - first > 1) engine_->reset_statistics();
    candidate_.set_rate(epoch);
    const std::int64_t steps = engine_->run_epoch(options_.stop);
    candidate_.add_steps(epoch, steps);
    if (steps < steps_per_epoch) return false;
  }
  return true;
}

void Fit::stage_orders(int epoch, int count) {
  count = std::min(count, engine_->epochs_at_once());
  const auto row_count = static_cast<std::int32_t>(data_.rows());
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

}  // namespace overtake::nn
