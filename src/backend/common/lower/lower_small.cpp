// SPDX-License-Identifier: MIT
#include "backend/common/lower/small.hpp"

#include <algorithm>

#include "backend/common/lower/image_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "backend/common/lower/parts.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

constexpr std::int64_t most_inputs = 16;
constexpr std::int64_t most_filter_floats = 4096;
constexpr std::int64_t most_columns = 64;
constexpr std::int64_t most_items = 256;       // of a group that have different results
constexpr std::int64_t most_work_items = 512;  // of a group
constexpr std::int64_t most_window = 8;        // along a row, which is written out
constexpr std::int64_t warp = 32;
constexpr std::int64_t places = 4;

bool is_by_filters(const ConvolutionCore& core) { return core.kind == ConvolutionKind::filter_gradient; }

// A convolution as the kernels call its parts.
struct Sides {
  std::int64_t inputs = 0, results = 0;  // channels
  std::int64_t rows = 0, columns = 0;    // positions
  std::int64_t height = 0, width = 0;    // of the images below them
  std::array<std::int64_t, 2> padding{};
};

// A gradient by images is a convolution with the window turned round.
Sides sides_of(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const auto& padding = core.steps.padding;
  if (core.kind != ConvolutionKind::data_gradient) return {e.c, core.k, e.p, e.q, e.h, e.w, padding};
  return {core.k, e.c, e.h, e.w, e.p, e.q, {core.r - 1 - padding[0], core.s - 1 - padding[1]}};
}

std::int64_t whole_vectors(std::int64_t floats) { return divide_up(floats, 4) * 4; }
std::int64_t sets_of(const Sides& sides) { return divide_up(sides.columns, places); }

// Floats of the strip below a tile.
std::int64_t strip_floats(const ConvolutionCore& core, const Sides& sides, std::int64_t rows) {
  const std::int64_t pitch = (sets_of(sides) - 1) * places + whole_vectors(places + core.s - 1);
  return sides.inputs * (rows + core.r - 1) * pitch;
}

// Results of a work-item: a number that divides them, large enough to use what it reads several times; 0 if there is
// none.
std::int64_t outputs_of(std::int64_t results) {
  for (const std::int64_t outputs : {6, 5, 4, 8, 7, 3}) {
    if (results % outputs == 0) return outputs;
  }
  return results <= 2 ? results : 0;
}

// What a group of a plan needs of local memory: its operands, then in their place the sums of its work-items.
std::int64_t local_floats(const ConvolutionCore& core, const Sides& sides, const SmallPlan& plan) {
  const std::int64_t strip = strip_floats(core, sides, plan.rows);
  const std::int64_t blocks = sides.results / plan.outputs;
  if (is_by_filters(core)) {
    const std::int64_t above = sides.results * plan.rows * sets_of(sides) * places;
    return std::max(strip + above, whole_vectors(core.s * plan.outputs * plan.items * plan.splits));
  }
  const std::int64_t filters = sides.inputs * core.r * blocks * whole_vectors(core.s * plan.outputs);
  return std::max(strip + filters, whole_vectors(plan.splits * places * plan.outputs * (plan.items + 1)));
}

// The plan for tiles of that many rows, with as many work-items to a sum as there is room for.
std::optional<SmallPlan> plan_rows(const ConvolutionCore& core, const Sides& sides, const LoweringTraits& traits,
                                   std::int64_t rows) {
  SmallPlan plan{.rows = rows, .tiles_y = divide_up(sides.rows, rows), .outputs = outputs_of(sides.results)};
  const std::int64_t blocks = sides.results / plan.outputs;
  const std::int64_t sets = rows * sets_of(sides);
  // Those of one split of a sum are whole warps, whose work-items read the same filters.
  plan.items = is_by_filters(core) ? sides.inputs * core.r * blocks : divide_up(sets * blocks, warp) * warp;
  const std::int64_t room = std::min<std::int64_t>(most_work_items, traits.max_group_size) / plan.items;
  if (plan.items > most_items || room == 0) return std::nullopt;
  const std::int64_t shared = is_by_filters(core) ? sets : sides.inputs;
  const auto bytes = static_cast<std::int64_t>(traits.local_bytes);
  for (std::int64_t splits = std::min(room, shared); splits > 0; --splits) {
    plan.splits = divide_up(shared, divide_up(shared, splits));  // without idle ones
    plan.floats = local_floats(core, sides, plan);
    if (plan.floats * static_cast<std::int64_t>(sizeof(float)) <= bytes) return plan;
  }
  return std::nullopt;
}

