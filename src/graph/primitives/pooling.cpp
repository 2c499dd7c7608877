// SPDX-License-Identifier: MIT
// max_pool2d, avg_pool2d and their gradients; adaptive_avg_pool2d.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "graph/primitives/layout.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/precision.hpp"

namespace overtake {
namespace {

using backend::PoolCore;
using backend::PoolKind;
using graph::Operand;

class Pool final : public graph::Core {
 public:
  // Without operands.
  explicit Pool(const PoolCore& core) : core_(core) {}
  [[nodiscard]] std::string_view name() const override {
    switch (core_.kind) {
      case PoolKind::max: break;
      case PoolKind::average: return "avg_pool2d";
      case PoolKind::max_gradient: return "max_pool2d_gradient";
      case PoolKind::average_gradient: return "avg_pool2d_gradient";
    }
    return "max_pool2d";
  }
  void sign(graph::Signature& signature) const override {
    const backend::ImageExtents& e = core_.extents;
    for (const std::int64_t number :
         {e.n, e.c, e.h, e.w, e.p, e.q, core_.r, core_.s, core_.steps.stride[0], core_.steps.stride[1],
          core_.steps.padding[0], core_.steps.padding[1], std::int64_t{core_.count_padding}}) {
      signature.add(static_cast<std::uint64_t>(number));
    }
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array&, const Array& g,
                                       const std::vector<bool>&) const override;
  [[nodiscard]] Variant lower(const std::vector<Operand>& in, const Shape&) const override {
    PoolCore core = core_;
    const auto operand = [](const Operand& from) {
      return backend::ImageOperand{from.slot, from.layout.offset, from.dtype};
    };
    const bool is_gradient = pooling() == Pooling::gradient;
    if (core.kind != PoolKind::average_gradient) core.x = operand(in.front());
    if (is_gradient) core.dy = operand(in.back());
    core.y_channels_first = is_gradient && !graph::is_row_major(in.back().layout, in.back().shape);
    return core;
  }
  [[nodiscard]] Pooling pooling() const override {
    const bool is_gradient = core_.kind == PoolKind::max_gradient || core_.kind == PoolKind::average_gradient;
    return is_gradient ? Pooling::gradient : Pooling::forward;
  }

