// SPDX-License-Identifier: MIT
// Convolutions of 3 x 3 by minimal filtering (winograd.k): tiles and filters to 36 values each, products, results. The
// tiles go through scratch memory in blocks, one block after the other.
#include "backend/common/lower/winograd.hpp"

#include <algorithm>
#include <array>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "backend/common/lower/product_text.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

constexpr std::int64_t tile = 4;     // results in each direction
constexpr std::int64_t values = 36;  // of a tile or filter
constexpr std::int64_t value_bytes = sizeof(float);
constexpr std::int64_t alignment = 64;                    // of what lies in scratch memory, in elements
constexpr std::int64_t most_filter_bytes = 512LL << 20U;  // of the filters' values
constexpr int filter_group = 64;  // work-items where there is one for each filter and channel, and much to add up

// The images that are cut into tiles, by the grid of their results.
struct Grid {
  std::int64_t channels = 0, height = 0, width = 0;
  std::int64_t tiles_y = 0, tiles_x = 0;
};

std::int64_t elements_of(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const std::int64_t images = std::max(e.n * e.c * e.h * e.w, e.n * core.k * e.p * e.q);
  return std::max(images, core.k * e.c * core.r * core.s) + std::max(core.a.offset, core.b.offset);
}

bool is_data(const ConvolutionCore& core) { return core.kind == ConvolutionKind::data_gradient; }
bool is_filter(const ConvolutionCore& core) { return core.kind == ConvolutionKind::filter_gradient; }

// Of the results, and tiles along them: for filter gradients, which have none in images, of y.
Grid result_grid(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const std::int64_t height = is_data(core) ? e.h : e.p, width = is_data(core) ? e.w : e.q;
  return {is_data(core) ? e.c : core.k, height, width, divide_up(height, tile), divide_up(width, tile)};
}

std::int64_t tiles_of(const ConvolutionCore& core) {
  const Grid grid = result_grid(core);
  return core.extents.n * grid.tiles_y * grid.tiles_x;
}

// Writes the kernels of one convolution, which share the layout of scratch memory: values of filters (or the sums that
// become their gradient), then of tiles, then what the products make of these (or tiles of the gradient by y).
class WinogradWriter {
 public:
  WinogradWriter(const Operation& operation, const ConvolutionCore& core, const LoweringTraits& traits,
                 const WinogradLimits& limits)
      : operation_(operation), core_(core), grid_(result_grid(core)), filters_(core.k * core.extents.c) {
    const std::int64_t tiles = tiles_of(core);
    const std::int64_t per_tile = values * value_bytes * (core.k + core.extents.c);
    const std::int64_t blocks = divide_up(tiles, std::max<std::int64_t>(limits.block_bytes / per_tile, 1));
    block_ = divide_up(tiles, blocks);
    if (is_filter(core)) splits_ = splits_of(traits);
    block_ = divide_up(block_, splits_) * splits_;
    plan_ = plan_of(traits);
    const auto place = [&](std::int64_t elements) {
      const std::int64_t at = elements_;
      elements_ += divide_up(elements, alignment) * alignment;
      return at;
    };
    filters_at_ = place(values * splits_ * filters_);
    tiles_at_ = place(values * block_ * (is_data(core) ? core.k : core.extents.c));
    results_at_ = place(values * block_ * (is_data(core) ? core.extents.c : core.k));
  }

  LoweredOperation write() {
    LoweredOperation result;
    const std::int64_t all = tiles_of(core_);
    if (!is_filter(core_)) result.kernels.push_back(filters());
    for (std::int64_t first = 0; first < all; first += block_) {
      const std::int64_t count = std::min(block_, all - first);
      result.kernels.push_back(tiles(first, count, false));
      if (is_filter(core_)) result.kernels.push_back(tiles(first, count, true));
      result.kernels.push_back(products(count, is_filter(core_) && first > 0));
      if (!is_filter(core_)) result.kernels.push_back(results(first, count));
    }
    if (is_filter(core_)) result.kernels.push_back(filter_results());
    result.scratch_bytes = static_cast<std::uint64_t>(elements_ * value_bytes);
    return result;
  }

 private:
  // A sum over tiles is one group's work for each 128 x 64 of its results, which may be few.
  [[nodiscard]] std::int64_t splits_of(const LoweringTraits& traits) const {
    constexpr std::int64_t least_tiles = 128, groups_of_unit = 4;
    const std::int64_t groups = values * divide_up(core_.k, 128) * divide_up(core_.extents.c, 64);
    const std::int64_t wanted = divide_up(groups_of_unit * traits.compute_units, groups);
    return std::clamp<std::int64_t>(wanted, 1, divide_up(block_, least_tiles));
  }

