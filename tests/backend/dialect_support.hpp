// SPDX-License-Identifier: MIT
// Runs hand-built schedules on every device and compares them with plain loops in double precision.
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
#include "oracle/devices.hpp"
#include "oracle/truth/schedule.hpp"

namespace overtake::backend::dialect_tests {

using oracle::HostSlot;
using oracle::reference;

/// A suite whose test bodies run once on every processor; one that cannot be used is skipped with the reason.
#define DIALECT_SUITE(name)                     \
  class name : public oracle::OnEveryDevice {}; \
  INSTANTIATE_TEST_SUITE_P(Devices, name, ::testing::ValuesIn(list_devices()), oracle::device_name)

/// The processor that the running test is for.
[[nodiscard]] Device& this_device();

/// Calls `body` once for each way in which a device may compile kernels: on the CPU by libtcc and by an ordinary
/// compiler, as far as they are here, with device.build() restricted to it; elsewhere once.
void with_each_compiler(Device& device, const std::function<void()>& body);

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

/// Kernels written for the operation, launched one by one over slots with guard zones.
[[nodiscard]] std::vector<HostSlot> run_lowered(Device& device, const std::vector<HostSlot>& slots,
                                                const LoweredOperation& lowered, int times = 1);

/// |actual - expected| <= tolerance * max(1, |expected|) for every element, NaN equal to NaN.
void expect_close(const HostSlot& actual, const HostSlot& expected, double tolerance);
/// The same of slots of bfloat16; a tolerance of less than twice their precision counts as that.
void expect_close_bfloat16(const HostSlot& actual, const HostSlot& expected, double tolerance);
/// The same bits.
void expect_same(const HostSlot& actual, const HostSlot& expected);

/// run() and run_interpreted() against reference().
void check(const std::vector<HostSlot>& slots, const std::vector<Operation>& operations, double tolerance);

// -- building blocks --------------------------------------------------------------------------------------------------
/// Row-major access to a whole slot.
[[nodiscard]] Access contiguous(int slot, const std::vector<std::int64_t>& extents, DType dtype = DType::float32);
[[nodiscard]] Access strided(int slot, std::int64_t offset, const std::vector<std::int64_t>& strides,
                             DType dtype = DType::float32);
[[nodiscard]] inline TapeInstruction load(std::uint16_t index, ValueType type = ValueType::float32) {
  return {.code = TapeCode::load, .type = type, .index = index};
}
[[nodiscard]] inline TapeInstruction core_of(ValueType type) { return {.code = TapeCode::core, .type = type}; }
[[nodiscard]] inline TapeInstruction core() { return core_of(ValueType::float32); }
[[nodiscard]] inline TapeInstruction constant(float value) {
  return {.code = TapeCode::constant, .bits = to_bits(value)};
}
[[nodiscard]] inline TapeInstruction coordinate(std::uint16_t axis) {
  return {.code = TapeCode::coordinate, .type = ValueType::int32, .index = axis};
}
[[nodiscard]] inline TapeInstruction op(TapeCode code, std::uint16_t a = 0, std::uint16_t b = 0, std::uint16_t c = 0) {
  return {.code = code, .a = a, .b = b, .c = c};
}
/// The same for int32 operands.
[[nodiscard]] inline TapeInstruction int_op(TapeCode code, std::uint16_t a = 0, std::uint16_t b = 0,
                                            std::uint16_t c = 0) {
  return {.code = code, .type = ValueType::int32, .a = a, .b = b, .c = c};
}
/// core -> slot.
[[nodiscard]] Tape store_core(int slot, DType dtype = DType::float32);

}  // namespace overtake::backend::dialect_tests
