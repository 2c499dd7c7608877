// SPDX-License-Identifier: MIT
// conv2d and its two gradients, which are each other's.
#include <fmt/format.h>

#include <algorithm>

#include "graph/primitives/layout.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"
#include "overtake/ops/images.hpp"
#include "overtake/precision.hpp"

namespace overtake {
namespace {

using backend::ConvolutionCore;
using backend::ConvolutionKind;
using graph::Operand;

// Operands and result in the order of memory that `core` says; `narrow`: float32 operands are rounded to bfloat16.
Array convolution(const ConvolutionCore& core, const Array& a, const Array& b, bool narrow);

class Convolution final : public graph::Core {
 public:
  // Without operands but for the type of the first.
  Convolution(const ConvolutionCore& core, bool narrow) : core_(core), narrow_(narrow) {}
  [[nodiscard]] std::string_view name() const override {
    switch (core_.kind) {
      case ConvolutionKind::forward: break;
      case ConvolutionKind::data_gradient: return "conv2d_data_gradient";
      case ConvolutionKind::filter_gradient: return "conv2d_filter_gradient";
    }
    return "conv2d";
  }
  void sign(graph::Signature& signature) const override {
    const backend::ImageExtents& e = core_.extents;
    const backend::WindowSteps& s = core_.steps;
    for (const std::int64_t number :
         {e.n, e.c, e.h, e.w, e.p, e.q, core_.k, core_.r, core_.s, core_.groups, s.stride[0], s.stride[1], s.padding[0],
          s.padding[1], s.dilation[0], s.dilation[1], std::int64_t{core_.channels_last}, std::int64_t{core_.tf32},
          std::int64_t{narrow_}}) {
      signature.add(static_cast<std::uint64_t>(number));
    }
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array&, const Array& g,
                                       const std::vector<bool>& wanted) const override {
    const auto of = [&](ConvolutionKind kind, const Array& a, const Array& b) {
      ConvolutionCore core = core_;
      core.kind = kind;
      const Array gradient = convolution(core, a, b, narrow_);
      // Of filters in bfloat16, too, parameters or not: what libraries have their fast kernels for, and what
      // frameworks that round parameters for a product give.
      const bool is_rounded = kind == ConvolutionKind::filter_gradient && core.a.dtype == DType::bfloat16;
      return is_rounded ? astype(gradient, DType::bfloat16) : gradient;
    };
    std::vector<Array> result(2);
    switch (core_.kind) {
      case ConvolutionKind::forward:  // by x first: it reads the filters, which an optimiser updates in place
        if (wanted[0]) result[0] = of(ConvolutionKind::data_gradient, g, in[1]);
        if (wanted[1]) result[1] = of(ConvolutionKind::filter_gradient, in[0], g);
        break;
      case ConvolutionKind::data_gradient:
        if (wanted[0]) result[0] = of(ConvolutionKind::forward, g, in[1]);
        if (wanted[1]) result[1] = of(ConvolutionKind::filter_gradient, g, in[0]);
        break;
      case ConvolutionKind::filter_gradient:
        if (wanted[0]) result[0] = of(ConvolutionKind::data_gradient, in[1], g);
        if (wanted[1]) result[1] = of(ConvolutionKind::forward, in[0], g);
        break;
    }
    for (std::size_t i = 0; i < result.size(); ++i) {
      if (result[i].defined()) result[i] = graph::gradient_by(in[i], result[i]);
    }
    return result;
  }
  // Filters' gradients in bfloat16 are stored so: what an optimiser does with them is cheap beside it.
  [[nodiscard]] Epilogue epilogue() const override {
    const bool is_narrow = core_.kind == ConvolutionKind::filter_gradient && core_.a.dtype == DType::bfloat16;
    return is_narrow ? Epilogue::narrowing : Epilogue::any;
  }
  [[nodiscard]] Variant lower(const std::vector<Operand>& in, const Shape&) const override {
    ConvolutionCore core = core_;
    core.a = {in[0].slot, in[0].layout.offset, in[0].dtype};
    core.b = {in[1].slot, in[1].layout.offset, in[1].dtype};
    return core;
  }

