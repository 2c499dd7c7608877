// SPDX-License-Identifier: MIT
// Pooling and its gradients.
#include <fmt/format.h>

#include <algorithm>

#include "backend/common/lower/image_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

// The largest windows that are written out place by place, and whose gradients one work-item computes at once.
constexpr std::int64_t most_places = 16;

// The windows lie side by side from the first element on.
bool windows_are_apart(const PoolCore& core) {
  const WindowSteps& steps = core.steps;
  return steps.stride[0] == core.r && steps.stride[1] == core.s && steps.padding[0] == 0 && steps.padding[1] == 0 &&
         core.r * core.s <= most_places;
}

// No window reaches out of the image, not the last one either.
bool windows_are_inside(const PoolCore& core) {
  const ImageExtents& e = core.extents;
  const WindowSteps& steps = core.steps;
  return steps.padding[0] == 0 && steps.padding[1] == 0 && (e.p - 1) * steps.stride[0] + core.r <= e.h &&
         (e.q - 1) * steps.stride[1] + core.s <= e.w && core.r * core.s <= most_places;
}

}  // namespace

LoweredOperation lower_pool(const Operation& operation, const PoolCore& core) {
  const ImageExtents& e = core.extents;
  const std::vector<std::int64_t> extents = extent_of(core).to_vector();
  const bool gradient = core.kind == PoolKind::max_gradient || core.kind == PoolKind::average_gradient;
  const bool average = core.kind == PoolKind::average || core.kind == PoolKind::average_gradient;
  const bool apart = gradient && windows_are_apart(core);
  const bool wide =
      core.y_channels_last() && core.x.offset % 4 == 0 && core.dy.offset % 4 == 0 && can_widen(operation.tape, extents);
  const int width = wide ? 4 : 1;
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = ValueType::float32, .width = width});
  KernelText text("pool", embedded::kernel_pool);
  text.define("GROUP_SIZE", group_size);
  text.define("WIDTH", width);
  text.define("CHANNELS_LAST", core.channels_last ? 1 : 0);
  text.define("WINDOWS_LAST", core.y_channels_last() ? 1 : 0);
  text.define("KIND_AVERAGE", average ? 1 : 0);
  text.define("GRADIENT", gradient ? 1 : 0);
  text.define("APART", apart ? 1 : 0);
  text.define("INSIDE", windows_are_inside(core) ? 1 : 0);
  text.define("READS_X", core.kind != PoolKind::average_gradient ? 1 : 0);
  text.define("COUNT_PADDING", core.count_padding ? 1 : 0);
  text.define("WINDOW_Y", core.r);
  text.define("WINDOW_X", core.s);
  text.define("STRIDE_Y", core.steps.stride[0]);
  text.define("STRIDE_X", core.steps.stride[1]);
  define_operand(text, "X", "x", core.x);
  define_operand(text, "DY", "dy", core.dy);
  text.add_tape("TAPE", tape);
  text.define_tape_call(extents.size(), tape, true);
  const std::int64_t images = std::max(e.h * e.w, e.p * e.q) * e.n * e.c;
  text.set_long_indices(!has_short_indices(operation.tape, extents) ||
                        images + std::max(core.x.offset, core.dy.offset) > most_short);
  const bool blocks = !gradient || apart;
  const std::int64_t rows = apart ? divide_up(e.h, core.r) : blocks ? e.p : e.h;
  const std::int64_t columns = apart ? divide_up(e.w, core.s) : blocks ? e.q : e.w;
  const std::int64_t count = e.n * rows * columns * e.c / width;
  text.add_index(count);
  const bool is_last = gradient ? core.channels_last : core.y_channels_last();
  const std::array<std::int64_t, 3> grid =
      is_last ? std::array{rows, columns, e.c / width} : std::array{e.c, rows, columns};
  for (const std::int64_t extent : grid) text.add_index(extent);
  for (const std::int64_t number : {e.c, e.h, e.w, e.p, e.q, core.steps.padding[0], core.steps.padding[1]})
    text.add_index(number);
  add_operand(text, core.x);
  add_operand(text, core.dy);
  text.add_arguments_of(tape);
  return single(text.finish(divide_up(count, group_size), 1, group_size));
}

}  // namespace overtake::backend
