// SPDX-License-Identifier: MIT
#include "oracle/image_cases.hpp"

#include <algorithm>
#include <limits>

namespace overtake::oracle {
namespace {

using Arrays = const std::vector<Array>&;
using Tensors = const std::vector<Tensor>&;
using Extents = std::vector<std::int64_t>;

// An element of images, 0 outside.
double pixel(const Tensor& x, std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
  const Extents& e = x.extents;
  if (h < 0 || h >= e[2] || w < 0 || w >= e[3]) return 0;
  return x.values[static_cast<std::size_t>(((n * e[1] + c) * e[2] + h) * e[3] + w)];
}

// Calls value(n, c, p, q) for each element of the result.
template <class Value>
Tensor filled(const Extents& extents, Value value) {
  Tensor result{extents, {}};
  for (std::int64_t n = 0; n < extents[0]; ++n) {
    for (std::int64_t c = 0; c < extents[1]; ++c) {
      for (std::int64_t p = 0; p < extents[2]; ++p) {
        for (std::int64_t q = 0; q < extents[3]; ++q) result.values.push_back(value(n, c, p, q));
      }
    }
  }
  return result;
}

Tensor convolved(const Tensor& x, const Tensor& f, const ConvolutionOptions& options) {
  const auto windows = [&](std::size_t axis) {
    const std::int64_t reach = options.dilation[axis] * (f.extents[axis + 2] - 1) + 1;
    return (x.extents[axis + 2] + 2 * options.padding[axis] - reach) / options.stride[axis] + 1;
  };
  const std::int64_t channels = f.extents[1], per_group = f.extents[0] / options.groups;
  return filled({x.extents[0], f.extents[0], windows(0), windows(1)},
                [&](std::int64_t n, std::int64_t k, std::int64_t p, std::int64_t q) {
                  double sum = 0;
                  for (std::int64_t c = 0; c < channels; ++c) {
                    for (std::int64_t r = 0; r < f.extents[2]; ++r) {
                      for (std::int64_t s = 0; s < f.extents[3]; ++s) {
                        const std::int64_t h = p * options.stride[0] + r * options.dilation[0] - options.padding[0];
                        const std::int64_t w = q * options.stride[1] + s * options.dilation[1] - options.padding[1];
                        sum += pixel(x, n, k / per_group * channels + c, h, w) * pixel(f, k, c, r, s);
                      }
                    }
                  }
                  return sum;
                });
}

struct Window {
  std::int64_t begin = 0, end = 0;
};

Tensor pooled(const Tensor& x, const PoolOptions& options, bool largest) {
  const std::array<std::int64_t, 2> stride = options.stride.value_or(options.window);
  const auto count = [&](std::size_t axis) {
    std::int64_t windows = 0;  // one after the other, as long as they begin inside (and end, without ceil_mode)
    for (std::int64_t at = -options.padding[axis];; at += stride[axis], ++windows) {
      const std::int64_t extent = x.extents[axis + 2], end = at + options.window[axis];
      if (options.ceil_mode ? at >= extent || end - stride[axis] >= extent + options.padding[axis]
                            : end > extent + options.padding[axis]) {
        return windows;
      }
    }
  };
  return filled({x.extents[0], x.extents[1], count(0), count(1)},
                [&](std::int64_t n, std::int64_t c, std::int64_t p, std::int64_t q) {
                  double best = -std::numeric_limits<double>::infinity(), sum = 0;
                  std::int64_t inside = 0, padded = 0;
                  for (std::int64_t r = 0; r < options.window[0]; ++r) {
                    for (std::int64_t s = 0; s < options.window[1]; ++s) {
                      const std::int64_t h = p * stride[0] + r - options.padding[0];
                      const std::int64_t w = q * stride[1] + s - options.padding[1];
                      if (h < x.extents[2] + options.padding[0] && w < x.extents[3] + options.padding[1]) ++padded;
                      if (h < 0 || h >= x.extents[2] || w < 0 || w >= x.extents[3]) continue;
                      ++inside;
                      sum += pixel(x, n, c, h, w);
                      best = std::max(best, pixel(x, n, c, h, w));
                    }
                  }
                  return largest ? best : sum / static_cast<double>(options.count_include_pad ? padded : inside);
                });
}

void add_convolution(std::vector<OperatorCase>& table, const Extents& images, const Extents& filters,
                     const ConvolutionOptions& options) {
  for (const bool channels_last : {true, false}) {
    ConvolutionOptions chosen = options;
    chosen.channels_last = channels_last;
    table.push_back({.name = channels_last ? "conv2d" : "conv2d_channels_first",
                     .shapes = {images, filters},
                     .call = [chosen](Arrays in) { return conv2d(in[0], in[1], chosen); },
                     .truth = [chosen](Tensors in) { return convolved(in[0], in[1], chosen); },
                     .scale = 10});
  }
}

void add_pool(std::vector<OperatorCase>& table, const Extents& images, const PoolOptions& options) {
  table.push_back({.name = "max_pool2d",
                   .shapes = {images},
                   .call = [options](Arrays in) { return max_pool2d(in[0], options); },
                   .truth = [options](Tensors in) { return pooled(in[0], options, true); }});
  table.push_back({.name = "avg_pool2d",
                   .shapes = {images},
                   .call = [options](Arrays in) { return avg_pool2d(in[0], options); },
                   .truth = [options](Tensors in) { return pooled(in[0], options, false); }});
}

// Means of windows that cut each axis: floor(i e / count) to ceil((i + 1) e / count).
Tensor adaptively_pooled(const Tensor& x, std::int64_t height, std::int64_t width) {
  const auto window = [](std::int64_t i, std::int64_t extent, std::int64_t count) {
    return Window{i * extent / count, ((i + 1) * extent + count - 1) / count};
  };
  return filled({x.extents[0], x.extents[1], height, width},
                [&](std::int64_t n, std::int64_t c, std::int64_t p, std::int64_t q) {
                  const Window rows = window(p, x.extents[2], height), columns = window(q, x.extents[3], width);
                  double sum = 0;
                  for (std::int64_t h = rows.begin; h < rows.end; ++h) {
                    for (std::int64_t w = columns.begin; w < columns.end; ++w) sum += pixel(x, n, c, h, w);
                  }
                  return sum / static_cast<double>((rows.end - rows.begin) * (columns.end - columns.begin));
                });
}

}  // namespace

void add_images(std::vector<OperatorCase>& table) {
  add_convolution(table, {2, 3, 9, 8}, {5, 3, 3, 3}, {.padding = {1, 1}});
  add_convolution(table, {3, 1, 12, 12}, {6, 1, 5, 5}, {.padding = {2, 2}});
  add_convolution(table, {2, 8, 7, 7}, {16, 8, 3, 3}, {.padding = {1, 1}});
  add_convolution(table, {1, 4, 11, 6}, {8, 4, 3, 2}, {.stride = {2, 3}, .padding = {1, 0}});
  add_convolution(table, {2, 4, 10, 10}, {6, 2, 3, 3}, {.dilation = {2, 2}, .groups = 2});
  add_convolution(table, {1, 6, 5, 5}, {6, 1, 3, 3}, {.padding = {1, 1}, .groups = 6});
  add_convolution(table, {4, 5, 1, 1}, {3, 5, 1, 1}, {});
  // Enough positions for the kernels of shallow images (convolution_shallow.k).
  add_convolution(table, {3, 1, 75, 75}, {32, 1, 3, 3}, {.padding = {1, 1}});
  add_convolution(table, {2, 3, 4, 4}, {2, 3, 5, 5}, {.padding = {2, 2}});
  add_pool(table, {2, 8, 8, 6}, {});
  add_pool(table, {1, 3, 7, 9}, {.window = {3, 3}, .stride = {{2, 2}}, .padding = {1, 1}});
  add_pool(table, {2, 5, 8, 7},
           {.window = {3, 2}, .stride = {{2, 3}}, .padding = {1, 1}, .ceil_mode = true, .count_include_pad = false});
  add_pool(table, {2, 3, 2, 6}, {.window = {4, 4}, .ceil_mode = true});
  add_pool(table, {2, 3, 6, 3}, {.window = {2, 5}, .padding = {0, 0}, .ceil_mode = true, .count_include_pad = false});
  for (const std::int64_t size : {1, 3, 7, 9}) {
    table.push_back({.name = "adaptive_avg_pool2d",
                     .shapes = {{2, 3, 7, 9}},
                     .call = [size](Arrays in) { return adaptive_avg_pool2d(in[0], size, 3); },
                     .truth = [size](Tensors in) { return adaptively_pooled(in[0], size, 3); }});
  }
}

}  // namespace overtake::oracle
