// SPDX-License-Identifier: MIT
#include "user_kernel/merged_axes.hpp"

namespace overtake::user_kernel {

MergedAxes merged_axes(const Shape& shape, const std::vector<Shape>& arrays) {
  // Strides along the axes of the result, of length 1 left out.
  std::vector<std::int64_t> extents;
  std::vector<std::vector<std::int64_t>> strides(arrays.size());
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] != 1) extents.push_back(shape[axis]);
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    std::int64_t step = 1;
    for (std::size_t from_end = 1; from_end <= shape.rank(); ++from_end) {
      const bool has_axis = from_end <= arrays[i].rank();
      const std::int64_t own = has_axis ? arrays[i][arrays[i].rank() - from_end] : 1;
      if (shape[shape.rank() - from_end] != 1) strides[i].insert(strides[i].begin(), own == 1 ? 0 : step);
      step *= own;
    }
  }
  MergedAxes result{{}, std::vector<std::vector<std::int64_t>>(arrays.size())};
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    bool joins = !result.extents.empty();
    for (std::size_t i = 0; i < arrays.size() && joins; ++i) {
      joins = result.strides[i].back() == strides[i][axis] * extents[axis];
    }
    if (joins) {
      result.extents.back() *= extents[axis];
    } else {
      result.extents.push_back(extents[axis]);
    }
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      if (joins) result.strides[i].pop_back();
      result.strides[i].push_back(strides[i][axis]);
    }
  }
  if (!result.extents.empty()) return result;
  result.extents = {1};
  for (auto& each : result.strides) each = {1};
  return result;
}

Access access_of(const MergedAxes& axes, std::size_t array) {
  const std::vector<std::int64_t>& strides = axes.strides[array];
  std::int64_t step = 1;
  bool is_flat = true;
  for (std::size_t axis = strides.size(); axis-- > 0;) {
    is_flat = is_flat && strides[axis] == step;
    step *= axes.extents[axis];
  }
  if (is_flat) return Access::flat;
  return strides.back() == 1 ? Access::row : strides.back() == 0 ? Access::still : Access::strided;
}

}  // namespace overtake::user_kernel
