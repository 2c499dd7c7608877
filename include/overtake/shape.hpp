// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace overtake {

/// The extents of an array, outermost first, as in NumPy; `{}` is a scalar. At most 8 dimensions.
class Shape {
 public:
  static constexpr std::size_t max_rank = 8;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  /// Throws UsageError for a negative extent, more than max_rank dimensions, or a product over 2^60.
  explicit Shape(std::span<const std::int64_t> extents);

  [[nodiscard]] std::size_t rank() const noexcept { return rank_; }
  [[nodiscard]] std::int64_t operator[](std::size_t axis) const noexcept { return extents_[axis]; }
  /// Number of elements (1 for a scalar).
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  /// Valid as long as the shape.
  [[nodiscard]] std::span<const std::int64_t> extents() const noexcept { return {extents_.data(), rank_}; }
  [[nodiscard]] std::vector<std::int64_t> to_vector() const;
  /// "(100, 4)", "(3,)", "()".
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Shape& a, const Shape& b) noexcept = default;

 private:
  // In place, not on the heap: every node of a graph has one.
  std::array<std::int64_t, max_rank> extents_{};  // zeros beyond the rank
  std::uint8_t rank_ = 0;
  std::int64_t size_ = 1;
};

/// NumPy's broadcast of two shapes. Throws UsageError when an axis differs and neither side is 1.
[[nodiscard]] Shape broadcast_shapes(const Shape& a, const Shape& b);

}  // namespace overtake
