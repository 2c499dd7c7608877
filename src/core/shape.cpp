// SPDX-License-Identifier: MIT
#include "overtake/shape.hpp"

#include <algorithm>

#include "core/checked.hpp"

namespace overtake {

Shape::Shape(std::vector<std::int64_t> extents) : extents_(std::move(extents)) {
  if (extents_.size() > max_rank) {
    throw UsageError(
        "shape " + to_string() + " has " + std::to_string(extents_.size()) + " dimensions, at most 8 are supported",
        "Merge dimensions with reshape().");
  }
  for (const std::int64_t extent : extents_) {
    if (extent < 0) throw UsageError("shape " + to_string() + " has a negative extent");
    size_ = checked_mul(size_, extent, "the number of elements");
  }
  if (size_ > (std::int64_t{1} << 60)) throw UsageError("shape " + to_string() + " has too many elements");
}

std::string Shape::to_string() const {
  std::string text = "(";
  for (std::size_t i = 0; i < extents_.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(extents_[i]);
  }
  return text + (extents_.size() == 1 ? ",)" : ")");
}

Shape broadcast_shapes(const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.rank(), b.rank());
  std::vector<std::int64_t> extents(rank);
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
  return Shape(std::move(extents));
}

}  // namespace overtake