KernelText begin(const ConvolutionCore& core, const Sides& sides, const SmallPlan& plan) {
  const bool by_filters = is_by_filters(core);
  KernelText text(by_filters ? "convolution_small_filters" : "convolution_small",
                  by_filters ? embedded::kernel_convolution_small_filters : embedded::kernel_convolution_small);
  text.define("CHANNELS", sides.inputs);
  text.define("RESULTS", sides.results);
  text.define("OUTPUTS", plan.outputs);
  text.define("TILE_Y", plan.rows);
  text.define("SETS_X", sets_of(sides));
  text.define("WINDOW_Y", core.r);
  text.define("WINDOW_X", core.s);
  text.define("SPLITS", plan.splits);
  text.define("WORK_COUNT", plan.items * plan.splits);
  text.define("LOCAL_FLOATS", plan.floats);
  define_operand(text, "A", "a", core.a);
  define_operand(text, "B", "b", core.b);
  for (const std::int64_t number : {sides.rows, sides.columns, sides.height, sides.width}) text.add_int(number);
  for (const std::int64_t padding : sides.padding) text.add({LoweredArgument::Kind::int32, padding, -1});
  text.add_int(plan.tiles_y);
  return text;
}

LoweredOperation lower_filters(const Operation& operation, const ConvolutionCore& core, const LoweringTraits& traits,
                               const SmallPlan& plan) {
  const Sides sides = sides_of(core);
  const std::int64_t tiles = core.extents.n * plan.tiles_y;
  // All at the same time, each with its share of the tiles: the second kernel adds up what each leaves.
  const std::int64_t groups = std::min<std::int64_t>(tiles, traits.compute_units);
  KernelText text = begin(core, sides, plan);
  text.define("PARTIAL", sides.columns % places == 0 ? 0 : 1);
  text.add_int(tiles);
  add_operand(text, core.a);
  add_operand(text, core.b);
  text.add_scratch();
  LoweredOperation result = single(text.finish(groups, 1, static_cast<int>(plan.items * plan.splits)));
  result.kernels.push_back(lower_parts(operation, groups));
  result.scratch_bytes = bytes_of_parts(operation, groups);
  return result;
}

}  // namespace

std::optional<SmallPlan> plan_small(const ConvolutionCore& core, const LoweringTraits& traits) {
  constexpr std::array<std::int64_t, 2> by_one{1, 1};
  const Sides sides = sides_of(core);
  const bool is_plain =
      core.groups == 1 && core.channels_last && core.steps.stride == by_one && core.steps.dilation == by_one;
  const bool is_few = sides.inputs > 0 && sides.inputs <= most_inputs && outputs_of(sides.results) > 0 &&
                      sides.inputs * sides.results * core.r * core.s <= most_filter_floats;
  const bool is_small = sides.columns <= most_columns && core.s <= most_window && core.extents.n > 0 &&
                        sides.rows > 0 && sides.columns > 0;
  if (!is_plain || !is_few || !is_small) return std::nullopt;
  // As many tiles as keep the units busy, with a few of them to spare; fewer rows where they do not fit.
  const std::int64_t enough = std::int64_t{traits.compute_units} * 15 / 16;
  std::int64_t tiles_y = std::min(sides.rows, divide_up(std::max<std::int64_t>(enough, 1), core.extents.n));
  for (;; ++tiles_y) {
    const std::int64_t rows = divide_up(sides.rows, tiles_y);
    auto plan = plan_rows(core, sides, traits, rows);
    if (plan || rows == 1) return plan;
  }
}

LoweredOperation lower_small(const Operation& operation, const ConvolutionCore& core, const LoweringTraits& traits,
                             const SmallPlan& plan) {
  if (is_by_filters(core)) return lower_filters(operation, core, traits, plan);
  const std::vector<std::int64_t> extents = operation.extent.to_vector();
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = ValueType::float32});
  KernelText text = begin(core, sides_of(core), plan);
  text.define("FLIPPED", core.kind == ConvolutionKind::data_gradient ? 1 : 0);
  text.define("ITEMS", plan.items);
  add_operand(text, core.a);
  add_operand(text, core.b);
  text.add_tape("TAPE", tape);
  text.define_tape_call(extents.size(), tape, true);
  text.add_arguments_of(tape);
  return single(text.finish(core.extents.n * plan.tiles_y, 1, static_cast<int>(plan.items * plan.splits)));
}

}  // namespace overtake::backend
