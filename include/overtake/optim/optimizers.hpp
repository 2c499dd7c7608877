// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/nn/module.hpp"
#include "overtake/optim/optimizer.hpp"

/// SGD, Adam, AdamW and RMSprop as torch.optim has them. g is the gradient (its negative with `maximize`), p the
/// parameter, lr the learning rate, t the number of the step from 1; state starts at 0.
namespace overtake::optim {

struct SGDOptions {
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
  double dampening = 0;   ///< with momentum: the share of each gradient, after the first, that the velocity leaves out
  bool maximize = false;  ///< climb instead of descend
};

/// Stochastic gradient descent: g += weight_decay p; v = momentum v + (1 - dampening) g, v = g the first time that the
/// parameter has a gradient; g = nesterov ? g + momentum v : v; p -= lr g (without momentum p -= lr g).
class SGD final : public Optimizer {
 public:
  /// Throws UsageError for a setting that is negative, NaN, infinite, or that float32 would turn into 0 or infinity;
  /// and for Nesterov without momentum or with dampening.
  SGD(std::vector<nn::Parameter*> parameters, double learning_rate = 1e-3, const SGDOptions& options = {});
  [[nodiscard]] std::string describe() const override;

 private:
  [[nodiscard]] Array update(std::size_t index, const Array& value, const Array& gradient) override;
  [[nodiscard]] Array damped(std::size_t index, const Array& gradient);
  SGDOptions options_;
  std::vector<Array>* velocity_ = nullptr;
  std::vector<Array*> started_;  // with dampening, of each parameter: 1 once it had a gradient
};

struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;   ///< divide by the largest second moment so far (Reddi, Kale and Kumar 2018)
  bool maximize = false;  ///< climb instead of descend
};

/// Adam (Kingma and Ba 2015): m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2;
/// p -= lr/(1-b1^t) m / (sqrt(v)/sqrt(1-b2^t) + epsilon). Weight decay is added to the gradient. With amsgrad the
/// largest v so far stands for v in the last line.
class Adam : public Optimizer {
 public:
  /// Throws UsageError for betas outside [0, 1) (also once rounded to float32), and for a setting that is negative,
  /// NaN, infinite, or that float32 would turn into 0 or infinity.
  Adam(std::vector<nn::Parameter*> parameters, double learning_rate = 1e-3, const AdamOptions& options = {});
  [[nodiscard]] std::string describe() const override;

 protected:
  Adam(std::vector<nn::Parameter*> parameters, double learning_rate, const AdamOptions& options, bool decoupled);

 private:
  void begin_step() override;
  [[nodiscard]] Array update(std::size_t index, const Array& value, const Array& gradient) override;
  AdamOptions options_;
  bool decoupled_;
  std::vector<Array>* first_ = nullptr;
  std::vector<Array>* second_ = nullptr;
  std::vector<Array>* largest_ = nullptr;  // with amsgrad
  Array* count_ = nullptr;
  Array step_size_;
  Array second_scale_;
};

/// The defaults of AdamW: weight decay 0.01.
[[nodiscard]] constexpr AdamOptions adamw_defaults() noexcept {
  AdamOptions options;
  options.weight_decay = 0.01;
  return options;
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): p *= 1 - lr weight_decay before Adam's update.
class AdamW final : public Adam {
 public:
  AdamW(std::vector<nn::Parameter*> parameters, double learning_rate = 1e-3,
        const AdamOptions& options = adamw_defaults());
  [[nodiscard]] std::string describe() const override;
};

struct RMSpropOptions {
  double alpha = 0.99;  ///< how much of the mean square stays at each step
  double epsilon = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;  ///< divide by the standard deviation of the gradients instead of their root mean square
  bool maximize = false;  ///< climb instead of descend
};

/// RMSprop (Tieleman and Hinton 2012) as PyTorch has it: g += weight_decay p; v = alpha v + (1-alpha) g^2; s = v, or
/// centered (Graves 2013) a = alpha a + (1-alpha) g, s = v - a^2; d = g / (sqrt(s) + epsilon); p -= lr d, or with
/// momentum b = momentum b + d, p -= lr b. s is kept from falling below 0 by rounding.
class RMSprop final : public Optimizer {
 public:
  /// Throws UsageError for an alpha outside [0, 1) as float32, and for a setting that is negative, NaN, infinite, or
  /// that float32 would turn into 0 or infinity.
  RMSprop(std::vector<nn::Parameter*> parameters, double learning_rate = 1e-2, const RMSpropOptions& options = {});
  [[nodiscard]] std::string describe() const override;

 private:
  [[nodiscard]] Array update(std::size_t index, const Array& value, const Array& gradient) override;
  RMSpropOptions options_;
  std::vector<Array>* square_ = nullptr;
  std::vector<Array>* mean_ = nullptr;    // centered
  std::vector<Array>* buffer_ = nullptr;  // with momentum
};

}  // namespace overtake::optim
