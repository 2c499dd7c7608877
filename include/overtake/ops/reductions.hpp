// SPDX-License-Identifier: MIT
// Reductions in the canonical order of backend/api/operation.hpp: the same bits on every device, whatever the threads.
#pragma once

#include <optional>
#include <vector>

#include "overtake/array.hpp"

namespace overtake {

/// The axes that a reduction takes away: none named (`{}`) means all; one (`1`); several (`{{0, 2}}`). Negative ones
/// count from the end.
class Axes {
 public:
  Axes() = default;
  Axes(std::nullopt_t) {}                                  // NOLINT(google-explicit-constructor)
  Axes(int axis) : axes_(std::vector<int>{axis}) {}        // NOLINT(google-explicit-constructor)
  Axes(std::vector<int> axes) : axes_(std::move(axes)) {}  // NOLINT(google-explicit-constructor)
  Axes(const std::optional<int>& axis) {                   // NOLINT(google-explicit-constructor)
    if (axis) axes_ = std::vector<int>{*axis};
  }
  /// False when all axes are meant.
  explicit operator bool() const noexcept { return axes_.has_value(); }
  [[nodiscard]] const std::vector<int>& operator*() const { return *axes_; }

 private:
  std::optional<std::vector<int>> axes_;
};

/// Whole numbers and bool are added up as int64 (unsigned ones as uint64) unless `dtype` says otherwise.
[[nodiscard]] Array sum(const Array& a, const Axes& axes = {}, bool keepdims = false, std::optional<DType> dtype = {});
[[nodiscard]] Array prod(const Array& a, const Axes& axes = {}, bool keepdims = false, std::optional<DType> dtype = {});
/// Of whole numbers float32; half precision is added up in float32.
[[nodiscard]] Array mean(const Array& a, const Axes& axes = {}, bool keepdims = false);
/// Divides by count - correction.
[[nodiscard]] Array var(const Array& a, const Axes& axes = {}, double correction = 0, bool keepdims = false);
[[nodiscard]] Array std(const Array& a, const Axes& axes = {}, double correction = 0, bool keepdims = false);
/// NaN wins. Throws UsageError for no elements.
[[nodiscard]] Array max(const Array& a, const Axes& axes = {}, bool keepdims = false);
[[nodiscard]] Array min(const Array& a, const Axes& axes = {}, bool keepdims = false);
/// The position (int64) of the first largest or smallest element along an axis, of all elements without one. NaN counts
/// as more extreme than any number.
[[nodiscard]] Array argmax(const Array& a, std::optional<int> axis = {}, bool keepdims = false);
[[nodiscard]] Array argmin(const Array& a, std::optional<int> axis = {}, bool keepdims = false);
[[nodiscard]] Array any(const Array& a, const Axes& axes = {}, bool keepdims = false);
[[nodiscard]] Array all(const Array& a, const Axes& axes = {}, bool keepdims = false);
/// int64.
[[nodiscard]] Array count_nonzero(const Array& a, const Axes& axes = {}, bool keepdims = false);
/// (sum |a|^order)^(1/order); infinity: the largest magnitude; 0: how many are not 0.
[[nodiscard]] Array norm(const Array& a, double order = 2, const Axes& axes = {}, bool keepdims = false);

// -- rows (last axis) -------------------------------------------------------------------------------------------------
[[nodiscard]] Array softmax(const Array& a);
[[nodiscard]] Array log_softmax(const Array& a);
/// Per-row loss -log softmax(logits)[label]: logits (rows, classes) float32, labels (rows,) int32 -> (rows,) float32.
/// A label outside [0, classes) gives NaN.
[[nodiscard]] Array cross_entropy_rows(const Array& logits, const Array& labels);

}  // namespace overtake
