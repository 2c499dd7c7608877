// SPDX-License-Identifier: MIT
// Convolutions and pooling as hand-built operations over fresh random images.
#pragma once

#include <fmt/format.h>

#include <random>
#include <string>

#include "backend/dialect_support.hpp"
#include "oracle/truth/images.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::dialect_tests {

[[nodiscard]] inline HostSlot random_images(std::int64_t elements, DType dtype, std::uint32_t seed) {
  const std::vector<float> values = random_floats(elements, -1, 1, seed);
  return dtype == DType::bfloat16 ? HostSlot::bfloat16s(values) : HostSlot::floats(values);
}

[[nodiscard]] inline std::uint32_t fresh_seed() {
  static std::random_device device;
  const std::uint32_t seed = device();
  testing::Test::RecordProperty("seed", std::to_string(seed));
  return seed;
}

/// Windows of an axis: as many as have a place in the padded image.
[[nodiscard]] inline std::int64_t windows(std::int64_t extent, std::int64_t window, std::int64_t stride,
                                          std::int64_t padding, std::int64_t dilation) {
  return (extent + 2 * padding - dilation * (window - 1) - 1) / stride + 1;
}

struct ConvolutionCase {
  std::int64_t n = 1, c = 1, h = 1, w = 1, k = 1, r = 1, s = 1, groups = 1;
  WindowSteps steps = {};
};

[[nodiscard]] inline ConvolutionCore convolution(ConvolutionKind kind, const ConvolutionCase& size, bool channels_last,
                                                 DType dtype = DType::float32, std::int64_t offset = 0) {
  ConvolutionCore core;
  core.kind = kind;
  const WindowSteps& steps = size.steps;
  core.extents = {size.n,
                  size.c,
                  size.h,
                  size.w,
                  windows(size.h, size.r, steps.stride[0], steps.padding[0], steps.dilation[0]),
                  windows(size.w, size.s, steps.stride[1], steps.padding[1], steps.dilation[1])};
  core.k = size.k;
  core.r = size.r;
  core.s = size.s;
  core.groups = size.groups;
  core.steps = steps;
  core.channels_last = channels_last;
  core.a = {0, offset, dtype};
  core.b = {1, offset, dtype};
  return core;
}

/// Slots 0 and 1: the operands. The tape comes from the caller.
template <class Core>
[[nodiscard]] std::vector<HostSlot> operands_of(const Core& core, DType dtype, std::int64_t offset,
                                                std::uint32_t seed) {
  const oracle::OperandSizes sizes = oracle::operand_sizes(core);
  return {random_images(sizes.first + offset, dtype, seed), random_images(sizes.second + offset, dtype, seed + 1)};
}

/// core [-> bfloat16] -> slot 2, which `slots` gets.
inline void store_result(Operation& operation, std::vector<HostSlot>& slots, DType dtype) {
  operation.tape = store_core(2);
  if (dtype == DType::bfloat16) {
    operation.tape.code.push_back(op(TapeCode::round_bfloat16, 0));
    operation.tape.stores = {{2, 1, dtype}};
  }
  const std::int64_t elements = operation.extent.size();
  slots.push_back(HostSlot::empty(dtype == DType::bfloat16 ? (elements + 1) / 2 : elements));
}

/// Operands, tape and memory of a convolution with the tape of a layer.
struct LayerProblem {
  Operation operation;
  std::vector<HostSlot> slots;
};

inline LayerProblem layer_problem(const ConvolutionCore& core) {
  LayerProblem problem;
  problem.operation.core = core;
  problem.operation.extent = extent_of(core);
  problem.slots = operands_of(core, DType::float32, 0, fresh_seed());
  return problem;
}

/// relu(core + bias) of a forward convolution, stored twice: as float32 in slot 3 and as bfloat16 in slot 4.
inline LayerProblem bias_and_relu(const ConvolutionCore& core) {
  LayerProblem problem = layer_problem(core);
  auto& [operation, slots] = problem;
  const std::int64_t elements = operation.extent.size();
  operation.tape.loads = {core.channels_last ? strided(2, 0, {0, 0, 0, 1}) : strided(2, 0, {0, 1, 0, 0})};
  operation.tape.code = {dialect_tests::core(),       load(0),
                         op(TapeCode::add, 0, 1),     constant(0),
                         op(TapeCode::maximum, 2, 3), op(TapeCode::round_bfloat16, 4)};
  operation.tape.stores = {{3, 4}, {4, 5, DType::bfloat16}};
  slots.push_back(HostSlot::floats(random_floats(core.k, -1, 1, 3)));
  slots.push_back(HostSlot::empty(elements));
  slots.push_back(HostSlot::empty((elements + 1) / 2));
  return problem;
}

/// y > 0 ? core : 0 in slot 3, with y of the result's layout.
inline LayerProblem masked(const ConvolutionCore& core) {
  LayerProblem problem = layer_problem(core);
  auto& [operation, slots] = problem;
  const std::int64_t elements = operation.extent.size();
  operation.tape.loads = {contiguous(2, operation.extent.to_vector())};
  operation.tape.code = {dialect_tests::core(), load(0), constant(0), op(TapeCode::less, 2, 1),
                         op(TapeCode::select, 3, 0, 2)};
  operation.tape.stores = {{3, 4}};
  slots.push_back(HostSlot::floats(random_floats(elements, -1, 1, 3)));
  slots.push_back(HostSlot::empty(elements));
  return problem;
}

/// Slot 2 against the oracle, from the kernels that `write` (of the device's traits) gives, on the CPU, which compiles
/// them quickly.
template <class Write>
void check_written(const std::vector<HostSlot>& slots, const Operation& operation, double tolerance,
                   const Write& write) {
  const HostSlot expected = reference(slots, {operation})[2];
  for (const bool fence : {true, false}) {
    LoweringTraits traits;
    traits.compute_units = 4;
    traits.fence_across_groups = fence;
    const LoweredOperation lowered = write(traits);
    if (fence && lowered.zeroed_bytes == 0) continue;
    std::vector<HostSlot> after;
    try {
      after = run_lowered(open_device("cpu"), slots, lowered, fence ? 2 : 1);
    } catch (const DeviceError& error) {
      GTEST_SKIP() << error.what();  // no compiler is here
    }
    if (operation.tape.stores.front().dtype == DType::bfloat16) {
      expect_close_bfloat16(after[2], expected, tolerance);
    } else {
      expect_close(after[2], expected, tolerance);
    }
  }
}

/// Who computes: the device of the test, or the kernels written for it, on the CPU; those with indices of 64 bits.
enum class Way : std::uint8_t { device, written, written_long };

/// The core alone.
template <class Core>
void check_core(const Core& core, DType operands, DType result, std::int64_t offset, double tolerance, Way way) {
  Operation operation;
  operation.core = core;
  operation.extent = extent_of(core);
  std::vector<HostSlot> slots = operands_of(core, operands, offset, fresh_seed());
  store_result(operation, slots, result);
  // A load from far away, which no instruction uses.
  if (way == Way::written_long) operation.tape.loads = {strided(2, std::int64_t{1} << 31U, {})};
  if (way == Way::device) return check(slots, {operation}, tolerance);
  check_written(slots, operation, tolerance, [&](const LoweringTraits& traits) { return lower(operation, traits); });
}

}  // namespace overtake::backend::dialect_tests
