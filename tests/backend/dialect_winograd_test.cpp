// SPDX-License-Identifier: MIT
// Convolutions by minimal filtering against plain loops in double precision. The bound of their errors is a share of
// the sum of the magnitudes of what is added up for a result; 64 channels of values in [-1, 1) reach 3e-7 of it.
#include "backend/common/lower/winograd.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/image_problems.hpp"

namespace overtake::backend::dialect_tests {
namespace {

DIALECT_SUITE(DialectWinograd);

constexpr double bound = 4e-6;
constexpr ConvolutionKind kinds[] = {ConvolutionKind::forward, ConvolutionKind::data_gradient,
                                     ConvolutionKind::filter_gradient};

ConvolutionCase filters3(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w, std::int64_t k,
                         std::array<std::int64_t, 2> padding) {
  return {.n = n, .c = c, .h = h, .w = w, .k = k, .r = 3, .s = 3, .groups = 1, .steps = {.padding = padding}};
}

std::string text_of(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  return fmt::format("kind {}, {} images of {} x {} x {}, {} filters, padding {} {}", static_cast<int>(core.kind), e.n,
                     e.c, e.h, e.w, core.k, core.steps.padding[0], core.steps.padding[1]);
}

Operation operation_of(const ConvolutionCore& core) {
  Operation operation;
  operation.core = core;
  operation.extent = extent_of(core);
  return operation;
}

/// Tiles of 40 or so in a block: several blocks even of small images.
WinogradLimits small_blocks(const ConvolutionCore& core) {
  return {.block_bytes = 40 * 36 * 4 * (core.k + core.extents.c)};
}

std::vector<HostSlot> run_minimally(const std::vector<HostSlot>& slots, const Operation& operation,
                                    const WinogradLimits& limits, int units = 4) {
  const auto& core = std::get<ConvolutionCore>(operation.core);
  EXPECT_TRUE(can_filter_minimally(core));
  LoweringTraits traits;
  traits.compute_units = units;
  return run_lowered(this_device(), slots, lower_winograd(operation, core, traits, limits), 2);
}

HostSlot magnitudes(const HostSlot& slot) {
  std::vector<float> values(slot.bits.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::abs(slot.as_float(i));
  return HostSlot::floats(values);
}

/// The core alone, against the oracle's values and its sums of magnitudes.
void check_minimally(const ConvolutionCore& core, std::int64_t offset, const WinogradLimits& limits, int units = 4) {
  SCOPED_TRACE(text_of(core));
  Operation operation = operation_of(core);
  std::vector<HostSlot> slots = operands_of(core, DType::float32, offset, fresh_seed());
  store_result(operation, slots, DType::float32);
  const HostSlot expected = reference(slots, {operation})[2];
  const HostSlot sizes = reference({magnitudes(slots[0]), magnitudes(slots[1]), slots[2]}, {operation})[2];
  const HostSlot actual = run_minimally(slots, operation, limits, units)[2];
  double worst = 0;
  for (std::size_t i = 0; i < expected.bits.size(); ++i) {
    const double error = std::abs(static_cast<double>(actual.as_float(i)) - static_cast<double>(expected.as_float(i)));
    const double allowed = bound * (static_cast<double>(sizes.as_float(i)) + 1);
    worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error / allowed);
  }
  EXPECT_LE(worst, 1);
}

void check_kinds(const ConvolutionCase& size, std::int64_t offset = 0) {
  for (const ConvolutionKind kind : kinds) {
    const ConvolutionCore core = convolution(kind, size, true, DType::float32, offset);
    check_minimally(core, offset, small_blocks(core));
  }
}

TEST_P(DialectWinograd, EdgesThatAreNoMultipleOfATile) {
  for (const std::int64_t padding : {0, 1, 2}) check_kinds(filters3(3, 8, 13, 18, 12, {padding, padding}));
  check_kinds(filters3(2, 4, 3, 9, 4, {0, 1}));
  check_kinds(filters3(2, 4, 1, 2, 8, {2, 1}));
}

TEST_P(DialectWinograd, OneImageAndManyChannels) { check_kinds(filters3(1, 68, 8, 8, 132, {1, 1})); }

TEST_P(DialectWinograd, OperandsThatBeginAnywhere) { check_kinds(filters3(1, 8, 6, 6, 8, {1, 1}), 3); }

TEST_P(DialectWinograd, OneBlock) {
  for (const ConvolutionKind kind : kinds)
    check_minimally(convolution(kind, filters3(3, 8, 9, 9, 8, {1, 1}), true), 0, {});
}

// Of filter gradients: the tiles of each block are shared out, and the last share is not full.
TEST_P(DialectWinograd, SumsOverTilesInSplits) {
  const ConvolutionCore core = convolution(ConvolutionKind::filter_gradient, filters3(5, 4, 42, 30, 8, {1, 1}), true);
  for (const std::int64_t tiles : {150, 260, 4000}) {
    check_minimally(core, 0, {.block_bytes = tiles * 36 * 4 * (core.k + core.extents.c)}, 132);
  }
}

TEST_P(DialectWinograd, BiasAndReluInTheTape) {
  const ConvolutionCore core = convolution(ConvolutionKind::forward, filters3(3, 8, 10, 9, 12, {1, 1}), true);
  const auto [operation, slots] = bias_and_relu(core);
  const std::vector<HostSlot> expected = reference(slots, {operation});
  const std::vector<HostSlot> actual = run_minimally(slots, operation, small_blocks(core));
  expect_close(actual[3], expected[3], 5e-5);
  expect_close_bfloat16(actual[4], expected[4], 5e-5);
}

TEST_P(DialectWinograd, MaskInTheTape) {
  const ConvolutionCore core = convolution(ConvolutionKind::data_gradient, filters3(2, 8, 9, 7, 16, {1, 1}), true);
  const auto [operation, slots] = masked(core);
  expect_close(run_minimally(slots, operation, small_blocks(core))[3], reference(slots, {operation})[3], 5e-5);
}

// result = 0.5 result + core, in place; run_minimally() runs it twice, so the oracle does.
TEST_P(DialectWinograd, TapesThatReadWhatTheyStore) {
  for (const ConvolutionKind kind : kinds) {
    const ConvolutionCore core = convolution(kind, filters3(3, 8, 9, 9, 8, {1, 1}), true);
    SCOPED_TRACE(text_of(core));
    Operation operation = operation_of(core);
    operation.tape.loads = {contiguous(2, operation.extent.to_vector())};
    operation.tape.code = {dialect_tests::core(), load(0), constant(0.5F), op(TapeCode::multiply, 1, 2),
                           op(TapeCode::add, 3, 0)};
    operation.tape.stores = {{2, 4}};
    std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
    slots.push_back(HostSlot::floats(random_floats(operation.extent.size(), -1, 1, 3)));
    expect_close(run_minimally(slots, operation, small_blocks(core))[2], reference(slots, {operation, operation})[2],
                 5e-5);
  }
}

// NaN and Inf stay within the tiles of 4 x 4 that read them, and so in their image; a direct sum has them in 3 x 3.
TEST_P(DialectWinograd, NaNStaysInItsTiles) {
  const ConvolutionCase size = filters3(3, 4, 12, 12, 4, {1, 1});
  for (const ConvolutionKind kind : {ConvolutionKind::forward, ConvolutionKind::data_gradient}) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      const ConvolutionCore core = convolution(kind, size, true);
      Operation operation = operation_of(core);
      std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
      store_result(operation, slots, DType::float32);
      const HostSlot clean = reference(slots, {operation})[2];
      const std::size_t place = ((1 * 12 + 5) * 12 + 6) * 4 + 2;  // image 1, the tile in its middle
      slots[0].bits[place] = std::bit_cast<std::uint32_t>(bad);
      const HostSlot actual = run_minimally(slots, operation, small_blocks(core))[2];
      for (std::size_t i = 0; i < clean.bits.size(); ++i) {
        const std::size_t x = i / 4 % 12, y = i / 48 % 12, image = i / 576;
        const bool in_tile = image == 1 && x >= 4 && x < 8 && y >= 4 && y < 8;
        const bool must = image == 1 && x >= 5 && x < 8 && y >= 4 && y < 7;
        if (must) {
          EXPECT_FALSE(std::isfinite(actual.as_float(i)));
        }
        if (!in_tile) {
          EXPECT_NEAR(actual.as_float(i), clean.as_float(i), 5e-5);
        }
      }
    }
  }
}

