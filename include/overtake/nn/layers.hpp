// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "overtake/nn/module.hpp"

namespace overtake::nn {

/// What the first values of a layer's weight are.
enum class InitialWeight : std::uint8_t {
  uniform,         ///< in [-1/sqrt(fan_in), 1/sqrt(fan_in)), and the bias too: PyTorch's layers
  kaiming_normal,  ///< normal, deviation sqrt(2 / fan_out), bias 0 (He et al. 2015): convolutions of torchvision's VGG
  small_normal,    ///< normal, deviation 0.01, bias 0: Linear layers of torchvision's VGG
};

/// y = x W^T + b, with W of shape (out_features, in_features) as in PyTorch.
///
/// Both W and b start uniform in [-1/sqrt(in_features), 1/sqrt(in_features)), which is PyTorch's
/// kaiming_uniform(a = sqrt 5), unless `initial` says otherwise. They are drawn on the host by Philox, so every device
/// gets the same values. In Precision::bf16 (precision.hpp), or of bfloat16, products are of operands rounded to
/// bfloat16, and so is the result.
class Linear : public Module {
 public:
  /// Throws UsageError unless both sizes are at least 1.
  Linear(std::int64_t in_features, std::int64_t out_features, bool bias = true,
         InitialWeight initial = InitialWeight::uniform);

  /// (..., in_features) float32 -> (..., out_features), of 2 to 4 dimensions: what stands before the last axis are
  /// rows. Throws UsageError for another shape.
  [[nodiscard]] Array forward(const Array& input) override;

  [[nodiscard]] std::int64_t in_features() const noexcept { return in_features_; }
  [[nodiscard]] std::int64_t out_features() const noexcept { return out_features_; }
  [[nodiscard]] bool has_bias() const noexcept { return has_bias_; }
  [[nodiscard]] Parameter& weight() noexcept { return weight_; }
  [[nodiscard]] Parameter& bias() noexcept { return bias_; }

  [[nodiscard]] LayerSpec spec() const override;
  [[nodiscard]] std::vector<Parameter*> own_parameters() override;

 protected:
  void draw(Streams& streams) override;

 private:
  std::int64_t in_features_;
  std::int64_t out_features_;
  bool has_bias_;
  InitialWeight initial_;
  Parameter weight_{"weight", {}};
  Parameter bias_{"bias", {}};
};

/// max(x, 0).
class ReLU : public Module {
 public:
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;
};

/// x where x > 0, else negative_slope * x.
class LeakyReLU : public Module {
 public:
  explicit LeakyReLU(float negative_slope = 0.01F) : negative_slope_(negative_slope) {}
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;

 private:
  float negative_slope_;
};

class Tanh : public Module {
 public:
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;
};

/// 1 / (1 + exp(-x)).
class Sigmoid : public Module {
 public:
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;
};

/// Exact GELU: x/2 (1 + erf(x/sqrt 2)).
class GELU : public Module {
 public:
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;
};

/// x / (1 + exp(-x)).
class SiLU : public Module {
 public:
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;
};

/// Softmax over the last axis. The cross-entropy loss takes logits: do not put a Softmax before it.
class Softmax : public Module {
 public:
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] LayerSpec spec() const override;
};

/// The root of layers that draw random numbers in training mode.
///
/// The numbers of call number c are a pure function of (seed, stream, c) by Philox. c is an int32 buffer on the device,
/// so a compiled training step draws anew on every run, and a checkpoint continues the sequence. A new module's first
/// call is number 0.
class RandomLayer : public Module {
 public:
  [[nodiscard]] std::vector<Parameter*> own_buffers() override { return {&counter_}; }

 protected:
  RandomLayer() { RandomLayer::draw(default_streams()); }
  void draw(Streams& streams) override;
  /// The next call's numbers: float32 in [0, 1), on the device of the module.
  [[nodiscard]] Array next_uniform(const Shape& shape);

 private:
  std::uint64_t seed_ = 0;
  std::uint32_t stream_ = 0;
  Parameter counter_{"counter", {}, false};
};

/// In training mode sets each element to 0 with probability p and multiplies the others by 1/(1-p); else the identity.
class Dropout : public RandomLayer {
 public:
  /// Throws UsageError unless 0 <= p < 1.
  explicit Dropout(float p = 0.5F);

  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] float probability() const noexcept { return p_; }

  [[nodiscard]] LayerSpec spec() const override;

 private:
  float p_;
};

/// Builds a layer from its description. Throws DataError naming an unknown type or a missing or unusable attribute.
[[nodiscard]] std::unique_ptr<Module> make_layer(const LayerSpec& spec);

}  // namespace overtake::nn
