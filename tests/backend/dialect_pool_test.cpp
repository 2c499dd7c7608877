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

void check_core(const PoolCore& core, DType dtype, std::vector<HostSlot> slots = {}) {
  const ImageExtents& e = core.extents;
  SCOPED_TRACE(fmt::format("kind {}, {} images of {} x {} x {}, windows of {} x {}, {}, {}, {}",
                           static_cast<int>(core.kind), e.n, e.c, e.h, e.w, core.r, core.s,
                           core.channels_last ? "channels last" : "channels first",
                           dtype == DType::bfloat16 ? "bfloat16" : "float32",
                           core.count_padding ? "padding counts" : "padding does not count"));
  Operation operation;
  operation.core = core;
  operation.extent = extent_of(core);
  if (slots.empty()) slots = operands_of(core, dtype, 0, fresh_seed());
  store_result(operation, slots, dtype);
  check(slots, {operation}, 1e-5);
}

void check_everything(const PoolCase& size, DType dtype = DType::float32) {
  for (const bool channels_last : {true, false}) {
    for (const PoolKind kind : kinds) {
      check_core(pool(kind, size, channels_last, true, dtype), dtype);
      const bool pads = size.steps.padding[0] + size.steps.padding[1] > 0;
      if (pads) check_core(pool(kind, size, channels_last, false, dtype), dtype);
    }
  }
}

TEST_P(DialectPool, WindowsSideBySide) {
  check_everything({.n = 2, .c = 8, .h = 6, .w = 8, .r = 2, .s = 2, .steps = {.stride = {2, 2}}});
  check_everything({.n = 3, .c = 3, .h = 7, .w = 5, .r = 2, .s = 2, .steps = {.stride = {2, 2}}});
  check_everything({.n = 2, .c = 4, .h = 9, .w = 12, .r = 3, .s = 4, .steps = {.stride = {3, 4}}});
  check_everything({.n = 2, .c = 4, .h = 7, .w = 7, .r = 7, .s = 7, .steps = {.stride = {7, 7}}});
  check_everything({});
}

TEST_P(DialectPool, WindowsThatOverlapOrLeaveGaps) {
  check_everything({.n = 2, .c = 4, .h = 9, .w = 8, .r = 3, .s = 3, .steps = {.stride = {2, 2}, .padding = {1, 1}}});
  check_everything({.n = 2, .c = 5, .h = 6, .w = 7, .r = 3, .s = 2});
  check_everything({.n = 1, .c = 2, .h = 9, .w = 9, .r = 2, .s = 2, .steps = {.stride = {3, 3}}});
  check_everything({.n = 1, .c = 4, .h = 2, .w = 3, .r = 4, .s = 4, .steps = {.stride = {1, 2}, .padding = {2, 1}}});
}

TEST_P(DialectPool, BFloat16) {
  check_everything({.n = 2, .c = 8, .h = 6, .w = 8, .r = 2, .s = 2, .steps = {.stride = {2, 2}}}, DType::bfloat16);
  check_everything({.n = 2, .c = 3, .h = 5, .w = 5, .r = 3, .s = 3, .steps = {.stride = {2, 2}, .padding = {1, 1}}},
                   DType::bfloat16);
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
        check_core(core, DType::float32, {HostSlot::floats(x), random_images(windows, DType::float32, fresh_seed())});
      }
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
  operation.tape.code = {dialect_tests::core(), load(0), constant(0), op(TapeCode::less, 2, 1),
                         op(TapeCode::select, 3, 0, 2), load(1), op(TapeCode::multiply, 4, 5)};
  operation.tape.stores = {{3, 6}};
  std::vector<HostSlot> slots = operands_of(core, DType::float32, 0, fresh_seed());
  slots.push_back(HostSlot::floats(random_floats(size.c, -1, 1, 3)));
  slots.push_back(HostSlot::empty(operation.extent.size()));
  check(slots, {operation}, 1e-5);
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
