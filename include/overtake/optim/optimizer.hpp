// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/nn/module.hpp"

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

}  // namespace overtake::optim
