// SPDX-License-Identifier: MIT
#include "vision/steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "core/clock.hpp"
#include "graph/node.hpp"
#include "graph/primitives/layout.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/memory.hpp"
#include "overtake/nn/loss.hpp"
#include "overtake/ops.hpp"

namespace overtake::vision {
namespace {

Array zero(const Device& device) { return graph::copy_of(zeros(Shape{}, device)); }

}  // namespace

Steps::Steps(Prepared& prepared, optim::Optimizer& optimizer, const ImageTrainingOptions& options, const Device& device)
    : prepared_(prepared),
      network_(*prepared.model.network),
      optimizer_(optimizer),
      options_(options),
      device_(device),
      loss_(zero(device)),
      wrong_(zero(device)),
      share_(zero(device)) {}

std::int64_t Steps::fit(std::int64_t rows, std::int64_t most) {
  const auto in_parts = [rows](std::int64_t parts) { return (rows + parts - 1) / parts; };
  part_rows_ = in_parts(std::min<std::int64_t>(options_.accumulate, rows));
  if (most > 0) part_rows_ = std::min(part_rows_, most);
  const ImageTransform& how = prepared_.training;
  const auto image_bytes = sizeof(float) * static_cast<std::size_t>(how.height * how.width * prepared_.model.channels);
  while (true) {
    try {
      // The loader keeps two batches of pixels on the device beside the plan; about these.
      const auto room = device_.impl().allocate(2 * image_bytes * static_cast<std::size_t>(rows));
      if (part_rows_ < rows && !apply_) plan_parts();
      plan_for(part_rows_, apply_ ? Work::add : Work::learn);
      return part_rows_;
    } catch (const MemoryError&) {
      if (part_rows_ == 1) throw;
    }
    part_rows_ = in_parts(in_parts((part_rows_ + 1) / 2));  // parts of one size, as far as it goes
  }
}

void Steps::train(const ImageBatch& batch) {
  run(apply_ ? Work::add : Work::learn, batch);
  if (apply_) apply_->run();
}

void Steps::judge(const ImageBatch& batch) { run(Work::judge, batch); }

void Steps::run(Work work, const ImageBatch& batch) {
  for (std::int64_t first = 0; first < batch.size(); first += part_rows_) {
    const std::int64_t rows = std::min(part_rows_, batch.size() - first);
    BatchPlan& plan = plan_for(rows, work);
    batch.write_inputs(*plan.inputs.node()->buffer, first, rows);
    const std::span<const std::int32_t> labels(batch.labels);
    graph::overwrite(plan.labels, labels.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows)));
    if (work == Work::add) {
      graph::overwrite(share_, std::array{static_cast<float>(rows) / static_cast<float>(batch.size())});
    }
    plan.step->run();
  }
}

RowSums Steps::take_sums() {
  const RowSums sums{loss_.item<float>(), wrong_.item<float>()};
  set_sums({});
  return sums;
}

void Steps::set_sums(const RowSums& sums) {
  graph::overwrite(loss_, std::array{static_cast<float>(sums.loss)});
  graph::overwrite(wrong_, std::array{static_cast<float>(sums.wrong)});
}

std::vector<Array> Steps::changed_arrays() {
  std::vector<Array> arrays = {loss_, wrong_};
  for (const Array* each : nn::step_state(network_, optimizer_)) arrays.push_back(*each);
  return arrays;
}

void Steps::compute(Work work, const Array& images, const Array& labels) {
  const Array logits = nn::output_of(network_, images, options_.precision);
  const double smoothing = work == Work::judge ? 0 : options_.label_smoothing;
  const Array loss = nn::cross_entropy(logits, labels, {.label_smoothing = smoothing});
  if (work == Work::learn) nn::learn(network_, optimizer_, loss, options_.clip_grad_norm);
  if (work == Work::add) {
    optimizer_.zero_grad();
    (reshape(loss, {}) * share_).backward();
    auto sum_of = gradients_.begin();
    for (nn::Parameter* parameter : optimizer_.parameters()) {
      *sum_of = *sum_of + parameter->value.grad();
      ++sum_of;
    }
    optimizer_.zero_grad();  // they would keep the traced graph alive
  }
  loss_ = loss_ + reshape(loss, {}) * static_cast<float>(labels.size());
  wrong_ = wrong_ + sum(astype(not_equal(argmax(logits, -1), labels), DType::float32));
}

