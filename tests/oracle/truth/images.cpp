// SPDX-License-Identifier: MIT
#include "oracle/truth/images.hpp"

#include <cmath>

namespace overtake::oracle {
namespace {

using backend::ConvolutionCore;
using backend::ConvolutionKind;
using backend::ImageExtents;
using backend::PoolCore;
using backend::PoolKind;

// Where element (n, c, y, x) of images (filters) is.
struct Order {
  bool channels_last;
  std::int64_t channels, height, width;
  std::size_t operator()(std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) const {
    const std::int64_t at =
        channels_last ? ((n * height + y) * width + x) * channels + c : ((n * channels + c) * height + y) * width + x;
    return static_cast<std::size_t>(at);
  }
};

// Calls f(x, y, filter) with the places of every product of the sum.
template <class F>
void for_each_product(const ConvolutionCore& core, const F& f) {
  const ImageExtents& e = core.extents;
  const std::int64_t channels = e.c / core.groups, filters = core.k / core.groups;
  const Order x{core.channels_last, e.c, e.h, e.w}, y{core.channels_last, core.k, e.p, e.q};
  const Order filter{core.channels_last, channels, core.r, core.s};
  for (std::int64_t n = 0; n < e.n; ++n) {
    for (std::int64_t k = 0; k < core.k; ++k) {
      for (std::int64_t p = 0; p < e.p; ++p) {
        for (std::int64_t q = 0; q < e.q; ++q) {
          for (std::int64_t r = 0; r < core.r; ++r) {
            for (std::int64_t s = 0; s < core.s; ++s) {
              const std::int64_t row = p * core.steps.stride[0] + r * core.steps.dilation[0] - core.steps.padding[0];
              const std::int64_t column = q * core.steps.stride[1] + s * core.steps.dilation[1] - core.steps.padding[1];
              if (row < 0 || row >= e.h || column < 0 || column >= e.w) continue;
              for (std::int64_t c = 0; c < channels; ++c) {
                f(x(n, k / filters * channels + c, row, column), y(n, k, p, q), filter(k, c, r, s));
              }
            }
          }
        }
      }
    }
  }
}

}  // namespace

std::vector<double> convolution_of(const ConvolutionCore& core, const std::vector<double>& a,
                                   const std::vector<double>& b) {
  std::vector<double> result(static_cast<std::size_t>(backend::extent_of(core).size()));
  for_each_product(core, [&](std::size_t x, std::size_t y, std::size_t filter) {
    switch (core.kind) {
      case ConvolutionKind::forward: result[y] += a[x] * b[filter]; break;
      case ConvolutionKind::data_gradient: result[x] += a[y] * b[filter]; break;
      case ConvolutionKind::filter_gradient: result[filter] += a[x] * b[y]; break;
    }
  });
  return result;
}

std::vector<double> pool_of(const PoolCore& core, const std::vector<double>& x, const std::vector<double>& dy) {
  const ImageExtents& e = core.extents;
  const Order image{core.channels_last, e.c, e.h, e.w}, windows{core.y_channels_last(), e.c, e.p, e.q};
  std::vector<double> result(static_cast<std::size_t>(backend::extent_of(core).size()));
  const auto window = [&](std::int64_t n, std::int64_t c, std::int64_t p, std::int64_t q) {
    std::vector<std::size_t> places;
    int padded = 0;
    for (std::int64_t r = 0; r < core.r; ++r) {
      for (std::int64_t s = 0; s < core.s; ++s) {
        const std::int64_t row = p * core.steps.stride[0] + r, column = q * core.steps.stride[1] + s;
        const std::int64_t top = core.steps.padding[0], left = core.steps.padding[1];
        if (row < e.h + 2 * top && column < e.w + 2 * left) ++padded;
        if (row < top || row >= e.h + top || column < left || column >= e.w + left) continue;
        places.push_back(image(n, c, row - top, column - left));
      }
    }
    const double divisor = core.count_padding ? padded : static_cast<double>(places.size());
    const std::size_t own = windows(n, c, p, q);
    if (core.kind == PoolKind::average || core.kind == PoolKind::average_gradient) {
      for (const std::size_t place : places) {
        if (core.kind == PoolKind::average) result[own] += x[place] / divisor;
        if (core.kind == PoolKind::average_gradient) result[place] += dy[own] / divisor;
      }
      return;
    }
    std::size_t best = places.front();
    for (const std::size_t place : places) {
      if (!std::isnan(x[best]) && (x[place] > x[best] || std::isnan(x[place]))) best = place;
    }
    if (core.kind == PoolKind::max) result[own] = x[best];
    if (core.kind == PoolKind::max_gradient) result[best] += dy[own];
  };
  for (std::int64_t n = 0; n < e.n; ++n) {
    for (std::int64_t c = 0; c < e.c; ++c) {
      for (std::int64_t p = 0; p < e.p; ++p) {
        for (std::int64_t q = 0; q < e.q; ++q) window(n, c, p, q);
      }
    }
  }
  return result;
}

OperandSizes operand_sizes(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const std::int64_t x = e.n * e.c * e.h * e.w, y = e.n * core.k * e.p * e.q;
  const std::int64_t filters = core.k * (e.c / core.groups) * core.r * core.s;
  switch (core.kind) {
    case ConvolutionKind::forward: return {x, filters};
    case ConvolutionKind::data_gradient: return {y, filters};
    case ConvolutionKind::filter_gradient: break;
  }
  return {x, y};
}

OperandSizes operand_sizes(const PoolCore& core) {
  const ImageExtents& e = core.extents;
  const bool gradient = core.kind == PoolKind::max_gradient || core.kind == PoolKind::average_gradient;
  return {core.kind == PoolKind::average_gradient ? 0 : e.n * e.c * e.h * e.w, gradient ? e.n * e.c * e.p * e.q : 0};
}

}  // namespace overtake::oracle
