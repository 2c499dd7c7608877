// SPDX-License-Identifier: MIT
// Convolutions and their gradients.
#include <algorithm>
#include <array>
#include <bit>

#include "backend/common/lower/few_channels.hpp"
#include "backend/common/lower/image_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "backend/common/lower/product_text.hpp"
#include "backend/common/lower/shallow.hpp"
#include "backend/common/lower/small.hpp"
#include "backend/common/lower/winograd.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

// Elements of the largest array that a convolution reads or writes, and before its first one.
std::int64_t reach(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const std::int64_t filters = core.k * (e.c / core.groups) * core.r * core.s;
  return std::max({e.n * e.c * e.h * e.w, e.n * core.k * e.p * e.q, filters}) + std::max(core.a.offset, core.b.offset);
}

// One result a work-item.
LoweredKernel lower_directly(const Operation& operation, const ConvolutionCore& core) {
  const std::vector<std::int64_t> extents = extent_of(core).to_vector();
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = ValueType::float32});
  KernelText text("convolution", embedded::kernel_convolution);
  text.define("GROUP_SIZE", group_size);
  text.define("CHANNELS_LAST", core.channels_last ? 1 : 0);
  text.define("KIND_FORWARD", core.kind == ConvolutionKind::forward ? 1 : 0);
  text.define("KIND_DATA", core.kind == ConvolutionKind::data_gradient ? 1 : 0);
  define_operand(text, "A", "a", core.a);
  define_operand(text, "B", "b", core.b);
  text.add_tape("TAPE", tape);
  text.define_tape_call(extents.size(), tape, true);
  text.set_long_indices(!has_short_indices(operation.tape, extents) || reach(core) > most_short);
  const std::int64_t count = operation.extent.size();
  text.add_index(count);
  for (std::size_t axis = 1; axis < extents.size(); ++axis) text.add_index(extents[axis]);
  const ImageExtents& e = core.extents;
  const WindowSteps& steps = core.steps;
  for (const std::int64_t number : {e.n, e.c, e.h, e.w, core.k, e.p, e.q, core.r, core.s, core.groups}) {
    text.add_index(number);
  }
  for (const auto& pair : {steps.stride, steps.padding, steps.dilation}) {
    for (const std::int64_t number : pair) text.add_index(number);
  }
  add_operand(text, core.a);
  add_operand(text, core.b);
  text.add_arguments_of(tape);
  return text.finish(divide_up(count, group_size), 1, group_size);
}

// A convolution as a product (convolution_panels.k): `gathered` by `dense`.
struct ImageProduct {
  bool gathers_a = false;
  std::int64_t rows = 0, columns = 0, depth = 0;
  PanelLayout gathered, dense;
  // The grid of positions, and the images that are gathered.
  std::int64_t grid_y = 0, grid_x = 0, channels = 0, image_y = 0, image_x = 0;
  // Where the dense operand's elements are: blocks of k (0: one), and strides.
  std::int64_t block = 0, block_stride = 0, k_stride = 1, outer_stride = 1;
};

void set_dense(ImageProduct& product, const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const std::int64_t window = core.r * core.s, places = e.p * e.q;
  std::int64_t neighbours = product.depth;
  if (core.kind == ConvolutionKind::forward) {
    product.dense.by_k = true;
    product.outer_stride = product.depth;
  } else if (core.channels_last) {
    const bool data = core.kind == ConvolutionKind::data_gradient;
    neighbours = data ? e.c : core.k;
    product.block = data ? core.k : 0;
    product.block_stride = e.c;
    product.k_stride = data ? window * e.c : core.k;
  } else {
    const bool data = core.kind == ConvolutionKind::data_gradient;
    product.dense.by_k = true;
    neighbours = product.block = product.outer_stride = data ? window : places;
    product.block_stride = data ? e.c * window : core.k * places;
  }
  product.dense.vector = neighbours % 4 == 0 && core.b.offset % 4 == 0;
}

ImageProduct image_product(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const bool data = core.kind == ConvolutionKind::data_gradient;
  const bool filters = core.kind == ConvolutionKind::filter_gradient;
  ImageProduct product;
  product.grid_y = data ? e.h : e.p;
  product.grid_x = data ? e.w : e.q;
  product.channels = data ? core.k : e.c;
  product.image_y = data ? e.p : e.h;
  product.image_x = data ? e.q : e.w;
  const std::int64_t positions = e.n * product.grid_y * product.grid_x;
  const std::int64_t taps = core.r * core.s * product.channels;
  const std::int64_t others = data ? e.c : core.k;
  product.gathers_a = core.channels_last && !filters;
  product.rows = product.gathers_a ? positions : others;
  product.columns = filters ? taps : product.gathers_a ? others : positions;
  product.depth = filters ? positions : taps;
  product.gathered.by_k = core.channels_last != filters;
  product.gathered.vector = core.channels_last && product.channels % 4 == 0 && core.a.offset % 4 == 0;
  set_dense(product, core);
  return product;
}

void add_number(KernelText& text, std::int64_t value) { text.add({LoweredArgument::Kind::int32, value, -1}); }

