// SPDX-License-Identifier: MIT
#include "vision/steps.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "graph/node.hpp"
#include "graph/primitives/layout.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/nn/loss.hpp"
#include "overtake/ops.hpp"

namespace overtake::vision {
namespace {

using Clock = std::chrono::steady_clock;

Array zero(const Device& device) { return graph::copy_of(zeros(Shape{}, device)); }

// The classes' probabilities are taken in float32, whatever the network computes in.
Array logits_of(nn::Module& network, const Array& images) { return astype(network.forward(images), DType::float32); }

}  // namespace

Steps::Steps(Prepared& prepared, optim::Optimizer& optimizer, const ImageTrainingOptions& options, const Device& device)
    : prepared_(prepared),
      network_(*prepared.model.network),
      optimizer_(optimizer),
      options_(options),
      device_(device),
      loss_(zero(device)),
      wrong_(zero(device)) {}

void Steps::train(const ImageBatch& batch) { run(plan_for(batch.size(), true), batch); }
void Steps::judge(const ImageBatch& batch) { run(plan_for(batch.size(), false), batch); }

void Steps::run(BatchPlan& plan, const ImageBatch& batch) {
  batch.write_inputs(*plan.inputs.node()->buffer);
  graph::overwrite(plan.labels, std::span<const std::int32_t>(batch.labels));
  plan.step->run();
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

void Steps::step(const Array& images, const Array& labels) {
  const PrecisionScope precision(options_.precision);
  const Array logits = logits_of(network_, images);
  const Array loss = nn::cross_entropy(logits, labels, {.label_smoothing = options_.label_smoothing});
  nn::learn(network_, optimizer_, loss, options_.clip_grad_norm);
  add_to_sums(logits, labels, loss);
}

void Steps::add_to_sums(const Array& logits, const Array& labels, const Array& loss) {
  const auto rows = static_cast<float>(labels.size());
  loss_ = loss_ + reshape(loss, {}) * rows;
  wrong_ = wrong_ + sum(astype(not_equal(argmax(logits, -1), labels), DType::float32));
}

// Made when the first batch of that size comes: the last one of an epoch may be smaller.
Steps::BatchPlan& Steps::plan_for(std::int64_t rows, bool trains) {
  const auto found = plans_.find({rows, trains});
  if (found != plans_.end()) return found->second;
  const auto start = Clock::now();
  BatchPlan plan = planned(rows, trains);
  compile_seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
  if (trains) {
    plan_bytes_ = std::max(plan_bytes_, plan.step->bytes());
    launches_ = std::max(launches_, plan.step->stats().launches);
  }
  return plans_.try_emplace({rows, trains}, std::move(plan)).first->second;
}

Steps::BatchPlan Steps::planned(std::int64_t rows, bool trains) {
  const ImageTransform& how = trains ? prepared_.training : prepared_.model.transform;
  BatchPlan plan{graph::copy_of(zeros(Shape{rows, how.height, how.width, prepared_.model.channels}, device_)),
                 graph::copy_of(astype(zeros(Shape{rows}, device_), DType::int32)),
                 {}};
  std::vector<Array*> state = {&loss_, &wrong_};
  std::vector<Array> changing = {plan.inputs, plan.labels};
  for (Array* each : nn::step_state(network_, optimizer_)) {
    if (trains) {
      state.push_back(each);
    } else {
      changing.push_back(*each);  // other plans reassign it
    }
  }
  // The body is called here alone, so that it may refer to what moves away then.
  plan.step.emplace(
      state,
      [&, this] {
        const Array images = graph::channels_first(plan.inputs);
        if (trains) {
          step(images, plan.labels);
        } else {
          const PrecisionScope precision(options_.precision);
          const Array logits = logits_of(network_, images);
          add_to_sums(logits, plan.labels, nn::cross_entropy(logits, plan.labels));
        }
        return std::vector<Array>();
      },
      true, changing);
  return plan;
}

}  // namespace overtake::vision
