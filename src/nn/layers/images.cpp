// SPDX-License-Identifier: MIT
#include "overtake/nn/images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>

#include "core/checked.hpp"
#include "graph/primitives/layout.hpp"
#include "graph/primitives/order.hpp"
#include "nn/layers/initial.hpp"
#include "nn/layers/narrow.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

std::array<std::int64_t, 2> pair_of(const Size2d& size) { return {size.height, size.width}; }

void add_pair(LayerSpec& spec, const std::string& name, const std::array<std::int64_t, 2>& pair) {
  spec.attributes.emplace_back(name + "_0", static_cast<double>(pair[0]));
  spec.attributes.emplace_back(name + "_1", static_cast<double>(pair[1]));
}

PoolOptions pool_options(const Size2d& kernel_size, const std::optional<Size2d>& stride, const Size2d& padding,
                         bool ceil_mode) {
  return {.window = pair_of(kernel_size),
          .stride = pair_of(stride.value_or(kernel_size)),
          .padding = pair_of(padding),
          .ceil_mode = ceil_mode};
}

// Pixels are rows of channels: the bias's gradient is then one sum along the memory.
Array with_bias(const Array& images, const Array& bias) {
  const Array pixels = graph::channels_last(images);
  const Array rows = reshape(pixels, {-1, bias.size()}) + bias;
  return graph::channels_first(reshape(rows, pixels.shape().to_vector()));
}

void require_images(const char* layer, const Array& input) {
  if (input.defined() && input.shape().rank() == 4) return;
  throw UsageError(fmt::format("[{}] expects images (n, channels, height, width), got {}", layer,
                               input.defined() ? input.shape().to_string() : "an undefined array"));
}

// Of each image (n, channels, height, width) the part whose first row and column are drawn: u (2, n) in [0, 1).
Array drawn_parts(const Array& images, const Size2d& size, const Array& u) {
  const Shape& shape = images.shape();
  const std::int64_t n = shape[0], height = shape[2], width = shape[3], pixels = n * height * width;
  const DType type = pixels <= std::numeric_limits<std::int32_t>::max() ? DType::int32 : DType::int64;
  const auto first = [&](std::int64_t axis, std::int64_t room) {
    // u close to 1 times many places may be rounded up to their number.
    const Array place = minimum(slice(u, axis, axis + 1) * static_cast<float>(room + 1), static_cast<float>(room));
    return reshape(astype(place, type), {n, 1, 1});
  };
  const auto along = [&](std::int64_t count, std::vector<std::int64_t> extents) {
    return reshape(arange(count, type, images.device()), std::move(extents));
  };
  const Array row = along(n, {n, 1, 1}) * height + first(0, height - size.height) + along(size.height, {1, -1, 1});
  const Array pixel = row * width + first(1, width - size.width) + along(size.width, {1, 1, -1});
  const Array rows = reshape(graph::channels_last(images), {pixels, shape[1]});
  return graph::channels_first(graph::taken(rows, pixel));
}

LayerSpec pool_spec(const char* type, const PoolOptions& options) {
  LayerSpec spec{type, {}};
  add_pair(spec, "kernel_size", options.window);
  add_pair(spec, "stride", options.stride.value_or(options.window));
  add_pair(spec, "padding", options.padding);
  spec.attributes.emplace_back("ceil_mode", options.ceil_mode ? 1.0 : 0.0);
  return spec;
}

}  // namespace

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, Size2d kernel_size, const Conv2dOptions& options)
    : in_(in_channels), out_(out_channels), kernel_(kernel_size), options_(options) {
  const auto least = [](const Size2d& size) { return std::min(size.height, size.width); };
  if (std::min({in_, out_, least(kernel_), least(options.stride), least(options.dilation), options.groups}) < 1 ||
      least(options.padding) < 0) {
    throw UsageError(fmt::format("[Conv2d] {}: expected sizes of at least 1, and no negative padding", to_string()));
  }
  if (in_ % options.groups != 0 || out_ % options.groups != 0) {
    throw UsageError(fmt::format("[Conv2d] {} channels to {} in {} groups: both must be a multiple of it", in_, out_,
                                 options.groups));
  }
  (void)checked_mul(checked_mul(in_, out_, "Conv2d's weight"),
                    checked_mul(kernel_.height, kernel_.width, "Conv2d's weight"), "Conv2d's weight");
  draw(default_streams());
}

