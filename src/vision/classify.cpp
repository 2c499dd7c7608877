// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "backend/api/device.hpp"
#include "graph/primitives/layout.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "overtake/ops.hpp"
#include "vision/need.hpp"
#include "vision/network.hpp"

namespace overtake {
namespace {

std::vector<ImageAnswer> likeliest(std::span<const float> probabilities, std::size_t top) {
  std::vector<std::int32_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  const auto at = [&](std::int32_t label) { return probabilities[static_cast<std::size_t>(label)]; };
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return at(a) > at(b); });
  std::vector<ImageAnswer> answers;
  for (std::size_t i = 0; i < std::min(top, order.size()); ++i) answers.push_back({order[i], at(order[i])});
  return answers;
}

std::vector<std::vector<ImageAnswer>> answers_of(ImageModel& model, const ImageSet& images, std::int64_t top,
                                                 const ImageLoaderOptions& options, const Device& device,
                                                 Precision precision, std::vector<std::string>* skipped) {
  ImageLoader loader(images, options, device);
  loader.begin_epoch(0);
  std::vector<std::vector<ImageAnswer>> answers(static_cast<std::size_t>(images.size()));
  while (const std::optional<ImageBatch> batch = loader.next()) {
    const Array logits = nn::output_of(*model.network, graph::channels_first(batch->inputs()), precision);
    const std::vector<float> values = softmax(logits).to_vector<float>();
    const std::size_t classes = values.size() / batch->images.size();
    for (std::size_t i = 0; i < batch->images.size(); ++i) {
      answers[static_cast<std::size_t>(batch->images[i])] =
          likeliest(std::span(values).subspan(i * classes, classes), static_cast<std::size_t>(top));
    }
  }
  if (skipped != nullptr) *skipped = loader.skipped();
  return answers;
}

}  // namespace

std::vector<std::vector<ImageAnswer>> classify(ImageModel& model, const ImageSet& images, std::int64_t top,
                                               const ImageLoaderOptions& reading, const Device& device,
                                               Precision precision, std::vector<std::string>* skipped) {
  if (top < 1) throw UsageError(fmt::format("top {} must be at least 1", top));
  ImageLoaderOptions options = reading;
  options.transform = model.transform;
  options.channels = model.channels;
  options.shuffle = false;
  nn::require_precision(precision, device);
  bool is_there = false;  // the network, on the device
  while (true) {
    try {
      if (!is_there) {
        model.network->to(device);
        model.network->eval();
        vision::hold_weights(*model.network, precision);
        is_there = true;
      }
      return answers_of(model, images, top, options, device, precision, skipped);
    } catch (const MemoryError& cause) {
      if (is_there && options.batch_size > 1) {
        options.batch_size = (options.batch_size + 1) / 2;
        continue;
      }
      const auto bytes_of = [&](std::int64_t rows) { return vision::answering_bytes(model, rows); };
      throw vision::too_large("asking " + model.name, vision::need_of(bytes_of), 1, device,
                              device.impl().memory_limit(), cause);
    }
  }
}

}  // namespace overtake
