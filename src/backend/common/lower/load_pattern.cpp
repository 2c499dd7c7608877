// SPDX-License-Identifier: MIT
#include "backend/common/lower/load_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "overtake/error.hpp"

namespace overtake::backend {

LoadPattern pattern_of(const Access& access, std::span<const std::int64_t> extents) {
  LoadPattern pattern;
  bool any = false;
  bool row_major = true;
  bool others_aligned = access.offset % 4 == 0;
  std::int64_t contiguous = 1;
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    pattern.strides[axis] = extents[axis] == 1 ? 0 : access.strides[axis];
    any = any || pattern.strides[axis] != 0;
    row_major = row_major && (extents[axis] == 1 || access.strides[axis] == contiguous);
    if (axis + 1 != extents.size()) others_aligned = others_aligned && pattern.strides[axis] % 4 == 0;
    contiguous *= extents[axis];
  }
  const std::int64_t last = pattern.strides[extents.size() - 1];
  if (any) pattern.kind = row_major ? LoadPattern::Kind::linear : LoadPattern::Kind::strided;
  pattern.constant_along_last = last == 0;
  pattern.aligned = others_aligned && last == 1;
  return pattern;
}

bool has_short_indices(const Tape& tape, std::span<const std::int64_t> extents) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  std::int64_t size = 1;
  for (const std::int64_t extent : extents) size *= extent;
  // Maps round up to whole groups of four elements each.
  constexpr std::int64_t most_beyond = 4096;
  for (const TapeStore& store : tape.stores) {
    if (store.offset + size > most - most_beyond) return false;
  }
  if (size > most - most_beyond) return false;
  return std::all_of(tape.loads.begin(), tape.loads.end(), [&](const Access& access) {
    std::int64_t furthest = access.offset;
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
      furthest += std::max<std::int64_t>(access.strides[axis], 0) * (extents[axis] - 1);
    }
    return furthest <= most;
  });
}

bool has_short_indices(const Access& access, std::initializer_list<std::int64_t> extents) {
  Tape reach;
  reach.loads = {access};
  return has_short_indices(reach, std::vector(extents));
}

bool can_widen(const Tape& tape, std::span<const std::int64_t> extents) {
  if (extents.empty() || extents.back() % 4 != 0) return false;
  const auto is_aligned = [](const TapeStore& store) { return store.offset % 4 == 0; };
  if (!std::all_of(tape.stores.begin(), tape.stores.end(), is_aligned)) return false;
  return std::all_of(tape.loads.begin(), tape.loads.end(), [extents](const Access& access) {
    const LoadPattern pattern = pattern_of(access, extents);
    return pattern.constant_along_last || pattern.aligned;
  });
}

std::int32_t to_index(std::int64_t value) {
  if (value < 0) throw InternalError(fmt::format("lowering: a negative index or extent ({})", value));
  if (value > std::numeric_limits<std::int32_t>::max()) {
    throw UsageError(
        fmt::format("an array of more than 2^31 - 1 elements (index {}) cannot be computed on a GPU", value),
        "Use a smaller batch, or split the array.");
  }
  return static_cast<std::int32_t>(value);
}

}  // namespace overtake::backend
