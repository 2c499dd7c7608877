// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cmath>

#include "backend/image_problems.hpp"

namespace overtake::backend::dialect_tests {
namespace {

DIALECT_SUITE(DialectPool);

constexpr PoolKind kinds[] = {PoolKind::max, PoolKind::average, PoolKind::max_gradient, PoolKind::average_gradient};

struct PoolCase {
  std::int64_t n = 1, c = 1, h = 1, w = 1, r = 1, s = 1;
  WindowSteps steps = {};
};

PoolCore pool(PoolKind kind, const PoolCase& size, bool channels_last, bool count_padding, DType dtype) {
  PoolCore core;
  core.kind = kind;
  core.extents = {size.n,
                  size.c,
                  size.h,
                  size.w,
                  windows(size.h, size.r, size.steps.stride[0], size.steps.padding[0], 1),
                  windows(size.w, size.s, size.steps.stride[1], size.steps.padding[1], 1)};
  core.r = size.r;
  core.s = size.s;
  core.steps = size.steps;
  core.count_padding = count_padding;
  core.channels_last = channels_last;
  const bool gradient = kind == PoolKind::max_gradient || kind == PoolKind::average_gradient;
  if (kind != PoolKind::average_gradient) core.x = {0, 0, dtype};
  if (gradient) core.dy = {1, 0, dtype};
  return core;
}

std::string text_of(const PoolCore& core, DType dtype) {
  const ImageExtents& e = core.extents;
  return fmt::format("kind {}, {} images of {} x {} x {}, windows of {} x {}, {}, {}, {}", static_cast<int>(core.kind),
                     e.n, e.c, e.h, e.w, core.r, core.s, core.channels_last ? "channels last" : "channels first",
                     dtype == DType::bfloat16 ? "bfloat16" : "float32",
                     core.count_padding ? "padding counts" : "padding does not count");
}

/// All kinds, as check_core() says. `turned`: windows with their channels first, images with them last.
void check_kinds(const PoolCase& size, bool channels_last, Way way, DType dtype = DType::float32, bool turned = false) {
  for (const PoolKind kind : kinds) {
    for (const bool count_padding : {true, false}) {
      const bool pads = size.steps.padding[0] + size.steps.padding[1] > 0;
      const bool average = kind == PoolKind::average || kind == PoolKind::average_gradient;
      if (!count_padding && !(pads && average)) continue;
      PoolCore core = pool(kind, size, channels_last, count_padding, dtype);
      core.y_channels_first = turned;
      SCOPED_TRACE(text_of(core, dtype) + (turned ? ", turned" : ""));
      check_core(core, dtype, dtype, 0, 1e-5, way);
    }
  }
}

TEST_P(DialectPool, WindowsSideBySide) {
  check_kinds({.n = 2, .c = 8, .h = 7, .w = 8, .r = 2, .s = 2, .steps = {.stride = {2, 2}}}, true, Way::device);
  check_kinds({.n = 2, .c = 3, .h = 7, .w = 5, .r = 2, .s = 2, .steps = {.stride = {2, 2}}}, false, Way::device);
}

TEST_P(DialectPool, WindowsThatOverlapOrLeaveGaps) {
  const WindowSteps steps{.stride = {2, 2}, .padding = {1, 1}};
  check_kinds({.n = 2, .c = 5, .h = 9, .w = 8, .r = 3, .s = 3, .steps = steps}, true, Way::device);
}

TEST_P(DialectPool, BFloat16) {
  check_kinds({.n = 2, .c = 8, .h = 6, .w = 8, .r = 2, .s = 2, .steps = {.stride = {2, 2}}}, true, Way::device,
              DType::bfloat16);
}

TEST_P(DialectPool, WindowsInAnotherOrderThanImages) {
  const WindowSteps apart{.stride = {2, 2}}, padded{.stride = {2, 1}, .padding = {1, 1}};
  check_kinds({.n = 3, .c = 16, .h = 10, .w = 8, .r = 2, .s = 2, .steps = apart}, true, Way::device, DType::float32,
              true);
  check_kinds({.n = 2, .c = 5, .h = 9, .w = 7, .r = 3, .s = 3, .steps = padded}, true, Way::device, DType::float32,
              true);
  check_kinds({.n = 2, .c = 8, .h = 6, .w = 9, .r = 2, .s = 2, .steps = apart}, true, Way::device, DType::bfloat16,
              true);
}

// The kernels on the CPU, over many shapes.
TEST(WrittenPool, ManyShapes) {
  for (const PoolCase& size :
       {PoolCase{}, PoolCase{2, 4, 9, 12, 3, 4, {.stride = {3, 4}}}, PoolCase{2, 4, 7, 7, 7, 7, {.stride = {7, 7}}},
        PoolCase{2, 5, 6, 7, 3, 2}, PoolCase{1, 2, 9, 9, 2, 2, {.stride = {3, 3}}},
        PoolCase{1, 4, 2, 3, 4, 4, {.stride = {1, 2}, .padding = {2, 1}}},
        PoolCase{2, 4, 9, 8, 3, 3, {.stride = {2, 2}, .padding = {1, 1}}}}) {
    for (const bool channels_last : {true, false}) check_kinds(size, channels_last, Way::written);
    check_kinds(size, true, Way::written, DType::bfloat16);
    check_kinds(size, true, Way::written_long);
    check_kinds(size, true, Way::written, DType::float32, true);
  }
}

// The last windows reach out of the image, without padding.
TEST(WrittenPool, WindowsThatReachOut) {
  for (const bool channels_last : {true, false}) {
    for (const PoolKind kind : kinds) {
      for (const std::int64_t stride : {2, 1}) {
        const PoolCase size{2, 4, 7, 5, 2, 2, {.stride = {stride, stride}}};
        PoolCore core = pool(kind, size, channels_last, false, DType::float32);
        ++core.extents.p;
        ++core.extents.q;
        SCOPED_TRACE(text_of(core, DType::float32));
        check_core(core, DType::float32, DType::float32, 0, 1e-5, Way::written);
      }
    }
  }
}

// Images of few different numbers: the first of equal ones gets the gradient, and a NaN is the largest.
TEST_P(DialectPool, TheFirstLargestNumber) {
  for (const bool apart : {true, false}) {
    for (const std::int64_t channels : {4, 3}) {
      const PoolCase size{2, channels, 8, 8, 2, 2, {.stride = {apart ? 2 : 1, apart ? 2 : 1}}};
      for (const PoolKind kind : {PoolKind::max, PoolKind::max_gradient}) {
        const PoolCore core = pool(kind, size, true, true, DType::float32);
        std::vector<float> x = random_floats(2 * channels * 64, 0, 4, fresh_seed());
        for (float& value : x) value = std::floor(value);
        for (std::size_t i = 5; i < x.size(); i += 17) x[i] = std::nanf("");
        const std::int64_t windows = oracle::operand_sizes(core).second;
        Operation operation;
        operation.core = core;
        operation.extent = extent_of(core);
        std::vector<HostSlot> slots = {HostSlot::floats(x), random_images(windows, DType::float32, fresh_seed())};
        store_result(operation, slots, DType::float32);
        SCOPED_TRACE(text_of(core, DType::float32));
        check(slots, {operation}, 1e-5);
      }
    }
  }
}

// The sums by channel are those of the numbers as they are stored, each once, in whichever part.
void check_sums(const PoolCase& size, std::int64_t parts, DType dtype, Way way) {
  for (const PoolKind kind : {PoolKind::max_gradient, PoolKind::average_gradient}) {
    PoolCore core = pool(kind, size, true, true, dtype);
    SCOPED_TRACE(text_of(core, dtype));
    Operation operation;
    operation.extent = extent_of(core);
    std::vector<HostSlot> slots = operands_of(core, dtype, 0, fresh_seed());
    store_result(operation, slots, dtype);
    core.sums = {3, parts, static_cast<std::uint16_t>(operation.tape.code.size() - 1)};
    operation.core = core;
    slots.push_back(HostSlot::empty(parts * size.c));
    const HostSlot expected = reference(slots, {operation})[2];
    const LoweredOperation lowered = lower(operation, LoweringTraits{.compute_units = 4});
    const auto after = way == Way::device ? run(this_device(), slots, {operation}, 2)
                                          : run_lowered(open_device("cpu"), slots, lowered, 2);
    const bool narrow = dtype == DType::bfloat16;
    narrow ? expect_close_bfloat16(after[2], expected, 1e-5) : expect_close(after[2], expected, 1e-5);
    for (std::int64_t c = 0; c < size.c; ++c) {
      double given = 0, sum = 0, magnitude = 0;
      for (std::int64_t part = 0; part < parts; ++part)
        given += after[3].as_float(static_cast<std::size_t>(part * size.c + c));
      for (auto i = static_cast<std::size_t>(c); i < static_cast<std::size_t>(operation.extent.size());
           i += static_cast<std::size_t>(size.c)) {
        const double stored = narrow ? after[2].as_bfloat16(i) : after[2].as_float(i);
        sum += stored;
        magnitude += std::abs(stored);
      }
      EXPECT_NEAR(given, sum, 1e-6 * magnitude + 1e-12) << "channel " << c;
    }
  }
}

TEST_P(DialectPool, SumsByChannel) {
  if (!this_device().fusion_limits().channel_sums) GTEST_SKIP() << "this device adds up in an operation of its own";
  const WindowSteps apart{.stride = {2, 2}};
  check_sums({.n = 3, .c = 64, .h = 10, .w = 12, .r = 2, .s = 2, .steps = apart}, 3, DType::bfloat16, Way::device);
  check_sums({.n = 2, .c = 136, .h = 7, .w = 6, .r = 2, .s = 2, .steps = apart}, 1, DType::float32, Way::device);
}

TEST(WrittenPool, SumsByChannel) {
  const WindowSteps apart{.stride = {2, 2}}, over{.stride = {2, 1}, .padding = {1, 1}};
  for (const std::int64_t parts : {1, 5, 100}) {  // with parts that have no place
    for (const std::int64_t channels : {64, 72, 3}) {
      check_sums({.n = 2, .c = channels, .h = 8, .w = 6, .r = 2, .s = 2, .steps = apart}, parts, DType::bfloat16,
                 Way::written);
      check_sums({.n = 3, .c = channels, .h = 7, .w = 9, .r = 2, .s = 2, .steps = apart}, parts, DType::float32,
                 Way::written);
      check_sums({.n = 2, .c = channels, .h = 7, .w = 5, .r = 3, .s = 3, .steps = over}, parts, DType::float32,
                 Way::written);
    }
  }
}

TEST_P(DialectPool, MaskInTheTape) {
  const PoolCase size{.n = 2, .c = 8, .h = 7, .w = 6, .r = 2, .s = 2, .steps = {.stride = {2, 2}}};
  const PoolCore core = pool(PoolKind::max_gradient, size, true, true, DType::float32);
  Operation operation;
  operation.core = core;
  operation.extent = extent_of(core);
  operation.tape.loads = {contiguous(0, operation.extent.to_vector()), strided(2, 0, {0, 0, 0, 1})};
  operation.tape.code = {dialect_tests::core(),
                         load(0),
                         constant(0),
                         op(TapeCode::less, 2, 1),
                         op(TapeCode::select, 3, 0, 2),
                         load(1),
                         op(TapeCode::multiply, 4, 5)};
  operation.tape.stores = {{3, 6}};
  std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
  slots.push_back(HostSlot::floats(random_floats(size.c, -1, 1, 3)));
  slots.push_back(HostSlot::empty(operation.extent.size()));
  check(slots, {operation}, 1e-5);
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