  // As if a product had its part of the units to itself.
  [[nodiscard]] MatMulPlan plan_of(const LoweringTraits& traits) const {
    LoweringTraits share = traits;
    share.compute_units = static_cast<int>(divide_up(traits.compute_units, values * splits_));
    const ScratchProducts shape = shape_of(block_, false);
    return plan_matmul(shape.m, shape.n, shape.k, share, {.splits = 1});
  }

  // The products over a block of `count` tiles.
  [[nodiscard]] ScratchProducts shape_of(std::int64_t count, bool adds) const {
    const std::int64_t c = core_.extents.c, k = core_.k;
    ScratchProducts shape;
    shape.batch = values * splits_;
    shape.adds = adds;
    if (is_filter(core_)) {
      const std::int64_t part = divide_up(count, splits_);
      shape.m = k;
      shape.n = c;
      shape.k = part;
      shape.a = {results_at_, part * k, 1, k};
      shape.b = {tiles_at_, part * c, c, 1};
      shape.result_offset = filters_at_;
      shape.result_step = filters_;
      return shape;
    }
    const std::int64_t depth = is_data(core_) ? k : c;
    shape.m = count;
    shape.n = grid_.channels;
    shape.k = depth;
    shape.a = {tiles_at_, count * depth, depth, 1};
    // Values of filters lie as (36, k, c).
    shape.b = {filters_at_, filters_, is_data(core_) ? c : 1, is_data(core_) ? 1 : c};
    shape.result_offset = results_at_;
    shape.result_step = count * grid_.channels;
    return shape;
  }

  enum class Step : std::uint8_t { filters, tiles, results, filter_results };

  static KernelText begin(Step step) {
    constexpr std::array families{"winograd_filters", "winograd_tiles", "winograd_results", "winograd_filter_results"};
    KernelText text(families.at(static_cast<std::size_t>(step)), embedded::kernel_winograd);
    const bool of_filters = step == Step::filters || step == Step::filter_results;
    text.define("GROUP_SIZE", of_filters ? filter_group : group_size);
    text.define("STEP_FILTERS", step == Step::filters ? 1 : 0);
    text.define("STEP_TILES", step == Step::tiles ? 1 : 0);
    text.define("STEP_RESULTS", step == Step::results ? 1 : 0);
    return text;
  }

  [[nodiscard]] LoweredKernel filters() const {
    KernelText text = begin(Step::filters);
    text.define("TURNED", is_data(core_) ? 1 : 0);
    text.add_int(filters_);
    text.add_int(core_.extents.c);
    text.add_slot(core_.b.slot, core_.b.offset);
    text.add_scratch();
    text.add_int(filters_at_);
    return text.finish(divide_up(filters_, filter_group), 1, filter_group);
  }

  // Of images, or of the gradient by y in a filter gradient.
  [[nodiscard]] LoweredKernel tiles(std::int64_t first, std::int64_t count, bool of_gradient) const {
    const ImageExtents& e = core_.extents;
    const bool of_y = of_gradient || is_data(core_);
    const std::int64_t channels = of_y ? core_.k : e.c;
    const ImageOperand& operand = of_gradient ? core_.b : core_.a;
    KernelText text = begin(Step::tiles);
    text.define("PLACES", of_gradient ? tile : tile + 2);
    const std::int64_t work = divide_up(count, splits_) * splits_ * channels;
    for (const std::int64_t number : {work, channels, of_y ? e.p : e.h, of_y ? e.q : e.w}) text.add_int(number);
    for (const std::int64_t padding : core_.steps.padding) {
      text.add_int(of_gradient ? 0 : is_data(core_) ? 2 - padding : padding);
    }
    for (const std::int64_t number : {grid_.tiles_y, grid_.tiles_x, first, count}) text.add_int(number);
    text.add_slot(operand.slot, operand.offset);
    text.add_scratch();
    text.add_int(of_gradient ? results_at_ : tiles_at_);
    return text.finish(divide_up(work, group_size), 1, group_size);
  }

