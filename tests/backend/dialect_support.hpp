// SPDX-License-Identifier: MIT
// Runs hand-built schedules on every device present and compares them with plain loops in double precision.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "backend/api/device.hpp"
#include "backend/api/operation.hpp"
#include "backend/common/lower/lowering.hpp"

namespace overtake::backend::dialect_tests {

/// Every device that computes (the null backend does not). A machine without any skips the test.
[[nodiscard]] std::vector<Device*> devices();

/// Runs `body` for every device, naming it in failures.
void on_every_device(const std::function<void(Device&)>& body);

/// The contents of a slot on the host: float32 or int32, as bits.
struct HostSlot {
  std::vector<std::uint32_t> bits;

  [[nodiscard]] static HostSlot floats(const std::vector<float>& values);
  [[nodiscard]] static HostSlot ints(const std::vector<std::int32_t>& values);
  /// To be written by the device: filled with a pattern that no test computes.
  [[nodiscard]] static HostSlot empty(std::int64_t elements);
  [[nodiscard]] float as_float(std::size_t i) const;
  [[nodiscard]] std::int32_t as_int(std::size_t i) const;
};

/// Deterministic values in [low, high).
[[nodiscard]] std::vector<float> random_floats(std::int64_t count, float low, float high, std::uint32_t seed);

/// Runs the operations over external slots that hold `slots`, `times` times; returns the slots afterwards. Fails the
/// test when anything past the end of a slot was written.
[[nodiscard]] std::vector<HostSlot> run(Device& device, const std::vector<HostSlot>& slots,
                                        const std::vector<Operation>& operations, int times = 1);

/// The same through the kernels that are compiled ahead of time (lower_interpreted), launched one by one. Nothing when
/// this device does not compile at run time, or when an operation is beyond their limits.
[[nodiscard]] std::optional<std::vector<HostSlot>> run_interpreted(Device& device, const std::vector<HostSlot>& slots,
                                                                   const std::vector<Operation>& operations);

/// Launches lowered kernels, built with device.build(), over whole buffers as slots.
void launch_lowered(Device& device, Program* interpreted, const LoweredOperation& lowered,
                    const std::vector<std::unique_ptr<Buffer>>& slots, int times);

/// The same in double precision on the host (one run). Random numbers and integers are exact.
[[nodiscard]] std::vector<HostSlot> reference(std::vector<HostSlot> slots, const std::vector<Operation>& operations);

/// |actual - expected| <= tolerance * max(1, |expected|) for every element, NaN equal to NaN.
void expect_close(const HostSlot& actual, const HostSlot& expected, double tolerance);
/// The same bits.
void expect_same(const HostSlot& actual, const HostSlot& expected);

/// run() and run_interpreted() against reference() on every device.
void check(const std::vector<HostSlot>& slots, const std::vector<Operation>& operations, double tolerance);

// -- building blocks --------------------------------------------------------------------------------------------------
/// Row-major access to a whole slot.
[[nodiscard]] Access contiguous(int slot, const std::vector<std::int64_t>& extents, DType dtype = DType::float32);
[[nodiscard]] Access strided(int slot, std::int64_t offset, const std::vector<std::int64_t>& strides,
                             DType dtype = DType::float32);
[[nodiscard]] inline TapeInstruction load(std::uint16_t index) { return {.code = TapeCode::load, .index = index}; }
[[nodiscard]] inline TapeInstruction core() { return {.code = TapeCode::core}; }
[[nodiscard]] inline TapeInstruction constant(float value) { return {.code = TapeCode::constant, .value = value}; }
[[nodiscard]] inline TapeInstruction op(TapeCode code, std::uint16_t a = 0, std::uint16_t b = 0, std::uint16_t c = 0) {
  return {.code = code, .a = a, .b = b, .c = c};
}
/// core -> slot.
[[nodiscard]] Tape store_core(int slot, DType dtype = DType::float32);

}  // namespace overtake::backend::dialect_tests
