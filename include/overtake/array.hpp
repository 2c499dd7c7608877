// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "overtake/device.hpp"
#include "overtake/dtype.hpp"
#include "overtake/shape.hpp"

namespace overtake {

namespace graph {
struct Node;
}

/// An n-dimensional array: an immutable handle to a node of a lazy graph, or to a finished buffer on a device.
///
/// Functions on arrays (ops.hpp) only check their arguments and build nodes. Work happens in `eval()`, which every read
/// (`item`, `to_vector`) calls by itself. Both operands of a function must be on one device; `to()` is the only way to
/// another one, and it is counted (Device::transfers).
class Array {
 public:
  /// No array: `defined()` is false.
  Array() = default;
  /// A float32 scalar on the CPU.
  Array(float value);  // NOLINT(google-explicit-constructor): scalars mix with arrays as in NumPy

  /// Copies row-major values to `device`. Throws UsageError if the count is not shape.size().
  [[nodiscard]] static Array from(std::span<const float> values, const Shape& shape, const Device& device = Device());
  [[nodiscard]] static Array from(std::span<const std::int32_t> values, const Shape& shape,
                                  const Device& device = Device());

  [[nodiscard]] bool defined() const noexcept { return node_ != nullptr; }
  [[nodiscard]] const Shape& shape() const;
  [[nodiscard]] DType dtype() const;
  [[nodiscard]] Device device() const;
  [[nodiscard]] std::int64_t size() const { return shape().size(); }

  /// Computes this array if it is not yet computed. Asynchronous on GPUs.
  void eval() const;
  /// True once the value sits in a buffer.
  [[nodiscard]] bool is_evaluated() const;

  /// The same values on another device (the same handle if it is there already). Evaluates. Gradients do not flow
  /// through it: move a model, then differentiate.
  [[nodiscard]] Array to(const Device& device) const;

  /// Evaluates, waits and copies the row-major values to the host. Throws UsageError if T is not the dtype.
  template <typename T>
  [[nodiscard]] std::vector<T> to_vector() const;
  /// The value of a one-element array as float (int32 is converted).
  [[nodiscard]] float item() const;

  /// The same values, cut off from the graph: gradients do not flow through it.
  [[nodiscard]] Array detach() const;

  /// Marks this array as a leaf to differentiate by; returns itself. The array is evaluated.
  Array& requires_grad(bool value = true);
  [[nodiscard]] bool requires_grad() const;
  /// Differentiates this one-element array by every leaf that requires a gradient and adds the results to their
  /// `grad()`, as in PyTorch. Throws UsageError for more than one element or if no leaf requires a gradient.
  void backward() const;
  /// The accumulated gradient; undefined before the first backward().
  [[nodiscard]] Array grad() const;
  /// Replaces the accumulated gradient; an undefined array clears it.
  void set_grad(const Array& gradient) const;

  /// For Overtake's own modules.
  explicit Array(std::shared_ptr<graph::Node> node) noexcept : node_(std::move(node)) {}
  [[nodiscard]] const std::shared_ptr<graph::Node>& node() const noexcept { return node_; }

 private:
  std::shared_ptr<graph::Node> node_;
};

/// Computes several arrays in one plan.
void eval(std::span<const Array> arrays);

/// The gradients of a one-element array by `inputs`, without touching any `grad()`. Inputs that do not take part get
/// zeros. The gradients are ordinary lazy arrays and can be differentiated again.
[[nodiscard]] std::vector<Array> gradients(const Array& loss, std::span<const Array> inputs);

}  // namespace overtake
