// SPDX-License-Identifier: MIT
// Float32 and bfloat16 on a GPU, and one operation over them: for tests of what the vendor's libraries do.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "backend/cuda/device.hpp"

namespace overtake::backend::cuda {

/// A tensor of floats, the values of bfloat16 where it is of that.
struct Tensor {
  std::vector<float> values;
  DType dtype = DType::float32;
};

inline float rounded(float value) {
  auto bits = std::bit_cast<std::uint32_t>(value);
  bits += 0x7fffU + ((bits >> 16U) & 1U);
  return std::bit_cast<float>(bits & 0xffff0000U);
}

inline Tensor random_tensor(std::int64_t count, DType dtype) {
  static std::mt19937 engine(std::random_device{}());
  std::uniform_real_distribution<float> uniform(-1, 1);
  Tensor tensor{std::vector<float>(static_cast<std::size_t>(count)), dtype};
  for (float& value : tensor.values) value = dtype == DType::bfloat16 ? rounded(uniform(engine)) : uniform(engine);
  return tensor;
}

inline std::vector<std::byte> bytes_of(const Tensor& tensor) {
  std::vector<std::byte> bytes(tensor.values.size() * size_of(tensor.dtype));
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(tensor.values[i]);
    const auto half = static_cast<std::uint16_t>(bits >> 16U);
    const bool is_half = tensor.dtype == DType::bfloat16;
    std::memcpy(&bytes[i * size_of(tensor.dtype)], is_half ? static_cast<const void*>(&half) : &bits,
                size_of(tensor.dtype));
  }
  return bytes;
}

inline Tensor tensor_of(const std::vector<std::byte>& bytes, std::size_t count, DType dtype) {
  Tensor tensor{std::vector<float>(count), dtype};
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &bytes[i * size_of(dtype)], size_of(dtype));
    tensor.values[i] = std::bit_cast<float>(dtype == DType::bfloat16 ? bits << 16U : bits);
  }
  return tensor;
}

/// What the operation leaves in slot 2 after two runs. Checks the memory behind every slot.
inline Tensor run_twice(CudaDevice& device, const Operation& operation, const std::vector<Tensor>& slots, bool replay = true) {
  constexpr std::size_t guard = 64;
  Schedule schedule;
  std::vector<std::unique_ptr<Buffer>> buffers;
  std::vector<Buffer*> bound;
  for (const Tensor& slot : slots) {
    std::vector<std::byte> bytes = bytes_of(slot);
    schedule.slots.push_back({bytes.size(), slot.dtype, true, 0});
    bytes.resize(bytes.size() + guard, std::byte{0x5a});
    buffers.push_back(device.allocate(bytes.size()));
    device.upload(*buffers.back(), 0, bytes.data(), bytes.size());
    bound.push_back(buffers.back().get());
  }
  schedule.operations = {operation};
  const auto executable = device.compile(schedule, {replay});
  executable->bind(bound);
  executable->run(2);
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    std::vector<std::byte> end(guard);
    device.download(*buffers[slot], schedule.slots[slot].bytes, end.data(), guard);
    EXPECT_EQ(end, std::vector<std::byte>(guard, std::byte{0x5a})) << "past the end of slot " << slot;
  }
  std::vector<std::byte> result(schedule.slots[2].bytes);
  device.download(*buffers[2], 0, result.data(), result.size());
  return tensor_of(result, slots[2].values.size(), slots[2].dtype);
}


}  // namespace overtake::backend::cuda
