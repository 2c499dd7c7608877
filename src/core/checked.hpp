// SPDX-License-Identifier: MIT
// Arithmetic on sizes that fails loudly instead of wrapping round.
#pragma once

#include <concepts>
#include <limits>
#include <string>
#include <utility>

#include "overtake/error.hpp"

namespace overtake {

/// a * b into `result`; false when it does not fit.
template <std::integral T>
[[nodiscard]] constexpr bool fits_mul(T a, T b, T& result) noexcept {
  return !__builtin_mul_overflow(a, b, &result);
}

/// a * b; throws UsageError naming `what` when it does not fit.
template <std::integral T>
[[nodiscard]] constexpr T checked_mul(T a, T b, const char* what = "size") {
  T result{};
  if (!fits_mul(a, b, result)) throw UsageError(std::string(what) + " is too large for this machine");
  return result;
}

/// a + b; throws UsageError naming `what` when it does not fit.
template <std::integral T>
[[nodiscard]] constexpr T checked_add(T a, T b, const char* what = "size") {
  T result{};
  if (__builtin_add_overflow(a, b, &result)) throw UsageError(std::string(what) + " is too large for this machine");
  return result;
}

/// `value` as another integer type; throws UsageError naming `what` when it does not fit.
template <std::integral To, std::integral From>
[[nodiscard]] constexpr To narrow(From value, const char* what = "size") {
  if (!std::in_range<To>(value)) throw UsageError(std::string(what) + " is too large: " + std::to_string(value));
  return static_cast<To>(value);
}

}  // namespace overtake
