// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/nn/module.hpp"
#include "overtake/shape.hpp"

namespace overtake::nn {

/// Normalises each row, or the last axes of each: y = (x - mean) / sqrt(variance + eps) * weight + bias, with mean and
/// (biased) variance over the axes of `normalized_shape` (Ba, Kiros and Hinton 2016). The same in training and
/// evaluation. Parameters "weight", ones at first, and "bias", zeros, of `normalized_shape`.
class LayerNorm : public Module {
 public:
  /// Over the last axis, of `features` values. Throws UsageError unless features >= 1 and eps is 0 or a positive number
  /// of float32.
  explicit LayerNorm(std::int64_t features, double eps = 1e-5, bool elementwise_affine = true, bool bias = true)
      : LayerNorm(Shape{features}, eps, elementwise_affine, bias) {}
  /// Over the last axes, which must have these extents. Throws UsageError as above, and for a shape without axes.
  explicit LayerNorm(const Shape& normalized_shape, double eps = 1e-5, bool elementwise_affine = true,
                     bool bias = true);

  /// (..., normalized_shape) float32 -> the same shape. Throws UsageError for an array that does not end so.
  [[nodiscard]] Array forward(const Array& input) override;

  [[nodiscard]] const Shape& normalized_shape() const noexcept { return shape_; }
  [[nodiscard]] double eps() const noexcept { return eps_; }
  [[nodiscard]] Parameter& weight() noexcept { return weight_; }
  [[nodiscard]] Parameter& bias() noexcept { return bias_; }

  /// The extents are the attributes "normalized_shape_0", "normalized_shape_1", ...
  [[nodiscard]] LayerSpec spec() const override;
  /// "LayerNorm((8,), eps=1e-05, elementwise_affine=True, bias=True)".
  [[nodiscard]] std::string to_string() const override;
  [[nodiscard]] std::vector<Parameter*> own_parameters() override;

 protected:
  void draw(Streams& streams) override;

 private:
  Shape shape_;
  double eps_;
  bool affine_;
  bool has_bias_;
  Parameter weight_{"weight", {}};
  Parameter bias_{"bias", {}};
};

/// Numbers of a batch normalisation, in PyTorch's words.
struct BatchNormOptions {
  std::int64_t num_features = 0;
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  ///< std::nullopt: running statistics are plain averages over all batches
  bool affine = true;
  bool track_running_stats = true;
};

/// Batch normalisation of features (Ioffe and Szegedy 2015): y = (x - mean) / sqrt(variance + eps) * weight + bias,
/// each feature by itself.
///
/// In training mode mean and biased variance are those of the batch, over the rows (and the positions of each), and the
/// running statistics move: running = (1 - momentum) running + momentum batch, the variance there being the unbiased
/// one, as in PyTorch. In evaluation mode the running statistics stand for those of the batch. Without
/// `track_running_stats` there are none, and the batch counts in evaluation, too. Parameters "weight" (ones at first)
/// and "bias" (zeros), buffers "running_mean" (zeros), "running_var" (ones) and "num_batches_tracked" (int32 0;
/// PyTorch's is int64).
class BatchNorm : public Module {
 public:
  [[nodiscard]] std::int64_t num_features() const noexcept { return features_; }
  [[nodiscard]] double eps() const noexcept { return eps_; }
  [[nodiscard]] std::optional<double> momentum() const noexcept { return momentum_; }
  [[nodiscard]] Parameter& weight() noexcept { return weight_; }
  [[nodiscard]] Parameter& bias() noexcept { return bias_; }
  [[nodiscard]] Parameter& running_mean() noexcept { return mean_; }
  [[nodiscard]] Parameter& running_var() noexcept { return variance_; }
  [[nodiscard]] Parameter& num_batches_tracked() noexcept { return batches_; }

  /// Without a momentum that attribute is missing and "cumulative_average" is 1.
  [[nodiscard]] LayerSpec spec() const override;
  [[nodiscard]] std::vector<Parameter*> own_parameters() override;
  [[nodiscard]] std::vector<Parameter*> own_buffers() override;

 protected:
  /// `name` is that of the layer, a literal. Throws UsageError unless num_features >= 1, eps is 0 or a positive number
  /// of float32, and momentum lies in [0, 1].
  BatchNorm(std::string_view name, const BatchNormOptions& options);
  /// (rows, features) or (rows, features, length). Throws UsageError where the batch counts and has only one value of a
  /// feature, whose variance is not known.
  [[nodiscard]] Array normalise(const Array& input);
  /// The starting values of parameters and buffers: nothing is drawn, no stream is used.
  void draw(Streams& streams) override;

 private:
  void require_values(const Array& input, bool uses_batch) const;
  [[nodiscard]] Array normalised(const Array& centred, const Array& variance) const;
  void track(const Array& batch_mean, const Array& unbiased_variance);

  std::string_view name_;
  std::int64_t features_;
  double eps_;
  std::optional<double> momentum_;
  bool affine_;
  bool tracks_;
  Parameter weight_{"weight", {}};
  Parameter bias_{"bias", {}};
  Parameter mean_{"running_mean", {}};
  Parameter variance_{"running_var", {}};
  Parameter batches_{"num_batches_tracked", {}};
};

/// Of rows of features, or of features along positions.
class BatchNorm1d : public BatchNorm {
 public:
  /// Throws UsageError for options as BatchNorm says.
  explicit BatchNorm1d(std::int64_t num_features, double eps = 1e-5, std::optional<double> momentum = 0.1,
                       bool affine = true, bool track_running_stats = true)
      : BatchNorm("BatchNorm1d", {num_features, eps, momentum, affine, track_running_stats}) {}
  explicit BatchNorm1d(const BatchNormOptions& options) : BatchNorm("BatchNorm1d", options) {}

  /// (rows, features) or (rows, features, length) float32 -> the same shape. Throws UsageError for another shape, and
  /// where the batch counts and has only one value of a feature.
  [[nodiscard]] Array forward(const Array& input) override;
};

/// Of the channels of images.
class BatchNorm2d : public BatchNorm {
 public:
  /// Throws UsageError for options as BatchNorm says.
  explicit BatchNorm2d(std::int64_t num_features, double eps = 1e-5, std::optional<double> momentum = 0.1,
                       bool affine = true, bool track_running_stats = true)
      : BatchNorm("BatchNorm2d", {num_features, eps, momentum, affine, track_running_stats}) {}
  explicit BatchNorm2d(const BatchNormOptions& options) : BatchNorm("BatchNorm2d", options) {}

  /// (n, features, height, width) of float32, or of bfloat16, which is computed in float32 -> the same shape and type.
  /// Throws UsageError as BatchNorm1d does.
  [[nodiscard]] Array forward(const Array& input) override;
};

}  // namespace overtake::nn
