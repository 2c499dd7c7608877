// SPDX-License-Identifier: MIT
// Buffers with reproducible contents for the schedules of cuda_schedules.hpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/api/device.hpp"
#include "cuda_schedules.hpp"

namespace overtake::backend {

using Floats = std::vector<float>;

inline Floats random_floats(std::size_t count, unsigned seed, float scale = 1) {
  std::mt19937 random(seed);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same numbers every time
  std::uniform_real_distribution<float> uniform(-scale, scale);
  Floats values(count);
  for (float& value : values) value = uniform(random);
  return values;
}

inline std::unique_ptr<Buffer> upload(Device& device, const void* data, std::size_t bytes) {
  auto buffer = device.allocate(bytes);
  device.upload(*buffer, 0, data, bytes);
  return buffer;
}
inline std::unique_ptr<Buffer> upload(Device& device, const Floats& values) {
  return upload(device, values.data(), values.size() * sizeof(float));
}

inline Floats download(Device& device, const Buffer& buffer) {
  Floats values(buffer.bytes() / sizeof(float));
  device.download(buffer, 0, values.data(), buffer.bytes());
  return values;
}

/// The external buffers of training_step with reproducible contents.
struct Training {
  std::vector<std::unique_ptr<Buffer>> owned;
  std::vector<Buffer*> slots;

  Training(Device& device, const Schedule& schedule, const std::vector<std::int64_t>& widths) {
    slots.resize(schedule.slots.size(), nullptr);
    const auto bind = [&](std::size_t slot, std::unique_ptr<Buffer> buffer) {
      slots[slot] = buffer.get();
      owned.push_back(std::move(buffer));
    };
    bind(0, upload(device, random_floats(static_cast<std::size_t>(training_samples * widths[0]), 1)));
    std::vector<std::int32_t> labels, indices;
    for (std::int32_t i = 0; i < training_samples; ++i) {
      labels.push_back(i % static_cast<std::int32_t>(widths.back()));
      indices.push_back((i * 7 + 3) % static_cast<std::int32_t>(training_samples));
    }
    bind(1, upload(device, labels.data(), labels.size() * 4));
    bind(2, upload(device, indices.data(), indices.size() * 4));
    const std::int32_t step = 0;
    bind(3, upload(device, &step, 4));
    const float rate = 0.1F;
    bind(4, upload(device, &rate, 4));
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
      const float scale = 1 / std::sqrt(static_cast<float>(widths[l]));
      bind(5 + 2 * l, upload(device, random_floats(static_cast<std::size_t>(widths[l] * widths[l + 1]),
                                                   static_cast<unsigned>(10 + l), scale)));
      bind(6 + 2 * l, upload(device, random_floats(static_cast<std::size_t>(widths[l + 1]),
                                                   static_cast<unsigned>(100 + l), scale)));
    }
  }

  [[nodiscard]] std::vector<Floats> parameters(Device& device) const {
    std::vector<Floats> all;
    for (std::size_t index = 5; index < owned.size(); ++index) all.push_back(download(device, *owned[index]));
    return all;
  }
};

/// Norm of a - b over the norm of b.
inline double relative_difference(const std::vector<Floats>& a, const std::vector<Floats>& b) {
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < a[i].size(); ++j) {
      const double d = double{a[i][j]} - double{b[i][j]};
      difference += d * d;
      size += double{b[i][j]} * double{b[i][j]};
    }
  }
  return std::sqrt(difference / size);
}

}  // namespace overtake::backend
