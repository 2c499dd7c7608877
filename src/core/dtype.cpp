// SPDX-License-Identifier: MIT
#include "overtake/dtype.hpp"

#include <fmt/format.h>

#include <bit>

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

namespace {

// NOLINTBEGIN: the text that kernels compile too (docs/dialect.md)
using uint32 = std::uint32_t;
#define DEVICE [[nodiscard]] constexpr
#define as_int(x) std::bit_cast<int>(x)
#define as_float(x) std::bit_cast<float>(x)
#include "kernels/graph/tape.k"
#undef DEVICE
#undef as_int
#undef as_float
// NOLINTEND

}  // namespace

float16::float16(float value) noexcept : bits(static_cast<std::uint16_t>(half_bits(value))) {}
float16::operator float() const noexcept { return half_value(bits); }
bfloat16::bfloat16(float value) noexcept : bits(static_cast<std::uint16_t>(bfloat16_bits(value))) {}
bfloat16::operator float() const noexcept { return bfloat16_value(bits); }

}  // namespace overtake
