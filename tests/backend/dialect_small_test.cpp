// SPDX-License-Identifier: MIT
// Convolutions of small images with few channels and filters against plain loops in double precision.
#include "backend/common/lower/small.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/image_problems.hpp"

namespace overtake::backend::dialect_tests {
namespace {

DIALECT_SUITE(DialectSmall);

constexpr ConvolutionKind kinds[] = {ConvolutionKind::forward, ConvolutionKind::data_gradient,
                                     ConvolutionKind::filter_gradient};

constexpr LoweringTraits large_gpu{132, 48 * 1024, 1024, true};

const ConvolutionCase lenet_first{
    .n = 64, .c = 1, .h = 28, .w = 28, .k = 6, .r = 5, .s = 5, .steps = {.padding = {2, 2}}};
const ConvolutionCase lenet_second{.n = 64, .c = 6, .h = 14, .w = 14, .k = 16, .r = 5, .s = 5};

double tolerance_of(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const std::int64_t window = core.r * core.s;
  const std::int64_t products = core.kind == ConvolutionKind::forward         ? window * e.c
                                : core.kind == ConvolutionKind::data_gradient ? window * core.k
                                                                              : e.n * e.p * e.q;
  return 1e-6 * (4 + std::sqrt(static_cast<double>(products)));
}

Operation operation_of(const ConvolutionCore& core) {
  Operation operation;
  operation.core = core;
  operation.extent = extent_of(core);
  return operation;
}

std::vector<HostSlot> run_small(const std::vector<HostSlot>& slots, const Operation& operation, int units,
                                int times = 1) {
  const auto& core = std::get<ConvolutionCore>(operation.core);
  LoweringTraits traits;
  traits.compute_units = units;
  const auto plan = plan_small(core, traits);
  EXPECT_TRUE(plan.has_value());
  return run_lowered(this_device(), slots, lower_small(operation, core, traits, plan.value_or(SmallPlan{})), times);
}

/// Of few units groups have tiles of many rows, or several tiles. Where texts compile slowly, one choice must do.
std::vector<int> units_to_try() { return this_device().is_host() ? std::vector{1, 7, 132} : std::vector{7}; }

/// All kinds, the core alone.
void check_kinds(const ConvolutionCase& size, DType dtype = DType::float32, std::int64_t offset = 0) {
  for (const ConvolutionKind kind : kinds) {
    const ConvolutionCore core = convolution(kind, size, true, dtype, offset);
    SCOPED_TRACE(fmt::format("kind {}, {} images of {} x {} x {}, {} filters of {} x {}", static_cast<int>(kind),
                             size.n, size.c, size.h, size.w, size.k, size.r, size.s));
    Operation operation = operation_of(core);
    std::vector<HostSlot> slots = operands_of(core, dtype, offset, fresh_seed());
    store_result(operation, slots, DType::float32);
    const HostSlot expected = reference(slots, {operation})[2];
    for (const int units : units_to_try()) {
      expect_close(run_small(slots, operation, units)[2], expected, tolerance_of(core));
    }
  }
}

TEST_P(DialectSmall, LayersOfLeNet) {
  ConvolutionCase first = lenet_first, second = lenet_second;
  first.n = 5;
  second.n = 3;
  check_kinds(first);
  check_kinds(second);
}

// A shape of this kind that no one has seen before.
TEST_P(DialectSmall, FreshShapes) {
  std::mt19937 random(fresh_seed());
  const auto below = [&](std::int64_t most) { return 1 + static_cast<std::int64_t>(random() % most); };
  for (int i = 0; i < (this_device().is_host() ? 12 : 2); ++i) {
    ConvolutionCase size{.n = below(6), .c = 4 + 2 * below(4), .h = 8 + below(20), .w = 8 + below(40)};
    size.k = 4 + 2 * below(4);
    size.r = below(5);
    size.s = below(5);
    size.c = size.c == 14 ? 12 : size.c;
    size.steps.padding = {below(4) - 1, below(4) - 1};
    check_kinds(size);
  }
}

TEST_P(DialectSmall, WindowsAndPadding) {
  check_kinds({.n = 2, .c = 3, .h = 9, .w = 11, .k = 8, .r = 2, .s = 3, .steps = {.padding = {3, 0}}});
  check_kinds({.n = 3, .c = 4, .h = 6, .w = 5, .k = 12});
  check_kinds({.n = 2, .c = 2, .h = 2, .w = 3, .k = 4, .r = 5, .s = 5, .steps = {.padding = {2, 2}}});
  check_kinds({.n = 1, .c = 1, .h = 30, .w = 64, .k = 1, .r = 7, .s = 1});
}

TEST_P(DialectSmall, BFloat16AndOperandsThatBeginAnywhere) {
  const ConvolutionCase size{.n = 2, .c = 6, .h = 9, .w = 10, .k = 8, .r = 3, .s = 3, .steps = {.padding = {1, 1}}};
  check_kinds(size, DType::bfloat16);
  check_kinds(size, DType::float32, 3);
}

TEST_P(DialectSmall, BiasAndReluInTheTape) {
  ConvolutionCase size = lenet_second;
  size.n = 3;
  const auto [operation, slots] = bias_and_relu(convolution(ConvolutionKind::forward, size, true));
  const std::vector<HostSlot> expected = reference(slots, {operation});
  const std::vector<HostSlot> actual = run_small(slots, operation, 7);
  expect_close(actual[3], expected[3], 2e-5);
  expect_close_bfloat16(actual[4], expected[4], 2e-5);
}

// y > 0 ? core : 0
TEST_P(DialectSmall, MaskInTheTape) {
  ConvolutionCase size = lenet_second;
  size.n = 3;
  const auto [operation, slots] = masked(convolution(ConvolutionKind::data_gradient, size, true));
  expect_close(run_small(slots, operation, 7)[3], reference(slots, {operation})[3], 4e-5);
}

// velocity = 0.9 velocity + core, in place; run twice.
TEST_P(DialectSmall, UpdateInTheTape) {
  ConvolutionCase size = lenet_first;
  size.n = 3;
  const ConvolutionCore core = convolution(ConvolutionKind::filter_gradient, size, true);
  Operation operation = operation_of(core);
  const std::int64_t elements = operation.extent.size();
  operation.tape.loads = {contiguous(2, operation.extent.to_vector())};
  operation.tape.code = {dialect_tests::core(), load(0), constant(0.9F), op(TapeCode::multiply, 1, 2),
                         op(TapeCode::add, 3, 0)};
  operation.tape.stores = {{2, 4}};
  std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
  slots.push_back(HostSlot::floats(random_floats(elements, -1, 1, fresh_seed())));
  const std::vector<HostSlot> expected = reference(slots, {operation, operation});
  expect_close(run_small(slots, operation, 7, 2)[2], expected[2], 1e-4);
}

// A NaN reaches what a sum over all places reads it for, and nothing else, also where the last positions of a set are
// none.
TEST_P(DialectSmall, NaNSpreadsOnlyWhereItShould) {
  for (const ConvolutionKind kind : kinds) {
    for (const std::int64_t width : {10, 15, 16}) {
      const ConvolutionCase size{.n = 2, .c = 1, .h = 9, .w = width, .k = 6, .r = 3, .s = 3};
      const ConvolutionCore core = convolution(kind, size, true);
      SCOPED_TRACE(fmt::format("kind {}, width {}", static_cast<int>(kind), width));
      Operation operation = operation_of(core);
      std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
      store_result(operation, slots, DType::float32);
      // The last place of a row, which no window has as its first column.
      const bool of_result = kind == ConvolutionKind::data_gradient;
      const std::int64_t columns = of_result ? core.extents.q * core.k : width;
      const std::int64_t rows = of_result ? core.extents.p : core.extents.h;
      slots[0].bits[static_cast<std::size_t>((rows + 5) * columns - 1)] =
          std::bit_cast<std::uint32_t>(std::numeric_limits<float>::quiet_NaN());
      const HostSlot expected = reference(slots, {operation})[2];
      std::size_t spoilt = 0;
      for (std::size_t i = 0; i < expected.bits.size(); ++i) spoilt += std::isnan(expected.as_float(i)) ? 1 : 0;
      EXPECT_GT(spoilt, 0U);
      expect_close(run_small(slots, operation, 7)[2], expected, tolerance_of(core));
    }
  }
}

TEST_P(DialectSmall, SameBitsEveryRun) {
  ConvolutionCase size = lenet_second;
  size.n = 9;
  for (const ConvolutionKind kind : kinds) {
    const ConvolutionCore core = convolution(kind, size, true);
    Operation operation = operation_of(core);
    std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
    store_result(operation, slots, DType::float32);
    expect_same(run_small(slots, operation, 3)[2], run_small(slots, operation, 3)[2]);
  }
}

// A large GPU is full, and tiles have no idle work-items.
TEST(SmallChoice, GroupsOfLeNet) {
  for (const ConvolutionCase& size : {lenet_first, lenet_second}) {
    for (const ConvolutionKind kind : kinds) {
      Operation operation = operation_of(convolution(kind, size, true));
      operation.tape = store_core(2);
      const LoweredOperation lowered = lower(operation, large_gpu);
      EXPECT_EQ(lowered.kernels[0].entry.rfind("convolution_small", 0), 0U);
      EXPECT_EQ(lowered.kernels[0].geometry.groups[0], 128U);
      EXPECT_EQ(lowered.kernels.size(), kind == ConvolutionKind::filter_gradient ? 2U : 1U);
      EXPECT_LT(lowered.scratch_bytes, 2U << 20U);
    }
  }
}

TEST(SmallChoice, WhatIsSmall) {
  const auto can = [](const ConvolutionCase& size, ConvolutionKind kind = ConvolutionKind::forward) {
    return plan_small(convolution(kind, size, true), large_gpu).has_value();
  };
  ConvolutionCase other = lenet_second;
  EXPECT_TRUE(can(other));
  EXPECT_FALSE(plan_small(convolution(ConvolutionKind::forward, other, false), large_gpu)) << "channels first";
  other.c = 17;
  EXPECT_FALSE(can(other)) << "many channels";
  other = lenet_second;
  other.k = 64;
  EXPECT_FALSE(can(other)) << "many filters";
  other.k = 11;
  EXPECT_FALSE(can(other)) << "no block of filters";
  for (const WindowSteps& steps : {WindowSteps{.stride = {2, 1}}, WindowSteps{.dilation = {1, 2}}}) {
    other = lenet_second;
    other.steps = steps;
    EXPECT_FALSE(can(other));
  }
  other = lenet_second;
  other.w = 100;
  EXPECT_FALSE(can(other)) << "wide";
}

// Whatever the images, groups have the local memory and the work-items that a device has.
TEST(SmallChoice, PlansFit) {
  for (const std::int64_t rows : {1, 5, 64, 1000}) {
    for (const std::int64_t channels : {1, 6, 16}) {
      for (const ConvolutionKind kind : kinds) {
        for (const std::uint64_t local_bytes : {16U << 10U, 48U << 10U}) {
          const ConvolutionCase size{
              .n = 1, .c = channels, .h = rows, .w = 64, .k = 8, .r = 3, .s = 3, .steps = {.padding = {1, 1}}};
          const LoweringTraits traits{132, local_bytes, 256, false};
          const auto plan = plan_small(convolution(kind, size, true), traits);
          if (!plan) continue;
          EXPECT_LE(plan->floats * 4, static_cast<std::int64_t>(local_bytes));
          EXPECT_LE(plan->items * plan->splits, 256);
          EXPECT_GE(plan->rows * plan->tiles_y, rows);
          EXPECT_LT(plan->rows * (plan->tiles_y - 1), rows);
        }
      }
    }
  }
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