TEST_P(DialectWinograd, SameBitsEveryRun) {
  for (const ConvolutionKind kind : kinds) {
    const ConvolutionCore core = convolution(kind, filters3(4, 8, 14, 14, 8, {1, 1}), true);
    Operation operation = operation_of(core);
    std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
    store_result(operation, slots, DType::float32);
    const HostSlot first = run_minimally(slots, operation, small_blocks(core))[2];
    expect_same(run_minimally(slots, operation, small_blocks(core))[2], first);
  }
}

// Large enough that lower(), and so a device, does it so.
TEST_P(DialectWinograd, ThroughADevice) {
  for (const ConvolutionKind kind : kinds) {
    const ConvolutionCore core = convolution(kind, filters3(5, 56, 29, 30, 64, {1, 1}), true);
    SCOPED_TRACE(text_of(core));
    ASSERT_TRUE(is_faster_minimally(core));
    Operation operation = operation_of(core);
    std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
    store_result(operation, slots, DType::float32);
    expect_close(run(this_device(), slots, {operation})[2], reference(slots, {operation})[2], 3e-4);
  }
}

TEST(WinogradChoice, WhatCanBeDone) {
  const auto core_of = [](const ConvolutionCase& size, bool channels_last = true, DType dtype = DType::float32) {
    return convolution(ConvolutionKind::forward, size, channels_last, dtype);
  };
  ConvolutionCase size = filters3(1, 8, 12, 12, 8, {1, 1});
  EXPECT_TRUE(can_filter_minimally(core_of(size)));
  EXPECT_FALSE(can_filter_minimally(core_of(size, false)));
  EXPECT_FALSE(can_filter_minimally(core_of(size, true, DType::bfloat16)));
  for (std::int64_t ConvolutionCase::*field : {&ConvolutionCase::c, &ConvolutionCase::k}) {
    ConvolutionCase other = size;
    other.*field = 6;
    EXPECT_FALSE(can_filter_minimally(core_of(other)));
  }
  for (const WindowSteps& steps :
       {WindowSteps{.stride = {1, 2}}, WindowSteps{.padding = {3, 1}}, WindowSteps{.dilation = {2, 1}}}) {
    size.steps = steps;
    EXPECT_FALSE(can_filter_minimally(core_of(size)));
  }
  size.steps = {};
  size.r = 5;
  EXPECT_FALSE(can_filter_minimally(core_of(size)));
  size.r = 3;
  size.groups = 2;
  EXPECT_FALSE(can_filter_minimally(core_of(size)));
}

TEST(WinogradChoice, WhatIsFaster) {
  const auto is_faster = [](const ConvolutionCase& size) {
    return is_faster_minimally(convolution(ConvolutionKind::forward, size, true));
  };
  EXPECT_TRUE(is_faster(filters3(64, 64, 224, 224, 64, {1, 1})));
  EXPECT_TRUE(is_faster(filters3(64, 512, 14, 14, 512, {1, 1})));
  EXPECT_FALSE(is_faster(filters3(64, 3, 224, 224, 64, {1, 1}))) << "channels";
  EXPECT_FALSE(is_faster(filters3(1, 512, 14, 14, 512, {1, 1}))) << "16 tiles, and the transforms of 262144 filters";
  EXPECT_FALSE(is_faster(filters3(2, 32, 28, 28, 32, {1, 1}))) << "little to do";
  EXPECT_FALSE(is_faster(filters3(4096, 64, 2, 2, 64, {1, 1}))) << "tiles that are mostly empty";
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