// d, and `by` and `shift` so that n / d is (2 n by) >> (32 + shift) for 0 <= n < 2^31 (Granlund and Montgomery 1994).
void add_divisor(KernelText& text, std::int64_t d) {
  const auto divisor = static_cast<std::uint64_t>(std::max<std::int64_t>(d, 1));
  const auto shift = static_cast<int>(std::bit_width(divisor - 1));
  const std::uint64_t by = ((std::uint64_t{1} << (31 + shift)) + divisor - 1) / divisor;
  text.add_int(d);
  add_number(text, std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(by)));
  text.add_int(shift);
}

void add_geometry(KernelText& text, const ConvolutionCore& core, const ImageProduct& product) {
  add_divisor(text, product.grid_y);
  add_divisor(text, product.grid_x);
  add_divisor(text, product.channels);
  text.add_int(product.image_y);
  text.add_int(product.image_x);
  const WindowSteps& steps = core.steps;
  const bool data = core.kind == ConvolutionKind::data_gradient;
  for (const std::int64_t stride : steps.stride) text.add_int(data ? 1 : stride);
  for (const std::int64_t padding : steps.padding) add_number(text, data ? -padding : padding);
  for (const std::int64_t dilation : steps.dilation) add_number(text, data ? -dilation : dilation);
  add_divisor(text, product.block);
  text.add_int(product.block_stride);
  text.add_int(product.k_stride);
  text.add_int(product.outer_stride);
}

void define_geometry(KernelText& text, const ConvolutionCore& core, const ImageProduct& product) {
  const bool strided =
      core.kind == ConvolutionKind::data_gradient && core.steps.stride != std::array<std::int64_t, 2>{1, 1};
  text.define("CHANNELS_LAST", core.channels_last ? 1 : 0);
  text.define("GATHER_A", product.gathers_a ? 1 : 0);
  text.define("TAPS_OUTSIDE", core.kind == ConvolutionKind::filter_gradient ? 1 : 0);
  text.define("DENSE_BLOCKS", product.block > 0 ? 1 : 0);
  text.define("WINDOW_Y", core.r);
  text.define("WINDOW_X", core.s);
  text.define("STRIDED", strided ? 1 : 0);
  if (!strided) return;
  text.define("STRIDE_Y", core.steps.stride[0]);
  text.define("STRIDE_X", core.steps.stride[1]);
}

MatMulPlan plan_of(const ConvolutionCore& core, const LoweringTraits& traits) {
  const ImageProduct product = image_product(core);
  PlanLimits limits;
  // Elements gathered one by one need their places in registers; long sums over positions are split further.
  if (!product.gathered.vector) limits.results = 32;
  if (core.kind == ConvolutionKind::filter_gradient) limits.splits = 256;
  return plan_matmul(product.rows, product.columns, product.depth, traits, limits);
}

}  // namespace

LoweredOperation lower_convolution(const Operation& operation, const ConvolutionCore& core,
                                   const LoweringTraits& traits, const MatMulPlan& plan) {
  const ImageProduct image = image_product(core);
  const PanelLayout a = image.gathers_a ? image.gathered : image.dense;
  const PanelLayout b = image.gathers_a ? image.dense : image.gathered;
  const PanelProduct product{image.rows, image.columns, image.depth, plan, a, b, core.a.dtype};
  const std::vector<std::int64_t> extents = extent_of(core).to_vector();
  const bool wide = plan.tile.tn % 4 == 0 && can_widen(operation.tape, extents);
  const int width = wide ? 4 : 1;
  const TapeSource tape =
      write_tape(operation.tape, {.extents = extents, .core = ValueType::float32, .width = width, .loads_apart = true});
  return lower_in_phases(product, traits, [&](ProductPhase phase, std::int64_t tickets) {
    KernelText text("convolution_product", embedded::kernel_convolution_product);
    define_panels(text, product, phase, width);
    define_geometry(text, core, image);
    const bool stores = phase != ProductPhase::partial;
    if (stores) {
      text.add_tape("TAPE", tape);
      text.define_tape_call(extents.size(), tape, true);
    } else {
      text.define("TAPE_PARAMETERS", "");
    }
    text.add_int(product.rows);
    text.add_int(product.columns);
    if (phase != ProductPhase::finish) {
      text.add_int(product.depth);
      for (const ImageOperand& operand : {image.gathers_a ? core.a : core.b, image.gathers_a ? core.b : core.a}) {
        text.add_slot(operand.slot, operand.offset);
      }
    }
    add_geometry(text, core, image);
    add_split_arguments(text, product, phase, tickets);
    if (stores) text.add_arguments_of(tape);
    return finish_product(text, product, phase);
  });
}

LoweredOperation lower_convolution(const Operation& operation, const ConvolutionCore& core,
                                   const LoweringTraits& traits) {
  const std::vector<std::int64_t> extents = extent_of(core).to_vector();
  const bool is_short = reach(core) <= most_short && has_short_indices(operation.tape, extents);
  if (is_short && is_faster_minimally(core)) return lower_winograd(operation, core, traits);
  if (core.groups > 1 || !is_short) return single(lower_directly(operation, core));
  if (is_faster_shallow(core)) return lower_shallow(operation, core, traits);
  if (const auto plan = plan_small(core, traits)) return lower_small(operation, core, traits, *plan);
  if (has_few_channels(core)) return lower_few_channels(operation, core);
  return lower_convolution(operation, core, traits, plan_of(core, traits));
}

}  // namespace overtake::backend
