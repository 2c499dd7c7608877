// SPDX-License-Identifier: MIT
// The step is planned for the null device, whose memory is a number.
#include <algorithm>
#include <string>
#include <string_view>

#include "backend/api/details.hpp"
#include "backend/api/device.hpp"
#include "nn/layers/initial.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "vision/steps.hpp"

namespace overtake {

namespace {

ImagePlan planned(const ImageSet& images, const ImageTrainingOptions& options, const Device& device,
                  std::uint64_t memory_limit) {
  const nn::Undrawn undrawn;
  ImageTrainingOptions undrawn_options = options;
  undrawn_options.weights.clear();
  vision::Prepared prepared = vision::prepare(undrawn_options, images);
  nn::Module& network = *prepared.model.network;
  const ImageTransform& how = prepared.training;
  ImagePlan plan;
  plan.layers = nn::summarize(network, {1, prepared.model.channels, how.height, how.width});
  const backend::DeviceDetails details = device.impl().details();
  plan.convolutions = details.convolutions;
  plan.free_bytes = details.free_bytes;
  plan.host_left_bytes = host_memory_left(0);
  const Device nowhere("null");
  nowhere.set_memory_limit(memory_limit > 0 ? memory_limit : details.free_bytes);
  network.to(nowhere);
  network.train();
  const auto optimizer = vision::optimizer_of(options, network);
  nn::take_own_buffers(network, *optimizer);
  vision::Steps steps(prepared, *optimizer, options, nowhere);
  plan.batch = std::min(options.batch_size, images.size());
  const std::int64_t part = steps.fit(plan.batch, 0);
  plan.parts = (plan.batch + part - 1) / part;
  plan.step_bytes = steps.plan_bytes();
  return plan;
}

}  // namespace

ImagePlan plan_images(const ImageSet& images, const ImageTrainingOptions& options, const Device& device,
                      std::uint64_t memory_limit) {
  options.check();
  try {
    const ImageParts parts = split_images(images, options.validation_share, options.seed);
    return planned(parts.training, options, device, memory_limit);
  } catch (const MemoryError& error) {  // of the device that stands for it
    constexpr std::string_view stand_in = "null: ";
    std::string message = error.what();
    const std::size_t at = message.find(stand_in);
    if (at != std::string::npos) message.replace(at, stand_in.size(), device.id() + ": ");
    throw MemoryError(message,
                      error.hint().empty() ? "Raise --memory-limit, or take a smaller network." : error.hint());
  }
}

}  // namespace overtake
