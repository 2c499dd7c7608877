// SPDX-License-Identifier: MIT
// A Problem on a device: uploaded once, shared by every batch.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/api/device.hpp"
#include "forest/grow/formulas.hpp"
#include "forest/grow/job.hpp"
#include "forest/problem/problem.hpp"

namespace overtake::forest {

using BufferPtr = std::unique_ptr<backend::Buffer>;

/// A buffer with the contents of `values` (at least 16 bytes long, so that it may be empty).
template <typename T>
[[nodiscard]] BufferPtr upload_vector(backend::Device& device, const std::vector<T>& values) {
  const std::size_t bytes = values.size() * sizeof(T);
  BufferPtr buffer = device.allocate(bytes < 16 ? 16 : bytes);
  if (bytes > 0) device.upload(*buffer, 0, values.data(), bytes);
  return buffer;
}

template <typename T>
[[nodiscard]] std::vector<T> download_vector(backend::Device& device, const backend::Buffer& buffer, std::size_t count,
                                             std::size_t first = 0) {
  std::vector<T> values(count);
  if (count > 0) device.download(buffer, first * sizeof(T), values.data(), count * sizeof(T));
  return values;
}

struct KernelData {
  KernelData(backend::Device& device, const Problem& problem);

  BufferPtr bins, first, lower, upper;
  BufferPtr labels, values;
  BufferPtr distinct, ranks;  ///< targets that differ, ascending, and the place of each row's among them
  BufferPtr train, test, units;
  std::vector<std::int32_t> train_first, test_first;  ///< of each fold
  std::vector<std::int32_t> unit_of;                  ///< of each Weights: place among `units`, -1: all 1
  std::uint64_t bytes = 0;
};

/// A job as the kernels read it.
[[nodiscard]] JobRow device_job_row(const Problem& problem, const KernelData& data, const ForestJob& job);

}  // namespace overtake::forest
