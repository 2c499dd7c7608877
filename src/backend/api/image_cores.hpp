// SPDX-License-Identifier: MIT
// Cores over images: convolutions and pooling, with their gradients.
#pragma once

#include <array>
#include <cstdint>

#include "backend/api/tape.hpp"

namespace overtake::backend {

/// Where an operand of a core over images begins. It is contiguous from there on, in the order of axes of its core.
struct ImageOperand {
  int slot = -1;
  std::int64_t offset = 0;       ///< in elements
  DType dtype = DType::float32;  ///< float32 or bfloat16
  friend bool operator==(const ImageOperand&, const ImageOperand&) = default;
};

/// Images and results of a core over images: `n` images of `c` channels, h x w; the results are p x q.
struct ImageExtents {
  std::int64_t n = 0, c = 0, h = 0, w = 0, p = 0, q = 0;
  friend bool operator==(const ImageExtents&, const ImageExtents&) = default;
};

/// How a window moves: of two numbers the first is of rows (h, r, p), the second of columns (w, s, q).
struct WindowSteps {
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> padding{0, 0};  ///< on both sides
  std::array<std::int64_t, 2> dilation{1, 1};
  friend bool operator==(const WindowSteps&, const WindowSteps&) = default;
};

enum class ConvolutionKind : std::uint8_t {
  forward,          ///< y from a = x, b = filters
  data_gradient,    ///< the gradient by x from a = the gradient by y, b = filters
  filter_gradient,  ///< the gradient by the filters from a = x, b = the gradient by y
};

/// Convolution as networks have it (a cross-correlation) of images x with `k` filters of c / groups x r x s:
///   y(n, k, p, q) = sum over c', r, s of x(n, g c/groups + c', p stride + r dilation - padding, ...) f(k, c', r, s)
/// where g = k / (k_all / groups) is the group of filter k and x is 0 outside; or one of its two gradients, which are
/// the same sum taken by other indices. `channels_last`: memory is (n, h, w, c), (n, p, q, k) and (k, r, s, c/groups);
/// else (n, c, h, w), (n, k, p, q) and (k, c/groups, r, s). The tape's extent is the result in that order.
///
/// Both operands are of one dtype; products of bfloat16 are exact in float32 and added up in float32. `tf32`: the
/// device may round operands of float32 to 10 bits of mantissa. core() is float32. Run-to-run the same bits; not the
/// same on every device. Where a device filters minimally (ADR 0025), what is added up for a result comes from its tile
/// of 4 x 4 results: a NaN or infinity in an image makes NaN of all results of the tiles that read it, never of another
/// image's.
struct ConvolutionCore {
  ConvolutionKind kind = ConvolutionKind::forward;
  ImageExtents extents;
  std::int64_t k = 0, r = 0, s = 0, groups = 1;
  WindowSteps steps;
  bool channels_last = true;
  bool tf32 = false;
  ImageOperand a, b;
  friend bool operator==(const ConvolutionCore&, const ConvolutionCore&) = default;
};

enum class PoolKind : std::uint8_t {
  max,               ///< the largest inside the window; NaN counts as larger than all
  average,           ///< the sum inside divided by divisor()
  max_gradient,      ///< of each x: the gradients by those y whose first largest it is (rows first), added up
  average_gradient,  ///< of each x: the gradients by y over their divisors, of the windows that it is in
};

/// What a gradient of pooling gives beside its results: of each channel, the numbers that its tape leaves in a register
/// of float32, added up in float32. `slot` holds (parts, c) of float32; each place of the images is in one part of its
/// channel, in which is the device's choice: the same in every run. The gradient of a bias behind a convolution,
/// without reading its results once more.
struct ChannelSums {
  int slot = -1;  ///< -1: none
  std::int64_t parts = 0;
  std::uint16_t value_register = 0;
  friend bool operator==(const ChannelSums&, const ChannelSums&) = default;
};

/// Pooling of windows of r x s, each of which has a place inside the image. The divisor of an average is the number of
/// places inside, or, with `count_padding`, of those inside the padded image (PyTorch's count_include_pad). Gradients
/// are added in the order of the windows, rows first. `x` is read by max, average and max_gradient, `dy` by gradients;
/// orders of axes as ConvolutionCore's, but with `y_channels_first` y and dy are (n, c, p, q) whatever the order of x:
/// layers behind flatten them so. The tape's extent is y's, of gradients x's. core() is float32.
struct PoolCore {
  PoolKind kind = PoolKind::max;
  ImageExtents extents;
  std::int64_t r = 0, s = 0;
  WindowSteps steps;  ///< no dilation
  bool count_padding = true;
  bool channels_last = true;
  ImageOperand x, dy;
  bool y_channels_first = false;
  ChannelSums sums = {};  ///< of gradients, channels last, on devices whose FusionLimits allow it
  [[nodiscard]] bool y_channels_last() const noexcept { return channels_last && !y_channels_first; }
  friend bool operator==(const PoolCore&, const PoolCore&) = default;
};

/// The tape's extent of a convolution or of pooling.
[[nodiscard]] Shape extent_of(const ConvolutionCore& core);
[[nodiscard]] Shape extent_of(const PoolCore& core);

}  // namespace overtake::backend
