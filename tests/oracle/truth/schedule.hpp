// SPDX-License-Identifier: MIT
// What operations (backend/api/operation.hpp) mean, in double precision.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/api/operation.hpp"

namespace overtake::oracle {

/// The contents of a slot on the host: float32 or int32, as bits, or two bfloat16 in a word, the first in its low half.
struct HostSlot {
  std::vector<std::uint32_t> bits;

  [[nodiscard]] static HostSlot floats(const std::vector<float>& values);
  /// Rounded to bfloat16.
  [[nodiscard]] static HostSlot bfloat16s(const std::vector<float>& values);
  [[nodiscard]] static HostSlot ints(const std::vector<std::int32_t>& values);
  /// To be written by the device: filled with a pattern that no test computes.
  [[nodiscard]] static HostSlot empty(std::int64_t elements);
  [[nodiscard]] float as_float(std::size_t i) const;
  [[nodiscard]] float as_bfloat16(std::size_t i) const;
  void set_bfloat16(std::size_t i, float value);
  [[nodiscard]] std::int32_t as_int(std::size_t i) const;
};

/// The pattern of HostSlot::empty().
inline constexpr std::uint32_t untouched = 0x5ca1ab1eU;

/// The slots after one run of the operations over external slots that hold `slots`. Random numbers and integers are
/// exact.
[[nodiscard]] std::vector<HostSlot> reference(std::vector<HostSlot> slots,
                                              const std::vector<backend::Operation>& operations);

}  // namespace overtake::oracle
