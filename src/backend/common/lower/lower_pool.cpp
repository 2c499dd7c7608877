// SPDX-License-Identifier: MIT
// Pooling and its gradients.
#include <fmt/format.h>

#include <algorithm>

#include "backend/common/lower/image_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

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

// What each work-item computes.
struct Work {
  bool gradient = false;
  bool apart = false;  // blocks of the image
  int width = 1;       // channels
  std::int64_t rows = 0, columns = 0;
};

Work work_of(const Operation& operation, const PoolCore& core) {
  const ImageExtents& e = core.extents;
  Work work;
  work.gradient = core.kind == PoolKind::max_gradient || core.kind == PoolKind::average_gradient;
  work.apart = work.gradient && windows_are_apart(core);
  const bool wide = core.y_channels_last() && core.x.offset % 4 == 0 && core.dy.offset % 4 == 0 &&
                    can_widen(operation.tape, extent_of(core).to_vector());
  work.width = wide ? 4 : 1;
  const bool blocks = !work.gradient || work.apart;
  work.rows = work.apart ? divide_up(e.h, core.r) : blocks ? e.p : e.h;
  work.columns = work.apart ? divide_up(e.w, core.s) : blocks ? e.q : e.w;
  return work;
}

void define_core(KernelText& text, const PoolCore& core, const Work& work) {
  const bool average = core.kind == PoolKind::average || core.kind == PoolKind::average_gradient;
  text.define("GROUP_SIZE", group_size);
  text.define("WIDTH", work.width);
  text.define("CHANNELS_LAST", core.channels_last ? 1 : 0);
  text.define("WINDOWS_LAST", core.y_channels_last() ? 1 : 0);
  text.define("KIND_AVERAGE", average ? 1 : 0);
  text.define("GRADIENT", work.gradient ? 1 : 0);
  text.define("APART", work.apart ? 1 : 0);
  text.define("WHOLE", work.apart && core.extents.h % core.r + core.extents.w % core.s == 0 ? 1 : 0);
  text.define("INSIDE", windows_are_inside(core) ? 1 : 0);
  text.define("READS_X", core.kind != PoolKind::average_gradient ? 1 : 0);
  text.define("COUNT_PADDING", core.count_padding ? 1 : 0);
  text.define("WINDOW_Y", core.r);
  text.define("WINDOW_X", core.s);
  text.define("STRIDE_Y", core.steps.stride[0]);
  text.define("STRIDE_X", core.steps.stride[1]);
  text.define("SUMS", core.sums.slot >= 0 ? 1 : 0);
  define_operand(text, "X", "x", core.x);
  define_operand(text, "DY", "dy", core.dy);
}

// The kernel's own numbers, for sums: gives the number of groups.
std::int64_t share_out_sums(KernelText& text, const PoolCore& core, const Work& work) {
  // 16 runs of four channels of bfloat16 are a line of the cache; fewer where groups would be too few for the units.
  constexpr std::int64_t few_groups = 512;
  const std::int64_t runs = divide_up(core.extents.c, work.width);
  const int most = core.sums.parts * divide_up(runs, 16) < few_groups ? 8 : 16;
  const int columns = lanes_for(runs, most);
  text.define("COLUMNS", columns);
  text.define("LANES", group_size / columns);
  const std::int64_t count = core.extents.n * work.rows * work.columns, tiles = divide_up(runs, columns);
  for (const std::int64_t number : {count, divide_up(count, core.sums.parts), tiles, work.rows, work.columns})
    text.add_index(number);
  return core.sums.parts * tiles;
}

// The same for one work-item a place and run of channels.
std::int64_t share_out(KernelText& text, const PoolCore& core, const Work& work) {
  const ImageExtents& e = core.extents;
  const std::int64_t count = e.n * work.rows * work.columns * e.c / work.width;
  const bool is_last = work.gradient ? core.channels_last : core.y_channels_last();
  const std::array<std::int64_t, 3> grid =
      is_last ? std::array{work.rows, work.columns, e.c / work.width} : std::array{e.c, work.rows, work.columns};
  text.add_index(count);
  for (const std::int64_t extent : grid) text.add_index(extent);
  return divide_up(count, group_size);
}

}  // namespace

LoweredOperation lower_pool(const Operation& operation, const PoolCore& core) {
  const ImageExtents& e = core.extents;
  const std::vector<std::int64_t> extents = extent_of(core).to_vector();
  const Work work = work_of(operation, core);
  TapeRequest request{.extents = extents, .core = ValueType::float32, .width = work.width};
  const bool sums = core.sums.slot >= 0;
  if (sums && !(work.gradient && core.channels_last))
    throw InternalError("lowering a pool: sums by channel of what is no gradient with its channels last");
  if (sums) request.gives = core.sums.value_register;
  const TapeSource tape = write_tape(operation.tape, request);
  KernelText text("pool", embedded::kernel_pool);
  define_core(text, core, work);
  text.add_tape("TAPE", tape);
  text.define("TAPE_ARGUMENTS", tape.call);
  text.define_tape_call(extents.size(), tape, true);
  const std::int64_t images = std::max(e.h * e.w, e.p * e.q) * e.n * e.c;
  text.set_long_indices(!has_short_indices(operation.tape, extents) ||
                        images + std::max(core.x.offset, core.dy.offset) > most_short);
  const std::int64_t groups = sums ? share_out_sums(text, core, work) : share_out(text, core, work);
  for (const std::int64_t number : {e.c, e.h, e.w, e.p, e.q, core.steps.padding[0], core.steps.padding[1]})
    text.add_index(number);
  if (sums) text.add_slot(core.sums.slot, 0);
  add_operand(text, core.x);
  add_operand(text, core.dy);
  text.add_arguments_of(tape);
  return single(text.finish(groups, 1, group_size));
}

}  // namespace overtake::backend
