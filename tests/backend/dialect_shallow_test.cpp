// SPDX-License-Identifier: MIT
// Convolutions of shallow images against plain loops in double precision.
#include "backend/common/lower/shallow.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/image_problems.hpp"

namespace overtake::backend::dialect_tests {
namespace {

DIALECT_SUITE(DialectShallow);

constexpr ConvolutionKind kinds[] = {ConvolutionKind::forward, ConvolutionKind::filter_gradient};

double tolerance_of(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const std::int64_t products = core.kind == ConvolutionKind::forward ? core.r * core.s * e.c : e.n * e.p * e.q;
  return 1e-6 * (4 + std::sqrt(static_cast<double>(products)));
}

std::string text_of(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const WindowSteps& s = core.steps;
  return fmt::format("kind {}, {} images of {} x {} x {}, {} filters of {} x {}, stride {} {}, padding {} {}, {}",
                     static_cast<int>(core.kind), e.n, e.c, e.h, e.w, core.k, core.r, core.s, s.stride[0], s.stride[1],
                     s.padding[0], s.padding[1], core.a.dtype == DType::bfloat16 ? "bfloat16" : "float32");
}

Operation operation_of(const ConvolutionCore& core) {
  Operation operation;
  operation.core = core;
  operation.extent = extent_of(core);
  return operation;
}

std::vector<HostSlot> run_shallow(const std::vector<HostSlot>& slots, const Operation& operation, int units = 4,
                                  int times = 1) {
  const auto& core = std::get<ConvolutionCore>(operation.core);
  EXPECT_TRUE(is_shallow(core));
  LoweringTraits traits;
  traits.compute_units = units;
  return run_lowered(this_device(), slots, lower_shallow(operation, core, traits), times);
}

/// Of few units groups have tiles of many rows, and several of them. Where texts compile slowly, one choice must do.
std::vector<int> units_to_try() { return this_device().is_host() ? std::vector{1, 132} : std::vector{4}; }

/// Both kinds, the core alone.
void check_kinds(const ConvolutionCase& size, DType dtype = DType::float32, std::int64_t offset = 0) {
  for (const ConvolutionKind kind : kinds) {
    const ConvolutionCore core = convolution(kind, size, true, dtype, offset);
    SCOPED_TRACE(text_of(core));
    Operation operation = operation_of(core);
    std::vector<HostSlot> slots = operands_of(core, dtype, offset, fresh_seed());
    const bool is_narrow = dtype == DType::bfloat16 && kind == ConvolutionKind::forward;
    store_result(operation, slots, is_narrow ? DType::bfloat16 : DType::float32);
    const HostSlot expected = reference(slots, {operation})[2];
    for (const int units : units_to_try()) {
      const HostSlot actual = run_shallow(slots, operation, units)[2];
      if (is_narrow) {
        expect_close_bfloat16(actual, expected, tolerance_of(core));
      } else {
        expect_close(actual, expected, tolerance_of(core));
      }
    }
  }
}

TEST_P(DialectShallow, FirstLayersOfNetworks) {
  const WindowSteps padded{.padding = {1, 1}};
  check_kinds({.n = 2, .c = 3, .h = 20, .w = 22, .k = 64, .r = 3, .s = 3, .steps = padded});
  check_kinds({.n = 1, .c = 3, .h = 37, .w = 70, .k = 32, .r = 3, .s = 3, .steps = padded});
  check_kinds({.n = 3, .c = 1, .h = 28, .w = 28, .k = 32, .r = 5, .s = 5});
}

TEST_P(DialectShallow, WindowsAndChannels) {
  check_kinds({.n = 2, .c = 7, .h = 9, .w = 11, .k = 32, .r = 2, .s = 2});
  check_kinds({.n = 2, .c = 10, .h = 6, .w = 5, .k = 160});
  check_kinds({.n = 3, .c = 2, .h = 3, .w = 3, .k = 128, .r = 3, .s = 3});
  check_kinds({.n = 1, .c = 2, .h = 5, .w = 17, .k = 96, .r = 1, .s = 7, .steps = {.padding = {0, 3}}});
  check_kinds({.n = 1, .c = 1, .h = 30, .w = 2, .k = 32, .r = 28, .s = 1, .steps = {.padding = {4, 1}}});
}

TEST_P(DialectShallow, StridesAndPadding) {
  for (const WindowSteps& steps :
       {WindowSteps{.stride = {2, 2}, .padding = {1, 1}}, WindowSteps{.stride = {2, 2}},
        WindowSteps{.stride = {1, 3}, .padding = {2, 0}}, WindowSteps{.stride = {5, 1}, .padding = {0, 2}}}) {
    check_kinds({.n = 2, .c = 3, .h = 23, .w = 26, .k = 32, .r = 3, .s = 3, .steps = steps});
  }
}

TEST_P(DialectShallow, WindowsLargerThanTheImage) {
  check_kinds({.n = 2, .c = 1, .h = 2, .w = 3, .k = 32, .r = 5, .s = 5, .steps = {.padding = {2, 2}}});
}

TEST_P(DialectShallow, BFloat16) {
  const WindowSteps padded{.padding = {1, 1}};
  check_kinds({.n = 2, .c = 3, .h = 21, .w = 18, .k = 64, .r = 3, .s = 3, .steps = padded}, DType::bfloat16);
  check_kinds({.n = 1, .c = 3, .h = 17, .w = 16, .k = 32, .r = 3, .s = 3, .steps = {.stride = {2, 2}}}, DType::bfloat16,
              4);
}

TEST_P(DialectShallow, OperandsThatBeginAnywhere) {
  const ConvolutionCase size{.n = 2, .c = 3, .h = 9, .w = 10, .k = 32, .r = 3, .s = 3, .steps = {.padding = {1, 1}}};
  check_kinds(size, DType::float32, 4);
  const ConvolutionCore core = convolution(ConvolutionKind::forward, size, true, DType::float32, 3);
  Operation operation = operation_of(core);
  std::vector<HostSlot> slots = operands_of(core, DType::float32, 3, fresh_seed());
  store_result(operation, slots, DType::float32);
  expect_close(run_shallow(slots, operation)[2], reference(slots, {operation})[2], tolerance_of(core));
}

// Four results a call of the tape, and one, where what it loads is not aligned.
TEST_P(DialectShallow, BiasAndReluInTheTape) {
  const ConvolutionCase size{.n = 2, .c = 3, .h = 13, .w = 19, .k = 64, .r = 3, .s = 3, .steps = {.padding = {1, 1}}};
  const ConvolutionCore core = convolution(ConvolutionKind::forward, size, true);
  auto [operation, slots] = bias_and_relu(core);
  for (const std::int64_t offset : {0, 1}) {
    operation.tape.loads[0].offset = offset;
    slots[2] = HostSlot::floats(random_floats(core.k + offset, -1, 1, fresh_seed()));
    const std::vector<HostSlot> expected = reference(slots, {operation});
    const std::vector<HostSlot> actual = run_shallow(slots, operation);
    expect_close(actual[3], expected[3], 2e-5);
    expect_close_bfloat16(actual[4], expected[4], 2e-5);
  }
}

// velocity = 0.9 velocity + core, in place, and a copy in another order; run twice.
TEST_P(DialectShallow, UpdateInTheTape) {
  const ConvolutionCase size{.n = 3, .c = 3, .h = 12, .w = 17, .k = 32, .r = 3, .s = 3, .steps = {.padding = {1, 1}}};
  const ConvolutionCore core = convolution(ConvolutionKind::filter_gradient, size, true);
  Operation operation = operation_of(core);
  const std::int64_t elements = operation.extent.size();
  operation.tape.loads = {contiguous(2, operation.extent.to_vector()), strided(3, 0, {27, 3, 1, 9})};
  operation.tape.code = {dialect_tests::core(),
                         load(0),
                         constant(0.9F),
                         op(TapeCode::multiply, 1, 2),
                         op(TapeCode::add, 3, 0),
                         load(1),
                         op(TapeCode::subtract, 5, 4)};
  operation.tape.stores = {{2, 4}, {4, 6}};
  std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
  slots.push_back(HostSlot::floats(random_floats(elements, -1, 1, 3)));
  slots.push_back(HostSlot::floats(random_floats(elements, -1, 1, 4)));
  slots.push_back(HostSlot::empty(elements));
  const std::vector<HostSlot> expected = reference(slots, {operation, operation});
  for (const int units : units_to_try()) {
    const std::vector<HostSlot> actual = run_shallow(slots, operation, units, 2);
    expect_close(actual[2], expected[2], 1e-4);
    expect_close(actual[4], expected[4], 1e-4);
  }
}

// A NaN or infinity reaches what a sum over all places reads it for, and nothing else, also where the last positions of
// a set are none.
TEST_P(DialectShallow, NaNSpreadsOnlyWhereItShould) {
  for (const ConvolutionKind kind : kinds) {
    for (const std::int64_t width : {15, 16}) {
      const ConvolutionCase size{
          .n = 2, .c = 1, .h = 9, .w = width, .k = 32, .r = 3, .s = 3, .steps = {.padding = {1, 1}}};
      const ConvolutionCore core = convolution(kind, size, true);
      SCOPED_TRACE(text_of(core));
      Operation operation = operation_of(core);
      std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
      store_result(operation, slots, DType::float32);
      // The last place of a row, which no window has as its first column.
      slots[0].bits[static_cast<std::size_t>(9 * width + 4 * width + width - 1)] =
          std::bit_cast<std::uint32_t>(std::numeric_limits<float>::quiet_NaN());
      const HostSlot expected = reference(slots, {operation})[2];
      const HostSlot actual = run_shallow(slots, operation)[2];
      std::size_t spoilt = 0;
      for (std::size_t i = 0; i < expected.bits.size(); ++i) spoilt += std::isnan(expected.as_float(i)) ? 1 : 0;
      EXPECT_EQ(spoilt, 6U * 32U);  // of positions or places: three rows, two columns
      expect_close(actual, expected, tolerance_of(core));
    }
  }
}

TEST_P(DialectShallow, SameBitsEveryRun) {
  for (const ConvolutionKind kind : kinds) {
    const ConvolutionCore core = convolution(
        kind, {.n = 3, .c = 3, .h = 40, .w = 40, .k = 32, .r = 3, .s = 3, .steps = {.padding = {1, 1}}}, true);
    Operation operation = operation_of(core);
    std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
    store_result(operation, slots, DType::float32);
    expect_same(run_shallow(slots, operation)[2], run_shallow(slots, operation)[2]);
  }
}

// Enough positions that lower(), and so a device, does it so.
TEST_P(DialectShallow, ThroughADevice) {
  for (const DType dtype : {DType::float32, DType::bfloat16}) {
    for (const ConvolutionKind kind : kinds) {
      const ConvolutionCore core = convolution(
          kind, {.n = 2, .c = 3, .h = 91, .w = 91, .k = 32, .r = 3, .s = 3, .steps = {.padding = {1, 1}}}, true, dtype);
      SCOPED_TRACE(text_of(core));
      ASSERT_TRUE(is_faster_shallow(core));
      Operation operation = operation_of(core);
      std::vector<HostSlot> slots = operands_of(core, dtype, 0, fresh_seed());
      store_result(operation, slots, DType::float32);
      // The CPU's library adds up place after place.
      const double tolerance = 4e-6 + 0x1p-24 * static_cast<double>(core.extents.n * core.extents.p * core.extents.q);
      expect_close(run(this_device(), slots, {operation})[2], reference(slots, {operation})[2], tolerance);
    }
  }
}

TEST(ShallowChoice, WhatCanBeDone) {
  const ConvolutionCase first{.n = 2, .c = 3, .h = 96, .w = 96, .k = 64, .r = 3, .s = 3, .steps = {.padding = {1, 1}}};
  const auto can = [](const ConvolutionCase& size, ConvolutionKind kind = ConvolutionKind::forward,
                      std::int64_t offset = 0) {
    return is_shallow(convolution(kind, size, true, DType::float32, offset));
  };
  EXPECT_TRUE(can(first));
  EXPECT_TRUE(can(first, ConvolutionKind::filter_gradient));
  EXPECT_TRUE(is_faster_shallow(convolution(ConvolutionKind::forward, first, true)));
  EXPECT_FALSE(can(first, ConvolutionKind::data_gradient));
  EXPECT_FALSE(can(first, ConvolutionKind::filter_gradient, 2)) << "gradients are loaded four at a time";
  EXPECT_FALSE(is_shallow(convolution(ConvolutionKind::forward, first, false)));
  ConvolutionCase other = first;
  other.n = 1;
  EXPECT_TRUE(can(other));
  EXPECT_FALSE(is_faster_shallow(convolution(ConvolutionKind::forward, other, true))) << "few positions";
  other = first;
  other.c = 4;
  EXPECT_FALSE(can(other)) << "36 products a result";
  other = first;
  other.k = 48;
  EXPECT_FALSE(can(other));
  for (const WindowSteps& steps : {WindowSteps{.dilation = {2, 1}}, WindowSteps{.stride = {1, 4}}}) {
    other = first;
    other.steps = steps;
    EXPECT_FALSE(can(other));
  }
  other = first;
  other.n = 1 << 16;
  EXPECT_FALSE(can(other)) << "indices of 64 bits";
}

// A large GPU is full, and the parts of a filter gradient take little memory.
TEST(ShallowChoice, GroupsOfVgg16) {
  const LoweringTraits gpu{132, 48 * 1024, 1024, true};
  for (const std::int64_t images : {1, 64, 256}) {
    for (const ConvolutionKind kind : kinds) {
      const ConvolutionCore core = convolution(
          kind, {.n = images, .c = 3, .h = 224, .w = 224, .k = 64, .r = 3, .s = 3, .steps = {.padding = {1, 1}}}, true,
          DType::bfloat16);
      Operation operation = operation_of(core);
      operation.tape = store_core(2);
      const LoweredOperation lowered = lower(operation, gpu);
      EXPECT_EQ(lowered.kernels[0].entry.rfind("convolution_shallow", 0), 0U);
      EXPECT_GE(lowered.kernels[0].geometry.groups[0], 2U * 132U);
      EXPECT_LT(lowered.scratch_bytes, 4U << 20U);
      EXPECT_EQ(lowered.kernels.size(), kind == ConvolutionKind::forward ? 1U : 2U);
    }
  }
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
