// SPDX-License-Identifier: MIT
// Convolutions and pooling of images (n, channels, height, width). In memory images lie with their channels last where
// these functions made them: what looks at them in PyTorch's order is a view, and element-wise functions keep it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "overtake/array.hpp"

namespace overtake {

/// How filters move over an image: of two numbers the first is along the height, the second along the width.
struct ConvolutionOptions {
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> padding{0, 0};  ///< zeros on both sides
  std::array<std::int64_t, 2> dilation{1, 1};
  std::int64_t groups = 1;
  bool channels_last = true;  ///< order in memory in which it is computed
};

/// Convolution as torch.nn.functional.conv2d: images (n, c, h, w), filters (k, c / groups, r, s) -> (n, k, p, q) with
/// p = (h + 2 padding - dilation (r - 1) - 1) / stride + 1, likewise q. Multiplied in current_precision() (bf16: both
/// are rounded), in bfloat16 where both are; always added up in float32, and the result is float32. Throws UsageError
/// for types, shapes and options that do not fit. Run-to-run the same bits on one device with one number of threads.
[[nodiscard]] Array conv2d(const Array& images, const Array& filters, const ConvolutionOptions& options = {});

struct PoolOptions {
  std::array<std::int64_t, 2> window{2, 2};
  std::optional<std::array<std::int64_t, 2>> stride{};  ///< the window's size where it is not set
  std::array<std::int64_t, 2> padding{0, 0};            ///< at most half the window
  bool ceil_mode = false;         ///< windows that stick out at the end count, if they begin inside (padding included)
  bool count_include_pad = true;  ///< averages: places of the padding count as zeros
};

/// The largest of each window, as torch.nn.functional.max_pool2d: (n, c, h, w) -> (n, c, p, q), of float32 or bfloat16.
/// NaN counts as larger than all. The gradient goes to the first of equal ones. Throws UsageError for shapes and
/// options that do not fit.
[[nodiscard]] Array max_pool2d(const Array& images, const PoolOptions& options = {});
/// The mean of each window, as torch.nn.functional.avg_pool2d.
[[nodiscard]] Array avg_pool2d(const Array& images, const PoolOptions& options = {});
/// Means of the windows that cut the image into height x width, as torch.nn.functional.adaptive_avg_pool2d: window i of
/// an axis of extent e goes from floor(i e / count) to ceil((i + 1) e / count).
[[nodiscard]] Array adaptive_avg_pool2d(const Array& images, std::int64_t height, std::int64_t width);

}  // namespace overtake