  [[nodiscard]] LoweredKernel products(std::int64_t count, bool adds) const {
    const ScratchProducts shape = shape_of(count, adds);
    const bool a_by_k = shape.a.column_stride == 1, b_by_k = shape.b.row_stride == 1;
    const PanelProduct product{shape.m, shape.n, shape.k, plan_, {a_by_k, true}, {b_by_k, true}, DType::float32};
    KernelText text("winograd_product", embedded::kernel_winograd_product);
    define_panels(text, product, ProductPhase::whole, plan_.tile.tn % 4 == 0 ? 4 : 1);
    text.define("ADDS", adds ? 1 : 0);
    for (const std::int64_t number : {shape.m, shape.n, shape.k}) text.add_int(number);
    text.add_scratch();
    for (const std::int64_t number :
         {shape.a.offset, shape.a.step, a_by_k ? shape.a.row_stride : shape.a.column_stride, shape.b.offset,
          shape.b.step, b_by_k ? shape.b.column_stride : shape.b.row_stride}) {
      text.add_int(number);
    }
    add_split_arguments(text, product, ProductPhase::whole, 0);
    text.add_int(shape.result_offset);
    text.add_int(shape.result_step);
    LoweredKernel kernel = finish_product(text, product, ProductPhase::whole);
    kernel.geometry.groups[1] = static_cast<std::uint32_t>(shape.batch);
    kernel.products = shape;
    return kernel;
  }

  void add_tape(KernelText& text, const TapeSource& tape) const {
    text.add_tape("TAPE", tape);
    text.define_tape_call(4, tape, true);
    text.add_arguments_of(tape);
  }

  [[nodiscard]] TapeSource tape_source(const std::vector<std::int64_t>& extents) const {
    return write_tape(operation_.tape, {.extents = extents, .core = ValueType::float32, .loads_apart = true});
  }

  [[nodiscard]] LoweredKernel results(std::int64_t first, std::int64_t count) const {
    KernelText text = begin(Step::results);
    const std::int64_t work = count * grid_.channels;
    for (const std::int64_t number :
         {work, grid_.channels, grid_.height, grid_.width, grid_.tiles_y, grid_.tiles_x, first}) {
      text.add_int(number);
    }
    text.add_scratch();
    text.add_int(results_at_);
    add_tape(text, tape_source(extent_of(core_).to_vector()));
    return text.finish(divide_up(work, group_size), 1, group_size);
  }

  [[nodiscard]] LoweredKernel filter_results() const {
    KernelText text = begin(Step::filter_results);
    for (const std::int64_t number : {filters_, core_.extents.c, splits_}) text.add_int(number);
    text.add_scratch();
    text.add_int(filters_at_);
    add_tape(text, tape_source(extent_of(core_).to_vector()));
    return text.finish(divide_up(filters_, filter_group), 1, filter_group);
  }

  const Operation& operation_;
  const ConvolutionCore& core_;
  Grid grid_;
  std::int64_t filters_;     // filters times channels
  std::int64_t block_ = 0;   // tiles
  std::int64_t splits_ = 1;  // of a block, where tiles are summed over
  MatMulPlan plan_;
  std::int64_t filters_at_ = 0, tiles_at_ = 0, results_at_ = 0;  // in scratch memory
  std::int64_t elements_ = 0;                                    // of scratch memory
};

}  // namespace

bool can_filter_minimally(const ConvolutionCore& core) {
  const WindowSteps& steps = core.steps;
  const bool is_plain = core.groups == 1 && core.r == 3 && core.s == 3 && core.channels_last &&
                        steps.stride == std::array<std::int64_t, 2>{1, 1} &&
                        steps.dilation == std::array<std::int64_t, 2>{1, 1} &&
                        std::max(steps.padding[0], steps.padding[1]) <= 2;
  const bool is_float = core.a.dtype == DType::float32 && core.b.dtype == DType::float32;
  const bool is_aligned = core.extents.c % 4 == 0 && core.k % 4 == 0;
  // Places before the image's first one and behind its last one are counted too.
  return is_plain && is_float && is_aligned && elements_of(core) <= most_short / 2 &&
         core.k * core.extents.c * values * value_bytes <= most_filter_bytes;
}

bool is_faster_minimally(const ConvolutionCore& core) {
  constexpr std::int64_t least_channels = 32, least_tiles = 256;
  constexpr std::int64_t least_multiply_adds = std::int64_t{1} << 27U;
  if (!can_filter_minimally(core) || std::min(core.extents.c, core.k) < least_channels) return false;
  const std::int64_t tiles = tiles_of(core);
  const Grid grid = result_grid(core);
  const std::int64_t places = core.extents.n * grid.height * grid.width;
  const bool is_full = 2 * places >= tiles * tile * tile;  // most of the tiles lies in images
  return tiles >= least_tiles && is_full && places * core.r * core.s * core.extents.c >= least_multiply_adds / core.k;
}

LoweredOperation lower_winograd(const Operation& operation, const ConvolutionCore& core, const LoweringTraits& traits,
                                const WinogradLimits& limits) {
  return WinogradWriter(operation, core, traits, limits).write();
}

}  // namespace overtake::backend
