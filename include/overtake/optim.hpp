// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/nn/module.hpp"

/// Optimisers with PyTorch's formulas and defaults, and learning-rate schedules.
namespace overtake::optim {

/// The root of all optimisers.
///
/// step() builds the new parameters from their gradients and evaluates them in one plan. State lives on the parameters'
/// device and follows them if the model is moved between two steps. Parameters without a gradient are left alone, as in
/// PyTorch. The learning rate is a one-element array, so a compiled step sees a new one without being compiled again.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates every parameter that has a gradient.
  void step();
  /// Forgets all gradients.
  void zero_grad();

  [[nodiscard]] float learning_rate() const noexcept { return learning_rate_value_; }
  /// Takes effect from the next step, compiled steps included; 0 is taken as it is, and leaves the parameters alone. A
  /// rate below the normal numbers of float32 (1.18e-38) becomes 0. Throws UsageError for one that is negative, NaN,
  /// infinite, or infinite in float32.
  void set_learning_rate(double rate);

  /// Every array that step() reassigns beside the parameters, created if need be: "0.momentum", "step", ... The leading
  /// number is the parameter's position. For compiled steps and checkpoints.
  [[nodiscard]] std::vector<nn::NamedValue> state();
  [[nodiscard]] const std::vector<nn::Parameter*>& parameters() const noexcept { return parameters_; }

  /// Name and settings without the learning rate: "SGD(momentum=0.9, nesterov=True, weight_decay=0)".
  [[nodiscard]] virtual std::string describe() const = 0;

 protected:
  /// Throws UsageError when there are no parameters, one of them is null or undefined, or the rate is neither 0 nor a
  /// positive normal number of float32 (1.18e-38 to 3.4e38).
  Optimizer(std::vector<nn::Parameter*> parameters, double learning_rate);

  /// Lazy arrays one per parameter of its shape, zero at the start, named "<position>.<name>".
  std::vector<Array>& add_state(const std::string& name);
  /// A one-element float32 array, zero at the start.
  Array& add_scalar(const std::string& name);

  /// Called once per step before the parameters; advances scalars.
  virtual void begin_step() {}
  /// The new value of parameter number `index`.
  [[nodiscard]] virtual Array update(std::size_t index, const Array& value, const Array& gradient) = 0;
  /// The learning rate as a one-element array on the parameters' device.
  [[nodiscard]] const Array& rate() const noexcept { return learning_rate_; }

 private:
  struct ParameterState {
    std::string name;
    std::vector<Array> arrays;
  };
  struct ScalarState {
    std::string name;
    Array value;
  };
  void prepare();
  static void require_trainable(const nn::Parameter& parameter);

  std::vector<nn::Parameter*> parameters_;
  float learning_rate_value_;
  Array learning_rate_;
  std::vector<std::unique_ptr<ParameterState>> states_;
  std::vector<std::unique_ptr<ScalarState>> scalars_;
};

struct SGDOptions {
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
};

/// Stochastic gradient descent: g += weight_decay p; v = momentum v + g; g = nesterov ? g + momentum v : v; p -= lr g
/// (without momentum p -= lr g). Dampening is 0.
class SGD final : public Optimizer {
 public:
  /// Throws UsageError for a setting that is negative, NaN, infinite, or that float32 would turn into 0 or infinity;
  /// and for Nesterov without momentum.
  SGD(std::vector<nn::Parameter*> parameters, double learning_rate = 1e-3, const SGDOptions& options = {});
  [[nodiscard]] std::string describe() const override;

 private:
  [[nodiscard]] Array update(std::size_t index, const Array& value, const Array& gradient) override;
  SGDOptions options_;
  std::vector<Array>* velocity_ = nullptr;
};

struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

/// Adam (Kingma and Ba 2015): m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2;
/// p -= lr/(1-b1^t) m / (sqrt(v)/sqrt(1-b2^t) + epsilon). Weight decay is added to the gradient.
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

/// The learning rate of each epoch as a closed formula (epochs count from 0). Plain data; make one with the functions.
struct Schedule {
  enum class Kind : std::uint8_t { constant, step, cosine, exponential };
  Kind kind = Kind::constant;
  int period = 1;      ///< step: epochs between two drops; cosine: epochs of the half wave
  double gamma = 1;    ///< step, exponential: factor
  double minimum = 0;  ///< cosine: the lowest rate

  /// StepLR: base * gamma^(epoch / step_size). Throws UsageError unless step_size >= 1.
  [[nodiscard]] static Schedule step_lr(int step_size, double gamma = 0.1);
  /// CosineAnnealingLR: minimum + (base - minimum) (1 + cos(pi epoch / t_max)) / 2. Throws UsageError unless t_max
  /// >= 1.
  [[nodiscard]] static Schedule cosine_annealing_lr(int t_max, double minimum = 0);
  /// ExponentialLR: base * gamma^epoch. Throws UsageError, as step_lr does, unless gamma is a number above 0.
  [[nodiscard]] static Schedule exponential_lr(double gamma);

  /// "constant", "step:EPOCHS[:FACTOR]", "cosine" (half a wave over all `epochs`) or "exponential:FACTOR". Throws
  /// UsageError.
  [[nodiscard]] static Schedule parse(std::string_view text, int epochs);

  /// Throws UsageError for members that the functions above would refuse.
  void check() const;
  /// The same, and for a rate that float32 cannot hold in one of the first `epochs` epochs, naming the epoch.
  void check(double base, int epochs) const;
  [[nodiscard]] double at(double base, int epoch) const;
  /// "StepLR(step_size=30, gamma=0.1)".
  [[nodiscard]] std::string describe() const;
};

}  // namespace overtake::optim
