// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cmath>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/image_problems.hpp"

namespace overtake::backend::dialect_tests {
namespace {

DIALECT_SUITE(DialectConvolution);

constexpr ConvolutionKind kinds[] = {ConvolutionKind::forward, ConvolutionKind::data_gradient,
                                     ConvolutionKind::filter_gradient};

double tolerance_of(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const std::int64_t window = core.r * core.s;
  const std::int64_t products = core.kind == ConvolutionKind::forward         ? window * e.c
                                : core.kind == ConvolutionKind::data_gradient ? window * core.k
                                                                              : e.n * e.p * e.q;
  return 1e-6 * (4 + std::sqrt(static_cast<double>(products)));
}

std::string text_of(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  return fmt::format("kind {}, {} images of {} x {} x {}, {} filters of {} x {}, {} groups, {}, {}",
                     static_cast<int>(core.kind), e.n, e.c, e.h, e.w, core.k, core.r, core.s, core.groups,
                     core.channels_last ? "channels last" : "channels first",
                     core.a.dtype == DType::bfloat16 ? "bfloat16" : "float32");
}

/// Both orders of axes and all kinds; as check_core() says.
void check_everything(const ConvolutionCase& size, Way way, DType dtype = DType::float32, std::int64_t offset = 0) {
  for (const bool channels_last : {true, false}) {
    for (const ConvolutionKind kind : kinds) {
      const ConvolutionCore core = convolution(kind, size, channels_last, dtype, offset);
      SCOPED_TRACE(text_of(core));
      check_core(core, dtype, dtype, offset, tolerance_of(core), way);
    }
  }
}

TEST_P(DialectConvolution, SmallImages) {
  check_everything({.n = 2, .c = 3, .h = 7, .w = 5, .k = 4, .r = 3, .s = 3, .steps = {.padding = {1, 1}}}, Way::device);
}

TEST_P(DialectConvolution, LargeEnoughForSeveralTiles) {
  check_everything({.n = 3, .c = 20, .h = 13, .w = 12, .k = 36, .r = 3, .s = 3, .steps = {.padding = {1, 1}}},
                   Way::device);
}

TEST_P(DialectConvolution, StridesPaddingAndDilation) {
  const WindowSteps steps{.stride = {2, 3}, .padding = {3, 2}, .dilation = {3, 2}};
  check_everything({.n = 2, .c = 4, .h = 11, .w = 10, .k = 8, .r = 3, .s = 2, .steps = steps}, Way::device);
}

TEST_P(DialectConvolution, Groups) {
  const ConvolutionCase two{.n = 2, .c = 6, .h = 6, .w = 5, .k = 4, .r = 3, .s = 3, .groups = 2};
  check_everything(two, Way::device);
  const ConvolutionCase each{.n = 2, .c = 5, .h = 6, .w = 5, .k = 10, .r = 3, .s = 3, .groups = 5};
  check_everything(each, Way::device);
}

TEST_P(DialectConvolution, BFloat16) {
  for (const ConvolutionKind kind : kinds) {
    const ConvolutionCase size{.n = 2, .c = 16, .h = 8, .w = 6, .k = 24, .r = 3, .s = 3, .steps = {.padding = {1, 1}}};
    const ConvolutionCore core = convolution(kind, size, true, DType::bfloat16);
    SCOPED_TRACE(text_of(core));
    const DType result = kind == ConvolutionKind::filter_gradient ? DType::float32 : DType::bfloat16;
    check_core(core, DType::bfloat16, result, 0, tolerance_of(core), Way::device);
  }
}

// The kernels on the CPU, over many shapes.
TEST(WrittenConvolution, SmallImages) {
  check_everything({}, Way::written);
  check_everything({.n = 3, .c = 2, .h = 1, .w = 1, .k = 5}, Way::written);
  check_everything({.n = 1, .c = 6, .h = 9, .w = 11, .k = 16, .r = 5, .s = 5}, Way::written);
  check_everything({.n = 1, .c = 8, .h = 1, .w = 1, .k = 8, .r = 3, .s = 3, .steps = {.padding = {1, 1}}},
                   Way::written);
}

TEST(WrittenConvolution, LargeEnoughForSeveralTiles) {
  check_everything({.n = 2, .c = 64, .h = 8, .w = 8, .k = 68, .r = 3, .s = 3, .steps = {.padding = {1, 1}}},
                   Way::written);
  check_everything({.n = 5, .c = 3, .h = 17, .w = 16, .k = 7, .r = 3, .s = 3, .steps = {.padding = {1, 1}}},
                   Way::written);
  check_everything({.n = 3, .c = 16, .h = 17, .w = 15, .k = 132, .r = 3, .s = 2, .steps = {.padding = {1, 1}}},
                   Way::written);
}

TEST(WrittenConvolution, StridesPaddingAndDilation) {
  const ConvolutionCase size{.n = 2, .c = 4, .h = 11, .w = 10, .k = 8, .r = 3, .s = 2};
  for (const WindowSteps& steps : {WindowSteps{.stride = {2, 2}}, WindowSteps{.stride = {3, 1}, .padding = {2, 0}},
                                   WindowSteps{.padding = {0, 1}, .dilation = {2, 3}}}) {
    ConvolutionCase moved = size;
    moved.steps = steps;
    check_everything(moved, Way::written);
  }
}

TEST(WrittenConvolution, WindowsLargerThanTheImage) {
  check_everything({.n = 2, .c = 3, .h = 2, .w = 3, .k = 4, .r = 5, .s = 7, .steps = {.padding = {2, 2}}},
                   Way::written);
  check_everything({.n = 2, .c = 8, .h = 2, .w = 2, .k = 4, .r = 4, .s = 4, .steps = {.padding = {3, 1}}},
                   Way::written);
}

TEST(WrittenConvolution, WindowOfOnePlace) {
  check_everything({.n = 2, .c = 12, .h = 5, .w = 7, .k = 20}, Way::written);
  check_everything({.n = 2, .c = 12, .h = 5, .w = 7, .k = 20, .steps = {.stride = {2, 2}}}, Way::written);
}

TEST(WrittenConvolution, BFloat16) {
  const WindowSteps padded{.padding = {1, 1}};
  check_everything({.n = 2, .c = 3, .h = 7, .w = 5, .k = 4, .r = 3, .s = 3, .steps = padded}, Way::written,
                   DType::bfloat16);
  check_everything({.n = 2, .c = 8, .h = 6, .w = 8, .k = 8, .r = 2, .s = 2}, Way::written, DType::bfloat16);
}

TEST(WrittenConvolution, LongIndices) {
  const WindowSteps steps{.stride = {2, 1}, .padding = {1, 1}, .dilation = {1, 2}};
  check_everything({.n = 2, .c = 3, .h = 7, .w = 9, .k = 4, .r = 3, .s = 3, .steps = steps}, Way::written_long);
  check_everything({.n = 2, .c = 4, .h = 7, .w = 6, .k = 4, .r = 3, .s = 2, .groups = 2}, Way::written_long);
}

// Whatever the cost model would choose.
TEST(WrittenConvolution, EveryKindOfTileAndSplit) {
  const ConvolutionCase size{.n = 3, .c = 12, .h = 9, .w = 8, .k = 20, .r = 3, .s = 3, .steps = {.padding = {1, 1}}};
  for (const MatMulPlan& plan : {MatMulPlan{{16, 8, 8, 8, 16}, 1, 256},
                                 {{16, 8, 8, 8, 16}, 3, 80},
                                 {{8, 16, 4, 4, 20}, 2, 120},
                                 {{8, 8, 8, 4, 16, 2}, 4, 64},
                                 {{8, 8, 2, 2, 64, 4}, 4, 64},
                                 {{64, 4, 1, 1, 64}, 1, 256}}) {
    for (const bool channels_last : {true, false}) {
      for (const ConvolutionKind kind : kinds) {
        const ConvolutionCore core = convolution(kind, size, channels_last);
        const MatMulTile& t = plan.tile;
        SCOPED_TRACE(text_of(core) + fmt::format(": {} x {} items of {} x {}, panels of {}, {} slices, {} splits", t.ty,
                                                 t.tx, t.tm, t.tn, t.bk, t.slices, plan.splits));
        Operation operation;
        operation.core = core;
        operation.extent = extent_of(core);
        std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
        store_result(operation, slots, DType::float32);
        check_written(slots, operation, tolerance_of(core),
                      [&](const LoweringTraits& traits) { return lower_convolution(operation, core, traits, plan); });
      }
    }
  }
}

TEST(WrittenConvolution, OperandsThatBeginAnywhere) {
  for (const std::int64_t offset : {3, 4}) {
    check_everything({.n = 2, .c = 8, .h = 6, .w = 6, .k = 8, .r = 3, .s = 3}, Way::written, DType::float32, offset);
  }
}

TEST_P(DialectConvolution, BiasAndReluInTheTape) {
  for (const bool channels_last : {true, false}) {
    const ConvolutionCase size{.n = 3, .c = 8, .h = 10, .w = 8, .k = 12, .r = 3, .s = 3, .steps = {.padding = {1, 1}}};
    const ConvolutionCore core = convolution(ConvolutionKind::forward, size, channels_last);
    SCOPED_TRACE(text_of(core));
    const auto [operation, slots] = bias_and_relu(core);
    check(slots, {operation}, 5e-5);
  }
}

TEST_P(DialectConvolution, MaskInTheTape) {
  for (const std::int64_t channels : {8, 5}) {
    const ConvolutionCase size{.n = 2, .c = channels, .h = 9, .w = 7, .k = 6, .r = 3, .s = 3};
    const ConvolutionCore core = convolution(ConvolutionKind::data_gradient, size, true);
    SCOPED_TRACE(text_of(core));
    const auto [operation, slots] = masked(core);
    check(slots, {operation}, 5e-5);
  }
}

// velocity = 0.9 velocity + core; weight -= 0.013 velocity, with weights in another order of axes as a copy to read.
TEST_P(DialectConvolution, UpdateWithMomentumInTheTape) {
  for (const bool channels_last : {true, false}) {
    const ConvolutionCase size{.n = 4, .c = 8, .h = 12, .w = 12, .k = 12, .r = 3, .s = 3};
    const ConvolutionCore core = convolution(ConvolutionKind::filter_gradient, size, channels_last);
    SCOPED_TRACE(text_of(core));
    Operation operation;
    operation.core = core;
    operation.extent = extent_of(core);
    const std::int64_t elements = operation.extent.size();
    const std::vector<std::int64_t> other =
        channels_last ? std::vector<std::int64_t>{72, 3, 1, 9} : std::vector<std::int64_t>{72, 1, 24, 8};
    operation.tape.loads = {contiguous(2, operation.extent.to_vector()), strided(3, 0, other)};
    operation.tape.code = {dialect_tests::core(),
                           load(0),
                           constant(0.9F),
                           op(TapeCode::multiply, 1, 2),
                           op(TapeCode::add, 3, 0),
                           constant(0.013F),
                           op(TapeCode::multiply, 4, 5),
                           load(1),
                           op(TapeCode::subtract, 7, 6)};
    operation.tape.stores = {{2, 4}, {4, 8}};
    std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
    slots.push_back(HostSlot::floats(random_floats(elements, -1, 1, 3)));
    slots.push_back(HostSlot::floats(random_floats(elements, -1, 1, 4)));
    slots.push_back(HostSlot::empty(elements));
    check(slots, {operation}, 1e-4);
  }
}

TEST_P(DialectConvolution, SameBitsEveryRun) {
  const ConvolutionCase size{.n = 8, .c = 4, .h = 20, .w = 20, .k = 8, .r = 3, .s = 3, .steps = {.padding = {1, 1}}};
  for (const ConvolutionKind kind : kinds) {
    const ConvolutionCore core = convolution(kind, size, true);
    Operation operation;
    operation.core = core;
    operation.extent = extent_of(core);
    std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
    store_result(operation, slots, DType::float32);
    const HostSlot first = run(this_device(), slots, {operation})[2];
    expect_close(first, reference(slots, {operation})[2], tolerance_of(core));
    expect_same(run(this_device(), slots, {operation}, 3)[2], first);
  }
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
