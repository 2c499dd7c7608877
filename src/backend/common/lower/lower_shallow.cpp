// SPDX-License-Identifier: MIT
#include <algorithm>

#include "backend/common/lower/image_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "backend/common/lower/parts.hpp"
#include "backend/common/lower/shallow.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

constexpr std::int64_t most_taps = 28;  // four registers of a work-item each
constexpr std::int64_t most_span = 40;  // floats of an image's row below a set
constexpr std::int64_t outputs = 4;     // of a work-item, as OUTPUTS and PLACES of the kernel
constexpr std::int64_t places = 4;
constexpr std::int64_t work_items = 128;  // of a group
constexpr std::int64_t most_strip_bytes = 16 << 10;
constexpr std::int64_t least_positions = 1 << 14;

bool is_forward(const ConvolutionCore& core) { return core.kind == ConvolutionKind::forward; }

std::int64_t span_of(const ConvolutionCore& core) {
  return divide_up(((places - 1) * core.steps.stride[1] + core.s) * core.extents.c, 4) * 4;
}

// Groups of a unit: with three a work-item has 168 registers on CUDA, which long rows of the image exceed.
std::int64_t resident_of(const ConvolutionCore& core) { return span_of(core) <= 24 ? 3 : 2; }

// The tiles of positions that groups take.
struct Tiles {
  std::int64_t rows = 1, sets_x = 1;  // of a tile
  std::int64_t y = 0, x = 0;          // tiles of an image
};

Tiles tiles_of(const ConvolutionCore& core, std::int64_t rows) {
  constexpr std::int64_t most_columns = 64;
  const ImageExtents& e = core.extents;
  Tiles tiles;
  tiles.rows = rows;
  tiles.x = divide_up(e.q, most_columns);
  tiles.sets_x = divide_up(divide_up(e.q, tiles.x), places);
  tiles.x = divide_up(e.q, tiles.sets_x * places);
  tiles.y = divide_up(e.p, rows);
  return tiles;
}

std::int64_t strip_bytes(const ConvolutionCore& core, const Tiles& tiles) {
  const std::int64_t pitch = (tiles.sets_x - 1) * places * core.steps.stride[1] * core.extents.c + span_of(core);
  return ((tiles.rows - 1) * core.steps.stride[0] + core.r) * pitch * static_cast<std::int64_t>(sizeof(float));
}

// As many rows as fit, since the strips of tiles overlap, unless units would be idle; groups that have many tiles one
// after the other end at nearly the same time.
Tiles choose_tiles(const ConvolutionCore& core, const LoweringTraits& traits) {
  constexpr std::int64_t most_rows = 16;
  const std::int64_t least_of_unit = is_forward(core) ? 2 : 64;
  Tiles tiles = tiles_of(core, most_rows);
  const auto is_too_large = [&] {
    const std::int64_t count = core.extents.n * tiles.y * tiles.x;
    return strip_bytes(core, tiles) > most_strip_bytes || tiles.rows >= 2 * core.extents.p ||
           count < least_of_unit * traits.compute_units;
  };
  while (tiles.rows > 1 && is_too_large()) tiles = tiles_of(core, tiles.rows / 2);
  return tiles;
}

// Filters that a group has.
std::int64_t block_of(const ConvolutionCore& core) {
  for (const std::int64_t block : {128, 64}) {
    if (core.k % block == 0) return block;
  }
  return 32;
}

KernelText begin(const ConvolutionCore& core, const Tiles& tiles) {
  const std::int64_t lanes = block_of(core) / outputs;
  KernelText text(is_forward(core) ? "convolution_shallow" : "convolution_shallow_filters",
                  embedded::kernel_convolution_shallow);
  text.define("FORWARD", is_forward(core) ? 1 : 0);
  text.define("LANES", lanes);
  text.define("SETS", work_items / lanes);
  text.define("SETS_X", tiles.sets_x);
  text.define("TILE_Y", tiles.rows);
  text.define("WINDOW_Y", core.r);
  text.define("WINDOW_X", core.s);
  text.define("CHANNELS", core.extents.c);
  text.define("STRIDE_Y", core.steps.stride[0]);
  text.define("STRIDE_X", core.steps.stride[1]);
  text.define("RESIDENT", resident_of(core));
  define_operand(text, "A", "a", core.a);
  define_operand(text, "B", "b", core.b);
  const ImageExtents& e = core.extents;
  for (const std::int64_t number :
       {e.p, e.q, e.h, e.w, core.k, core.steps.padding[0], core.steps.padding[1], tiles.y, tiles.x}) {
    text.add_int(number);
  }
  return text;
}

LoweredOperation lower_forward(const Operation& operation, const ConvolutionCore& core, const LoweringTraits& traits) {
  const std::vector<std::int64_t> extents = operation.extent.to_vector();
  const int width = can_widen(operation.tape, extents) ? 4 : 1;
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = ValueType::float32, .width = width});
  const Tiles tiles = choose_tiles(core, traits);
  KernelText text = begin(core, tiles);
  text.define("WIDTH", width);
  add_operand(text, core.a);
  add_operand(text, core.b);
  text.add_tape("TAPE", tape);
  text.define_tape_call(extents.size(), tape, true);
  text.add_arguments_of(tape);
  return single(text.finish(core.extents.n * tiles.y * tiles.x, core.k / block_of(core), work_items));
}

LoweredOperation lower_filters(const Operation& operation, const ConvolutionCore& core, const LoweringTraits& traits) {
  const Tiles tiles = choose_tiles(core, traits);
  const std::int64_t count = core.extents.n * tiles.y * tiles.x;
  const std::int64_t blocks = core.k / block_of(core);
  // All groups at the same time, each with its share of the tiles.
  const std::int64_t groups =
      std::clamp<std::int64_t>(divide_up(resident_of(core) * traits.compute_units, blocks), 1, count);
  KernelText text = begin(core, tiles);
  text.define("PARTIAL", core.extents.q % places == 0 ? 0 : 1);
  text.add_int(count);
  add_operand(text, core.a);
  add_operand(text, core.b);
  text.add_scratch();
  LoweredOperation result = single(text.finish(groups, blocks, work_items));
  result.kernels.push_back(lower_parts(operation, groups));
  result.scratch_bytes = bytes_of_parts(operation, groups);
  return result;
}

}  // namespace

bool is_shallow(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const bool is_plain = core.groups == 1 && core.channels_last && core.kind != ConvolutionKind::data_gradient &&
                        core.steps.dilation == std::array<std::int64_t, 2>{1, 1};
  const std::int64_t taps = core.r * core.s * e.c;
  const bool is_few = taps > 0 && taps <= most_taps && core.k > 0 && core.k % 32 == 0 && span_of(core) <= most_span;
  if (!is_plain || !is_few || e.n * e.p * e.q == 0) return false;
  const std::int64_t elements = std::max(e.n * e.c * e.h * e.w, e.n * e.p * e.q * core.k);
  const bool is_aligned = is_forward(core) || core.b.offset % 4 == 0;
  return is_aligned && elements + std::max(core.a.offset, core.b.offset) <= most_short / 2 &&
         strip_bytes(core, tiles_of(core, 1)) <= most_strip_bytes;
}

bool is_faster_shallow(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  return is_shallow(core) && e.n * e.p * e.q >= least_positions;
}

LoweredOperation lower_shallow(const Operation& operation, const ConvolutionCore& core, const LoweringTraits& traits) {
  return is_forward(core) ? lower_forward(operation, core, traits) : lower_filters(operation, core, traits);
}

}  // namespace overtake::backend