void Conv2d::draw(Streams& streams) {
  draw_weights(weight_, Shape{out_, in_ / options_.groups, kernel_.height, kernel_.width},
               options_.bias ? &bias_ : nullptr, options_.initial, {streams.seed, streams.next_parameter++});
}

Array Conv2d::forward(const Array& input) {
  if (!input.defined()) throw UsageError("[Conv2d] got an undefined array");
  if (input.shape().rank() != 4 || input.shape()[1] != in_) {
    throw UsageError(fmt::format("[Conv2d] expects (n, {}, height, width), got {}", in_, input.shape().to_string()),
                     "in_channels must be the second extent of what comes in.");
  }
  const ConvolutionOptions options{pair_of(options_.stride), pair_of(options_.padding), pair_of(options_.dilation),
                                   options_.groups};
  const bool narrow = is_narrow(input);
  // Units for bfloat16 take channels by eight: of fewer, as images have, zeros make eight. Where a result has so few
  // products that devices have kernels for that, and CPUs lose nothing, channels stay what they are (ADR 0025).
  constexpr std::int64_t together = 8, most_products = 28, filters_together = 32;
  const bool is_shallow = in_ * kernel_.height * kernel_.width <= most_products && out_ % filters_together == 0 &&
                          options_.dilation == Size2d(1);
  const bool fills = narrow && options_.groups == 1 && in_ < together && !is_shallow;
  const std::int64_t missing = fills ? together - in_ : 0;
  const auto operand = [&](const Array& each) {
    if (!narrow) return each;
    return rounded(missing == 0 ? each : pad(each, {{0, 0}, {0, missing}, {0, 0}, {0, 0}}));
  };
  Array result = conv2d(operand(input), operand(weight_.value), options);
  if (options_.bias) result = with_bias(result, bias_.value);
  return narrow ? astype(result, DType::bfloat16) : result;
}

LayerSpec Conv2d::spec() const {
  LayerSpec spec{"Conv2d", {{"in_channels", static_cast<double>(in_)}, {"out_channels", static_cast<double>(out_)}}};
  add_pair(spec, "kernel_size", pair_of(kernel_));
  add_pair(spec, "stride", pair_of(options_.stride));
  add_pair(spec, "padding", pair_of(options_.padding));
  add_pair(spec, "dilation", pair_of(options_.dilation));
  spec.attributes.emplace_back("groups", static_cast<double>(options_.groups));
  spec.attributes.emplace_back("bias", options_.bias ? 1.0 : 0.0);
  return spec;
}

std::string Conv2d::to_string() const {
  const auto pair = [](const Size2d& size) { return fmt::format("({}, {})", size.height, size.width); };
  std::string text =
      fmt::format("Conv2d({}, {}, kernel_size={}, stride={}", in_, out_, pair(kernel_), pair(options_.stride));
  if (options_.padding != Size2d(0)) text += ", padding=" + pair(options_.padding);
  if (options_.dilation != Size2d(1)) text += ", dilation=" + pair(options_.dilation);
  if (options_.groups != 1) text += fmt::format(", groups={}", options_.groups);
  return text + (options_.bias ? ")" : ", bias=False)");
}

std::vector<Parameter*> Conv2d::own_parameters() {
  if (!options_.bias) return {&weight_};
  return {&weight_, &bias_};
}

MaxPool2d::MaxPool2d(Size2d kernel_size, std::optional<Size2d> stride, Size2d padding, bool ceil_mode)
    : options_(pool_options(kernel_size, stride, padding, ceil_mode)) {}
Array MaxPool2d::forward(const Array& input) { return max_pool2d(input, options_); }
LayerSpec MaxPool2d::spec() const { return pool_spec("MaxPool2d", options_); }

AvgPool2d::AvgPool2d(Size2d kernel_size, std::optional<Size2d> stride, Size2d padding, bool ceil_mode,
                     bool count_include_pad)
    : options_(pool_options(kernel_size, stride, padding, ceil_mode)) {
  options_.count_include_pad = count_include_pad;
}
Array AvgPool2d::forward(const Array& input) { return avg_pool2d(input, options_); }
LayerSpec AvgPool2d::spec() const {
  LayerSpec spec = pool_spec("AvgPool2d", options_);
  spec.attributes.emplace_back("count_include_pad", options_.count_include_pad ? 1.0 : 0.0);
  return spec;
}

