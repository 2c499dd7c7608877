// SPDX-License-Identifier: MIT
// The step is planned for the null device, whose memory is a number.
#include <algorithm>
#include <utility>

#include "backend/api/details.hpp"
#include "backend/api/device.hpp"
#include "graph/node.hpp"
#include "nn/layers/initial.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "vision/need.hpp"
#include "vision/steps.hpp"

namespace overtake {

namespace {

struct StepPlan {
  nn::Summary network;
  std::int64_t part = 0;
  std::uint64_t bytes = 0;        ///< of a step
  std::uint64_t start_bytes = 0;  ///< while weights and the optimiser's state are copied, one after the other
  std::uint64_t pixel_bytes = 0;  ///< of an image that waits on the device
};

/// `limit`: of memory; 0: none.
StepPlan planned(const ImageSet& images, const ImageTrainingOptions& options, std::int64_t rows, std::uint64_t limit) {
  const Device nowhere("null");
  nowhere.set_memory_limit(0);
  const nn::Undrawn undrawn(nowhere);
  ImageTrainingOptions undrawn_options = options;
  undrawn_options.weights.clear();
  vision::Prepared prepared = vision::prepare(undrawn_options, images);
  nn::Module& network = *prepared.model.network;
  const ImageTransform& how = prepared.training;
  StepPlan plan;
  plan.network = nn::summarize(network, {1, prepared.model.channels, how.height, how.width});
  plan.pixel_bytes = sizeof(float) * static_cast<std::uint64_t>(how.height * how.width * prepared.model.channels);
  nowhere.set_memory_limit(limit);
  network.to(nowhere);
  network.train();
  const auto optimizer = vision::optimizer_of(options, network);
  nn::take_own_buffers(network, *optimizer);
  std::uint64_t state = 0, largest = 0;
  for (const Array* each : nn::step_state(network, *optimizer)) {
    const std::uint64_t bytes = each->node()->buffer->bytes();
    state += bytes;
    largest = std::max(largest, bytes);
  }
  plan.start_bytes = state + largest;
  vision::Steps steps(prepared, *optimizer, options, nowhere);
  plan.part = steps.fit(rows, 0);
  plan.bytes = steps.plan_bytes();
  return plan;
}

}  // namespace

namespace vision {

MemoryError too_large_to_train(const ImageSet& images, const ImageTrainingOptions& options, const Device& device,
                               std::uint64_t limit, const MemoryError& cause) {
  ImageTrainingOptions whole = options;
  whole.accumulate = 1;
  std::uint64_t least = 0;
  Need need = need_of([&](std::int64_t rows) {
    const StepPlan plan = planned(images, whole, rows, 0);
    least = plan.start_bytes;
    return plan.bytes + 2 * static_cast<std::uint64_t>(rows) * plan.pixel_bytes;  // two batches wait
  });
  need.least = least;
  return too_large("training " + options.model, need, std::min(options.batch_size, images.size()), device, limit,
                   cause);
}

}  // namespace vision

ImagePlan plan_images(const ImageSet& images, const ImageTrainingOptions& options, const Device& device,
                      std::uint64_t memory_limit) {
  options.check();
  const ImageParts parts = split_images(images, options.validation_share, options.seed);
  const backend::DeviceDetails details = device.impl().details();
  ImagePlan plan;
  plan.free_bytes = details.free_bytes;
  plan.host_left_bytes = host_memory_left(0);
  plan.batch = std::min(options.batch_size, parts.training.size());
  try {
    StepPlan step = planned(parts.training, options, plan.batch, memory_limit > 0 ? memory_limit : details.free_bytes);
    plan.network = std::move(step.network);
    plan.network.device = device.id();
    plan.network.convolutions = nn::convolution_library(device);
    plan.parts = (plan.batch + step.part - 1) / step.part;
    plan.step_bytes = step.bytes;
    return plan;
  } catch (const MemoryError& cause) {  // of the device that stands for it
    throw vision::too_large_to_train(parts.training, options, device, memory_limit, cause);
  }
}

}  // namespace overtake
