// SPDX-License-Identifier: MIT
#include "overtake/shape.hpp"

#include <algorithm>

#include "core/checked.hpp"

namespace overtake {

namespace {

std::string text_of(std::span<const std::int64_t> extents) {
  std::string text = "(";
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(extents[i]);
  }
  return text + (extents.size() == 1 ? ",)" : ")");
}

}  // namespace

Shape::Shape(std::span<const std::int64_t> extents) {
  if (extents.size() > max_rank) {
    throw UsageError(
        "shape " + text_of(extents) + " has " + std::to_string(extents.size()) + " dimensions, at most 8 are supported",
        "Merge dimensions with reshape().");
  }
  for (const std::int64_t extent : extents) {
    if (extent < 0) throw UsageError("shape " + text_of(extents) + " has a negative extent");
    size_ = checked_mul(size_, extent, "the number of elements");
  }
  if (size_ > (std::int64_t{1} << 60)) throw UsageError("shape " + text_of(extents) + " has too many elements");
  std::copy(extents.begin(), extents.end(), extents_.begin());
  rank_ = static_cast<std::uint8_t>(extents.size());
}

std::vector<std::int64_t> Shape::to_vector() const { return {extents_.begin(), extents_.begin() + rank_}; }

std::string Shape::to_string() const { return text_of(extents()); }

Shape broadcast_shapes(const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.rank(), b.rank());
  std::array<std::int64_t, Shape::max_rank> extents{};
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t from_end = rank - i;
    const std::int64_t x = from_end <= a.rank() ? a[a.rank() - from_end] : 1;
    const std::int64_t y = from_end <= b.rank() ? b[b.rank() - from_end] : 1;
    if (x != y && x != 1 && y != 1) {
      throw UsageError("shapes " + a.to_string() + " and " + b.to_string() + " do not broadcast",
                       "Each axis must be equal or 1, counted from the last.");
    }
    extents[i] = x == 1 ? y : x;
  }
  return Shape(std::span(extents.data(), rank));
}

}  // namespace overtake
