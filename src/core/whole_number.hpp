// SPDX-License-Identifier: MIT
// Whole numbers out of files: checked before they are cast.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace overtake {

/// `value` where it is whole and from `least` to `most`; nothing otherwise (NaN, infinite, a fraction, beyond).
[[nodiscard]] inline std::optional<std::int64_t> whole_number(double value, std::int64_t least, std::int64_t most) {
  constexpr double beyond = 9223372036854775808.0;  // 2^63, where the cast is no longer defined
  if (!(value >= -beyond && value < beyond) || value != std::floor(value)) return std::nullopt;
  const auto whole = static_cast<std::int64_t>(value);
  if (whole < least || whole > most) return std::nullopt;
  return whole;
}

/// The same of a value of nlohmann's JSON, which must be written as a whole number.
template <typename Json>
[[nodiscard]] std::optional<std::int64_t> whole_number(const Json& value, std::int64_t least, std::int64_t most) {
  if (!value.is_number_integer()) return std::nullopt;
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value.is_number_unsigned() && value.template get<std::uint64_t>() > largest) return std::nullopt;
  const auto whole = value.template get<std::int64_t>();
  if (whole < least || whole > most) return std::nullopt;
  return whole;
}

}  // namespace overtake
