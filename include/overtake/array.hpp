// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "overtake/device.hpp"
#include "overtake/dtype.hpp"
#include "overtake/index.hpp"
#include "overtake/shape.hpp"

namespace overtake {

namespace graph {
struct Node;
}

/// True for the C++ types of elements.
template <typename T>  // as std's traits are named
concept is_element =   // NOLINT(readability-identifier-naming)
    requires {
  dtype_of<T>::value;
};

/// The type of the elements of a vector, span, std::array, ...: of whatever std::data() points to.
template <typename Values>
using element_of = std::remove_cvref_t<decltype(*std::data(std::declval<const Values&>()))>;

/// An n-dimensional array: an immutable handle to a node of a lazy graph, or to a finished buffer on a device.
///
/// Functions on arrays (ops.hpp) only check their arguments and build nodes. Work happens in `eval()`, which every read
/// (`item`, `to_vector`) calls by itself. Both operands of a function must be on one device; `to()` is the only way to
/// another one, and it is counted (Device::transfers).
class Array {
 public:
  /// No array: `defined()` is false.
  Array() = default;
  /// A scalar on any device: bool, int64 or float32. Beside arrays it takes their type (2 * x is of x's type), unless
  /// it is of a higher kind: 0.5 beside whole numbers makes float32.
  template <typename T>
  requires std::is_arithmetic_v<T> Array(T value)
      : Array(scalar(value)) {}  // NOLINT(google-explicit-constructor): scalars mix with arrays as in NumPy

  /// Copies row-major values to `device`: of bool, any std::int*_t or std::uint*_t, float16, bfloat16, float or double.
  /// Throws UsageError if the count is not shape.size().
  template <typename Values>
  requires is_element<element_of<Values>>
  [[nodiscard]] static Array from(const Values& values, const Shape& shape, const Device& device = Device()) {
    return from_memory(std::data(values), static_cast<std::int64_t>(std::size(values)),
                       dtype_of<element_of<Values>>::value, shape, device);
  }
  /// Array::from({1.0F, 2.0F}, {2})
  template <typename T>
  requires is_element<T>
  [[nodiscard]] static Array from(std::initializer_list<T> values, const Shape& shape,
                                  const Device& device = Device()) {
    return from(std::span<const T>(values.begin(), values.size()), shape, device);
  }
  /// The same for a type known at run time: `count` elements as they lie in memory (bool: a byte each).
  [[nodiscard]] static Array from_memory(const void* values, std::int64_t count, DType dtype, const Shape& shape,
                                         const Device& device = Device());

  [[nodiscard]] bool defined() const noexcept { return node_ != nullptr; }
  [[nodiscard]] const Shape& shape() const;
  [[nodiscard]] DType dtype() const;
  [[nodiscard]] Device device() const;
  [[nodiscard]] std::int64_t size() const { return shape().size(); }

  /// A part, with NumPy's rules: a[{0, Slice(1, -1, 2)}], a[{ellipsis, newaxis, -1}]; axes that are not named are
  /// whole. A view: copies nothing. Throws UsageError for a place outside and for more indices than axes. A new value
  /// with a part replaced: assigned_at() in ops.hpp.
  [[nodiscard]] Array operator[](std::initializer_list<Index> indices) const;
  /// The same for one index: a[0], a[Slice(2, {})].
  [[nodiscard]] Array operator[](const Index& index) const { return (*this)[{index}]; }

  /// Computes this array if it is not yet computed. Asynchronous on GPUs.
  void eval() const;
  /// True once the value sits in a buffer.
  [[nodiscard]] bool is_evaluated() const;

  /// The same values on another device (the same handle if it is there already). Evaluates. Gradients do not flow
  /// through it: move a model, then differentiate.
  [[nodiscard]] Array to(const Device& device) const;

  /// Evaluates, waits and copies the row-major values to the host. Throws UsageError if T is not the dtype.
  template <typename T>
  requires is_element<T>
  [[nodiscard]] std::vector<T> to_vector() const {
    require_dtype(dtype_of<T>::value);
    if constexpr (std::is_same_v<T, bool>) {
      std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size()));
      to_memory(bytes.data());
      return {bytes.begin(), bytes.end()};
    } else {
      std::vector<T> values(static_cast<std::size_t>(size()));
      to_memory(values.data());
      return values;
    }
  }
  /// Evaluates, waits and copies the row-major elements to `to`, which has room for size() of the dtype (bool: a byte).
  void to_memory(void* to) const;
  /// The value of a one-element array, converted to T as static_cast does. Throws UsageError for more elements.
  template <typename T = float>
  requires std::is_arithmetic_v<T>
  [[nodiscard]] T item() const {
    const DType type = dtype();
    if (is_floating(type)) return static_cast<T>(item_as_double());
    if (type == DType::uint64) return static_cast<T>(static_cast<std::uint64_t>(item_as_int()));
    return static_cast<T>(item_as_int());
  }

  /// The same values, cut off from the graph: gradients do not flow through it.
  [[nodiscard]] Array detach() const;

  /// Marks this array, of a floating type, as a leaf to differentiate by; returns itself. The array is evaluated.
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
  template <typename T>
  [[nodiscard]] static Array scalar(T value) {
    if constexpr (std::is_same_v<T, bool>) return bool_scalar(value);
    if constexpr (std::is_floating_point_v<T>) return float_scalar(static_cast<double>(value));
    if constexpr (std::is_unsigned_v<T> && sizeof(T) == sizeof(std::uint64_t)) return large_scalar(value);
    return int_scalar(static_cast<std::int64_t>(value));
  }
  [[nodiscard]] static Array bool_scalar(bool value);
  [[nodiscard]] static Array int_scalar(std::int64_t value);
  [[nodiscard]] static Array large_scalar(std::uint64_t value);  ///< uint64 if int64 cannot hold it
  [[nodiscard]] static Array float_scalar(double value);
  void require_dtype(DType asked) const;
  [[nodiscard]] double item_as_double() const;
  [[nodiscard]] std::int64_t item_as_int() const;

  std::shared_ptr<graph::Node> node_;
};

/// Computes several arrays in one plan.
void eval(std::span<const Array> arrays);

/// The gradients of a one-element array by `inputs`, without touching any `grad()`. Inputs that do not take part get
/// zeros. The gradients are ordinary lazy arrays and can be differentiated again.
[[nodiscard]] std::vector<Array> gradients(const Array& loss, std::span<const Array> inputs);

}  // namespace overtake