void Steps::plan_parts() {
  plans_.clear();
  gradients_.clear();
  std::vector<Array*> state = nn::step_state(network_, optimizer_);
  for (nn::Parameter* parameter : optimizer_.parameters()) {
    gradients_.push_back(graph::copy_of(zeros(parameter->value.shape(), device_)));
  }
  for (Array& gradient : gradients_) state.push_back(&gradient);
  apply_.emplace(state, [this] {
    auto sum_of = gradients_.begin();
    for (nn::Parameter* parameter : optimizer_.parameters()) {
      parameter->value.set_grad(*sum_of);
      *sum_of = zeros(sum_of->shape(), device_);
      ++sum_of;
    }
    nn::update(network_, optimizer_, options_.clip_grad_norm);
    return std::vector<Array>();
  });
}

// Made when the first batch of that size comes: the last one of an epoch may be smaller.
Steps::BatchPlan& Steps::plan_for(std::int64_t rows, Work work) {
  const auto found = plans_.find({rows, work});
  if (found != plans_.end()) return found->second;
  const auto start = Clock::now();
  std::optional<BatchPlan> plan;
  try {
    plan = planned(rows, work);
  } catch (const MemoryError&) {
    if (plans_.empty()) throw;
  }
  if (!plan) {
    plans_.clear();  // they are made again when they are needed
    plan = planned(rows, work);
  }
  compile_seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
  if (work != Work::judge) {
    const std::int64_t parts = apply_ ? (options_.batch_size + rows - 1) / rows : 1;
    const int applying = apply_ ? apply_->stats().launches : 0;
    plan_bytes_ = std::max(plan_bytes_, plan->step->bytes());
    if (launches_ == 0) launches_ = static_cast<int>(parts) * plan->step->stats().launches + applying;
  }
  return plans_.try_emplace({rows, work}, std::move(*plan)).first->second;
}

// What a plan reassigns, and what it only reads and others reassign.
void Steps::list_state(Work work, std::vector<Array*>& state, std::vector<Array>& changing) {
  if (work == Work::learn) {
    for (Array* each : nn::step_state(network_, optimizer_)) state.push_back(each);
    return;
  }
  for (nn::Parameter* parameter : optimizer_.parameters()) changing.push_back(parameter->value);
  if (work == Work::add) {
    for (Array& gradient : gradients_) state.push_back(&gradient);
  }
  for (const nn::NamedValue& buffer : network_.buffers()) {
    if (work == Work::add) state.push_back(buffer.value);
    if (work == Work::judge) changing.push_back(*buffer.value);
  }
}

Steps::BatchPlan Steps::planned(std::int64_t rows, Work work) {
  const ImageTransform& how = work == Work::judge ? prepared_.model.transform : prepared_.training;
  BatchPlan plan{graph::copy_of(zeros(Shape{rows, how.height, how.width, prepared_.model.channels}, device_)),
                 graph::copy_of(astype(zeros(Shape{rows}, device_), DType::int32)),
                 {}};
  std::vector<Array*> state = {&loss_, &wrong_};
  std::vector<Array> changing = {plan.inputs, plan.labels, share_};
  list_state(work, state, changing);
  // The body is called here alone, so that it may refer to what moves away then.
  plan.step.emplace(
      state,
      [&, this] {
        compute(work, graph::channels_first(plan.inputs), plan.labels);
        return std::vector<Array>();
      },
      true, changing);
  return plan;
}

}  // namespace overtake::vision