 private:
  ConvolutionCore core_;
  bool narrow_;
};

Array convolution(const ConvolutionCore& core, const Array& a, const Array& b, bool narrow) {
  const Array left = graph::before_widening(a), right = graph::before_widening(b);
  const bool in_bfloat16 = narrow || (left.dtype() == DType::bfloat16 && right.dtype() == DType::bfloat16);
  ConvolutionCore typed = core;
  typed.a.dtype = in_bfloat16 ? DType::bfloat16 : DType::float32;
  const auto operand = [&](const Array& each) {
    return graph::contiguous(graph::in_memory(astype(each, typed.a.dtype)));
  };
  return graph::make_node(std::make_shared<Convolution>(typed, narrow), {operand(left), operand(right)},
                          backend::extent_of(core), DType::float32);
}

void require_images(std::string_view name, const Array& images) {
  graph::require_floating(name, images);
  if (images.shape().rank() == 4 && images.dtype() != DType::float64) return;
  throw UsageError(fmt::format("[{}] images of {} {}: expected (n, channels, height, width) of float32 or bfloat16",
                               name, name_of(images.dtype()), images.shape().to_string()),
                   "One image takes a first axis of extent 1: expand_dims(image, 0).");
}

std::int64_t windows(std::string_view axis, std::int64_t extent, std::int64_t window, std::int64_t stride,
                     std::int64_t padding, std::int64_t dilation) {
  const std::int64_t room = extent + 2 * padding - dilation * (window - 1) - 1;
  if (room >= 0) return room / stride + 1;
  throw UsageError(fmt::format("[conv2d] filters of {} {} with dilation {} on a {} of {} with padding {}: no place for "
                               "one",
                               axis, window, dilation, axis, extent, padding),
                   "Use smaller filters, larger images or more padding.");
}

void check_options(const ConvolutionOptions& options) {
  for (const std::size_t axis : {std::size_t{0}, std::size_t{1}}) {
    const bool fits = options.stride[axis] >= 1 && options.dilation[axis] >= 1 && options.padding[axis] >= 0;
    constexpr std::int64_t most = 1 << 20;
    if (fits && std::max({options.stride[axis], options.dilation[axis], options.padding[axis]}) <= most) continue;
    throw UsageError(
        fmt::format("[conv2d] stride {}, padding {}, dilation {}: expected strides and dilations of at "
                    "least 1, no negative padding, none above {}",
                    options.stride[axis], options.padding[axis], options.dilation[axis], most));
  }
}

void check_channels(const Shape& images, const Shape& filters, std::int64_t groups) {
  if (groups < 1 || images[1] % groups != 0 || filters[0] % groups != 0) {
    throw UsageError(fmt::format("[conv2d] {} channels and {} filters in {} groups: both must be a multiple of it",
                                 images[1], filters[0], groups));
  }
  if (filters[1] * groups == images[1]) return;
  throw UsageError(fmt::format("[conv2d] images {} have {} channels, filters {} take {}", images.to_string(), images[1],
                               filters.to_string(), filters[1] * groups),
                   "Filters are (filters, channels / groups, height, width).");
}

}  // namespace

Array conv2d(const Array& images, const Array& filters, const ConvolutionOptions& options) {
  require_images("conv2d", images);
  graph::require_floating("conv2d", filters);
  if (filters.shape().rank() != 4 || filters.dtype() == DType::float64) {
    throw UsageError(
        fmt::format("[conv2d] filters of {} {}: expected (filters, channels / groups, height, width) of "
                    "float32 or bfloat16",
                    name_of(filters.dtype()), filters.shape().to_string()));
  }
  check_options(options);
  const Shape &x = images.shape(), &f = filters.shape();
  check_channels(x, f, options.groups);
  ConvolutionCore core{.extents = {.n = x[0], .c = x[1], .h = x[2], .w = x[3]},
                       .k = f[0],
                       .r = f[2],
                       .s = f[3],
                       .groups = options.groups,
                       .steps = {options.stride, options.padding, options.dilation},
                       .channels_last = options.channels_last,
                       .tf32 = current_precision() == Precision::tf32,
                       .a = {},
                       .b = {}};
  core.extents.p = windows("height", x[2], f[2], options.stride[0], options.padding[0], options.dilation[0]);
  core.extents.q = windows("width", x[3], f[3], options.stride[1], options.padding[1], options.dilation[1]);
  if (images.size() == 0 || filters.size() == 0) {
    return zeros(Shape{x[0], f[0], core.extents.p, core.extents.q}, DType::float32, images.device());
  }
  const auto ordered = [&](const Array& each) { return options.channels_last ? graph::channels_last(each) : each; };
  const Array result = convolution(core, ordered(images), ordered(filters), current_precision() == Precision::bf16);
  return options.channels_last ? graph::channels_first(result) : result;
}

}  // namespace overtake
