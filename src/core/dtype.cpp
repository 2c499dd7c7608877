// SPDX-License-Identifier: MIT
#include "overtake/dtype.hpp"

#include <fmt/format.h>

#include "overtake/error.hpp"

namespace overtake {
namespace {

DType signed_of(std::size_t bytes) noexcept {
  switch (bytes) {
    case 1: return DType::int8;
    case 2: return DType::int16;
    case 4: return DType::int32;
    default: return DType::int64;
  }
}

}  // namespace

DType result_type(DType a, DType b) {
  if (a == b || b == DType::boolean) return a;
  if (a == DType::boolean) return b;
  if (is_floating(a) && is_floating(b)) {
    if (size_of(a) == size_of(b)) return DType::float32;  // of float16 and bfloat16
    return size_of(a) > size_of(b) ? a : b;
  }
  if (is_floating(a) || is_floating(b)) return is_floating(a) ? a : b;
  if (is_unsigned(a) == is_unsigned(b)) return size_of(a) > size_of(b) ? a : b;
  const DType whole = is_unsigned(a) ? b : a;
  const DType natural = is_unsigned(a) ? a : b;
  if (size_of(whole) > size_of(natural)) return whole;
  if (natural == DType::uint64) {
    throw UsageError(fmt::format("{} and {} have no common type", name_of(a), name_of(b)),
                     "Convert one of them with astype(): to int64, or to float64.");
  }
  return signed_of(2 * size_of(natural));
}

// The value's exponent decides: too large, normal, or a multiple of the smallest subnormal number.
float16::float16(float value) noexcept {
  const auto word = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (word >> 16U) & 0x8000U;
  const std::uint32_t magnitude = word & 0x7fffffffU;
  std::uint32_t half = 0;
  if (magnitude > 0x7f800000U) {
    half = 0x7e00U;
  } else if (magnitude >= 0x477ff000U) {
    half = 0x7c00U;
  } else if (magnitude < 0x38800000U) {
    // Adding 1/2 rounds to multiples of 2^-24.
    half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3f000000U;
  } else {
    half = (magnitude + 0x0fffU + ((magnitude >> 13U) & 1U) - 0x38000000U) >> 13U;
  }
  bits = static_cast<std::uint16_t>(sign | half);
}

float16::operator float() const noexcept {
  const std::uint32_t magnitude = (bits & 0x7fffU) << 13U;
  const float scaled = std::bit_cast<float>(magnitude) * std::bit_cast<float>(0x77800000U);
  const float value = magnitude >= 0x0f800000U ? std::bit_cast<float>(magnitude | 0x7f800000U) : scaled;
  return (bits & 0x8000U) != 0 ? -value : value;
}

bfloat16::bfloat16(float value) noexcept {
  const auto word = std::bit_cast<std::uint32_t>(value);
  const bool nan = (word & 0x7fffffffU) > 0x7f800000U;
  const std::uint32_t rounded = nan ? word | 0x00400000U : word + 0x7fffU + ((word >> 16U) & 1U);
  bits = static_cast<std::uint16_t>(rounded >> 16U);
}

}  // namespace overtake