 private:
  PoolCore core_;
};

// Operands with their channels last, of a type that cores read; the result of the first one's type.
Array pooled(const PoolCore& core, const std::vector<Array>& operands) {
  const DType dtype = operands[0].dtype();
  const bool narrow =
      std::all_of(operands.begin(), operands.end(), [](const Array& each) { return each.dtype() == DType::bfloat16; });
  std::vector<Array> inputs;
  for (const Array& operand : operands) {
    const Array computed = astype(operand, narrow ? DType::bfloat16 : DType::float32);
    inputs.push_back(graph::contiguous(graph::in_memory(computed)));
  }
  const Array result = graph::make_node(std::make_shared<Pool>(core), inputs, backend::extent_of(core), DType::float32);
  return astype(result, dtype);
}

std::vector<Array> Pool::vjp(const std::vector<Array>& in, const Array&, const Array& g,
                             const std::vector<bool>&) const {
  PoolCore core = core_;
  const Array dy = graph::before_widening(g);
  switch (core_.kind) {
    case PoolKind::max: core.kind = PoolKind::max_gradient; return {pooled(core, {in[0], dy})};
    case PoolKind::average: core.kind = PoolKind::average_gradient; return {pooled(core, {dy})};
    case PoolKind::average_gradient: core.kind = PoolKind::average; return {pooled(core, {dy})};
    case PoolKind::max_gradient: break;
  }
  throw UsageError("[max_pool2d] the gradient of its gradient is not there", "Use avg_pool2d, or first gradients.");
}

std::int64_t windows_of(std::int64_t extent, std::int64_t window, std::int64_t stride, std::int64_t padding,
                        bool ceil_mode) {
  const std::int64_t room = extent + 2 * padding - window;
  if (room < 0) return ceil_mode && room > -stride ? 1 : 0;  // one that ends outside
  std::int64_t count = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
  if (ceil_mode && (count - 1) * stride >= extent + padding) --count;  // the last would begin outside
  return count;
}

PoolCore core_of(std::string_view name, const Array& images, const PoolOptions& options) {
  graph::require_floating(name, images);
  const Shape& x = images.shape();
  if (x.rank() != 4 || images.dtype() == DType::float64) {
    throw UsageError(fmt::format("[{}] images of {} {}: expected (n, channels, height, width) of float32 or bfloat16",
                                 name, name_of(images.dtype()), x.to_string()),
                     "One image takes a first axis of extent 1: expand_dims(image, 0).");
  }
  const std::array<std::int64_t, 2> stride = options.stride.value_or(options.window);
  for (const std::size_t axis : {std::size_t{0}, std::size_t{1}}) {
    const std::int64_t window = options.window[axis], padding = options.padding[axis], extent = x[axis + 2];
    if (window < 1 || stride[axis] < 1 || padding < 0 || padding > window / 2) {
      throw UsageError(
          fmt::format("[{}] window {}, stride {}, padding {}: expected a window and a stride of at least "
                      "1, and a padding of at most half the window",
                      name, window, stride[axis], padding));
    }
    if (windows_of(extent, window, stride[axis], padding, options.ceil_mode) == 0) {
      throw UsageError(fmt::format("[{}] a window of {} on images {} with padding {}: no place for one", name, window,
                                   x.to_string(), padding));
    }
  }
  PoolCore core{.extents = {.n = x[0], .c = x[1], .h = x[2], .w = x[3]},
                .r = options.window[0],
                .s = options.window[1],
                .steps = {stride, options.padding, {1, 1}},
                .count_padding = options.count_include_pad,
                .x = {},
                .dy = {}};
  core.extents.p = windows_of(x[2], core.r, stride[0], options.padding[0], options.ceil_mode);
  core.extents.q = windows_of(x[3], core.s, stride[1], options.padding[1], options.ceil_mode);
  return core;
}

Array pool(std::string_view name, PoolKind kind, const Array& images, const PoolOptions& options) {
  PoolCore core = core_of(name, images, options);
  core.kind = kind;
  const backend::ImageExtents& e = core.extents;
  if (images.size() == 0) return zeros(Shape{e.n, e.c, e.p, e.q}, images.dtype(), images.device());
  return graph::channels_first(pooled(core, {graph::channels_last(images)}));
}

// (count, extent): row i averages over window i of an axis.
Array averaging(std::int64_t extent, std::int64_t count, const Device& device) {
  std::vector<float> weights(static_cast<std::size_t>(extent * count));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t begin = i * extent / count, end = ((i + 1) * extent + count - 1) / count;
    for (std::int64_t at = begin; at < end; ++at) {
      weights[static_cast<std::size_t>(i * extent + at)] = 1.0F / static_cast<float>(end - begin);
    }
  }
  return Array::from(std::span<const float>(weights), Shape{count, extent}, device);
}

}  // namespace

Array max_pool2d(const Array& images, const PoolOptions& options) {
  return pool("max_pool2d", PoolKind::max, images, options);
}

Array avg_pool2d(const Array& images, const PoolOptions& options) {
  return pool("avg_pool2d", PoolKind::average, images, options);
}

Array adaptive_avg_pool2d(const Array& images, std::int64_t height, std::int64_t width) {
  graph::require_floating("adaptive_avg_pool2d", images);
  const Shape& x = images.shape();
  if (x.rank() != 4 || height < 1 || width < 1 || x[2] < 1 || x[3] < 1) {
    throw UsageError(
        fmt::format("[adaptive_avg_pool2d] images {} to {} x {}: expected (n, channels, height, width) "
                    "and at least 1 x 1",
                    x.to_string(), height, width));
  }
  if (x[2] == height && x[3] == width) return images;
  if (x[2] % height == 0 && x[3] % width == 0) return avg_pool2d(images, {.window = {x[2] / height, x[3] / width}});
  const PrecisionScope means_of_the_type(Precision::fp32);  // pooling rounds nothing, as everywhere
  const Array rows = averaging(x[2], height, images.device()), columns = averaging(x[3], width, images.device());
  const Array wide = matmul(astype(images, DType::float32), transpose(columns));
  return astype(matrix_transpose(matmul(matrix_transpose(wide), transpose(rows))), images.dtype());
}

}  // namespace overtake