AdaptiveAvgPool2d::AdaptiveAvgPool2d(Size2d output_size) : size_(output_size) {
  if (size_.height < 1 || size_.width < 1) {
    throw UsageError(
        fmt::format("[AdaptiveAvgPool2d] output_size ({}, {}): expected at least 1", size_.height, size_.width));
  }
}
Array AdaptiveAvgPool2d::forward(const Array& input) { return adaptive_avg_pool2d(input, size_.height, size_.width); }
LayerSpec AdaptiveAvgPool2d::spec() const {
  LayerSpec spec{"AdaptiveAvgPool2d", {}};
  add_pair(spec, "output_size", pair_of(size_));
  return spec;
}

RandomHorizontalFlip::RandomHorizontalFlip(float p) : p_(p) {
  if (!(p >= 0.0F && p <= 1.0F)) throw UsageError(fmt::format("[RandomHorizontalFlip] p = {} is not in [0, 1]", p));
}

Array RandomHorizontalFlip::forward(const Array& input) {
  require_images("RandomHorizontalFlip", input);
  if (!is_training()) return input;
  return where(less(next_uniform(Shape{input.shape()[0], 1, 1, 1}), p_), flip(input, std::vector<int>{3}), input);
}

LayerSpec RandomHorizontalFlip::spec() const { return {"RandomHorizontalFlip", {{"p", p_}}}; }

RandomCrop::RandomCrop(Size2d size, std::int64_t padding) : size_(size), padding_(padding) {
  constexpr std::int64_t most = 1 << 20;
  if (std::min({size_.height, size_.width, padding_ + 1}) < 1 || padding_ > most) {
    throw UsageError(
        fmt::format("[RandomCrop] size ({}, {}), padding {}: expected a size of at least 1, and a padding "
                    "of 0 to {}",
                    size_.height, size_.width, padding_, most));
  }
}

Array RandomCrop::forward(const Array& input) {
  require_images("RandomCrop", input);
  const std::int64_t spare_rows = input.shape()[2] + 2 * padding_ - size_.height;
  const std::int64_t spare_columns = input.shape()[3] + 2 * padding_ - size_.width;
  if (spare_rows < 0 || spare_columns < 0) {
    throw UsageError(fmt::format("[RandomCrop] images {} with padding {} are smaller than ({}, {})",
                                 input.shape().to_string(), padding_, size_.height, size_.width),
                     "Ask for a smaller size or more padding.");
  }
  if (!is_training() && spare_rows == 2 * padding_ && spare_columns == 2 * padding_) return input;
  const std::pair<std::int64_t, std::int64_t> none{0, 0}, both{padding_, padding_};
  const Array padded = padding_ == 0 ? input : pad(input, {none, none, both, both});
  if (is_training()) return drawn_parts(padded, size_, next_uniform(Shape{2, input.shape()[0]}));
  const std::int64_t top = spare_rows / 2, left = spare_columns / 2;
  return slice(slice(padded, top, top + size_.height, 2), left, left + size_.width, 3);
}

LayerSpec RandomCrop::spec() const {
  LayerSpec spec{"RandomCrop", {}};
  add_pair(spec, "size", pair_of(size_));
  spec.attributes.emplace_back("padding", static_cast<double>(padding_));
  return spec;
}

Array Flatten::forward(const Array& input) {
  if (!input.defined()) throw UsageError("[Flatten] got an undefined array");
  const int rank = static_cast<int>(input.shape().rank());
  const int first = start_ < 0 ? start_ + rank : start_, last = end_ < 0 ? end_ + rank : end_;
  if (first < 0 || last >= rank || first > last) {
    throw UsageError(fmt::format("[Flatten] axes {} to {} of {}", start_, end_, input.shape().to_string()),
                     "They count from 0, or from the end where they are negative.");
  }
  std::vector<std::int64_t> extents;
  for (int axis = 0; axis < rank; ++axis) {
    const std::int64_t extent = input.shape()[static_cast<std::size_t>(axis)];
    if (axis > first && axis <= last) {
      extents.back() *= extent;
    } else {
      extents.push_back(extent);
    }
  }
  return reshape(input, std::move(extents));
}

LayerSpec Flatten::spec() const {
  return {"Flatten", {{"start_dim", static_cast<double>(start_)}, {"end_dim", static_cast<double>(end_)}}};
}

}  // namespace overtake::nn
