// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "backend/api/tape.hpp"

namespace overtake::backend {

/// How the address of a load follows from the element.
struct LoadPattern {
  enum class Kind : std::uint8_t { uniform, linear, strided } kind = Kind::uniform;
  std::array<std::int64_t, Shape::max_rank> strides{};  ///< 0 for axes of extent 1
  bool aligned = false;                                 ///< four consecutive elements are one access
  bool constant_along_last = false;
};

/// The pattern of a load by a tape that runs over `extents`.
[[nodiscard]] LoadPattern pattern_of(const Access& access, std::span<const std::int64_t> extents);

/// True when the tape's elements, and every element that it loads, have 32-bit indices.
[[nodiscard]] bool has_short_indices(const Tape& tape, std::span<const std::int64_t> extents);
/// The same of one load, which a core does itself.
[[nodiscard]] bool has_short_indices(const Access& access, std::initializer_list<std::int64_t> extents);

/// True when four consecutive elements can be computed by one call and each load is one access or a broadcast: the last
/// extent is a multiple of 4 and the loads are aligned.
[[nodiscard]] bool can_widen(const Tape& tape, std::span<const std::int64_t> extents);

/// `value` as int32. Throws UsageError when it is 2^31 or more, for kernels that compute with 32-bit indices.
[[nodiscard]] std::int32_t to_index(std::int64_t value);

}  // namespace overtake::backend
