// SPDX-License-Identifier: MIT
// Layers over images (n, channels, height, width), as PyTorch has them. In Precision::bf16 (precision.hpp) convolutions
// round operands and results to bfloat16; pooling keeps the type that comes in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "overtake/nn/layers.hpp"
#include "overtake/ops/images.hpp"

namespace overtake::nn {

/// Sizes in two directions: one number is both.
struct Size2d {
  std::int64_t height = 0, width = 0;
  constexpr Size2d(std::int64_t both) : height(both), width(both) {}  // NOLINT(google-explicit-constructor): as PyTorch
  constexpr Size2d(std::int64_t rows, std::int64_t columns) : height(rows), width(columns) {}
  friend bool operator==(const Size2d&, const Size2d&) = default;
};

/// Numbers of a Conv2d beside its channels.
struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;  ///< zeros on both sides
  Size2d dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  InitialWeight initial = InitialWeight::uniform;
};

/// y = conv2d(x, weight) + bias. Parameters "weight" (out_channels, in_channels / groups, height, width) and "bias".
class Conv2d : public Module {
 public:
  /// Throws UsageError for sizes below 1, a negative padding, and channels that are no multiple of the groups.
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, Size2d kernel_size, const Conv2dOptions& options = {});

  /// (n, in_channels, height, width) float32 or bfloat16 -> (n, out_channels, p, q), see conv2d(). Throws UsageError
  /// for another shape.
  [[nodiscard]] Array forward(const Array& input) override;

  [[nodiscard]] std::int64_t in_channels() const noexcept { return in_; }
  [[nodiscard]] std::int64_t out_channels() const noexcept { return out_; }
  [[nodiscard]] Size2d kernel_size() const noexcept { return kernel_; }
  [[nodiscard]] const Conv2dOptions& options() const noexcept { return options_; }
  [[nodiscard]] Parameter& weight() noexcept { return weight_; }
  [[nodiscard]] Parameter& bias() noexcept { return bias_; }

  /// Pairs are the attributes "kernel_size_0", "kernel_size_1", "stride_0", ...
  [[nodiscard]] LayerSpec spec() const override;
  [[nodiscard]] std::string to_string() const override;
  [[nodiscard]] std::vector<Parameter*> own_parameters() override;

 protected:
  void draw(Streams& streams) override;

 private:
  std::int64_t in_, out_;
  Size2d kernel_;
  Conv2dOptions options_;
  Parameter weight_{"weight", {}};
  Parameter bias_{"bias", {}};
};

/// max_pool2d() as a layer.
class MaxPool2d : public Module {
 public:
  /// No stride: the window's size. Throws UsageError as max_pool2d() does, when it is used.
  explicit MaxPool2d(Size2d kernel_size, std::optional<Size2d> stride = std::nullopt, Size2d padding = 0,
                     bool ceil_mode = false);
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;

 private:
  PoolOptions options_;
};

/// avg_pool2d() as a layer.
class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(Size2d kernel_size, std::optional<Size2d> stride = std::nullopt, Size2d padding = 0,
                     bool ceil_mode = false, bool count_include_pad = true);
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;

 private:
  PoolOptions options_;
};

/// adaptive_avg_pool2d() as a layer: images of any size become height x width.
class AdaptiveAvgPool2d : public Module {
 public:
  /// Throws UsageError unless both are at least 1.
  explicit AdaptiveAvgPool2d(Size2d output_size);
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;

 private:
  Size2d size_;
};

/// In training mode turns each image over, left for right, with probability p; else the identity. As torchvision's.
class RandomHorizontalFlip : public RandomLayer {
 public:
  /// Throws UsageError unless 0 <= p <= 1.
  explicit RandomHorizontalFlip(float p = 0.5F);
  /// (n, channels, height, width) -> the same. Throws UsageError for another rank.
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;

 private:
  float p_;
};

/// In training mode a part of `size` of each image with `padding` zeros on all sides, at a place drawn for each, as
/// torchvision's; else the middle of the same size: the image itself where it has that size.
class RandomCrop : public RandomLayer {
 public:
  /// Throws UsageError for a size below 1 or a negative padding.
  explicit RandomCrop(Size2d size, std::int64_t padding = 0);
  /// (n, channels, height, width) -> (n, channels, size). Throws UsageError for another rank and images that are, with
  /// the padding, smaller than `size`.
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;

 private:
  Size2d size_;
  std::int64_t padding_;
};

/// All axes from `start_dim` to `end_dim` (negative ones count from the end) become one.
class Flatten : public Module {
 public:
  explicit Flatten(int start_dim = 1, int end_dim = -1) : start_(start_dim), end_(end_dim) {}
  /// Throws UsageError for axes that what comes in does not have.
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;

 private:
  int start_, end_;
};

}  // namespace overtake::nn
