// SPDX-License-Identifier: MIT
#include "graph/number.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/api/tape.hpp"

namespace overtake::graph {
namespace {

using backend::to_bits;
using backend::ValueType;

// Toward zero; what T cannot hold becomes its nearest end, and NaN 0.
template <typename T>
T truncated(double value) noexcept {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(value)) return 0;
  // The ends of 64 bits are not doubles: the power of two above the upper one is.
  if (value >= std::ldexp(1.0, Limits::digits)) return Limits::max();
  if (value <= static_cast<double>(Limits::lowest())) return Limits::lowest();
  return static_cast<T>(value);
}

std::uint64_t float_bits(float value, DType dtype) noexcept {
  if (dtype == DType::float16) value = static_cast<float>(float16(value));
  if (dtype == DType::bfloat16) value = static_cast<float>(bfloat16(value));
  return to_bits(value);
}

// A whole number that wraps round where the type is narrower.
std::uint64_t whole_bits(std::uint64_t value, DType dtype) noexcept {
  switch (dtype) {
    case DType::boolean: return value != 0 ? 1 : 0;
    case DType::int8: return to_bits(std::int32_t{static_cast<std::int8_t>(value)});
    case DType::int16: return to_bits(std::int32_t{static_cast<std::int16_t>(value)});
    case DType::int32: return to_bits(static_cast<std::int32_t>(value));
    case DType::uint8: return static_cast<std::uint8_t>(value);
    case DType::uint16: return static_cast<std::uint16_t>(value);
    case DType::uint32: return static_cast<std::uint32_t>(value);
    default: return value;
  }
}

template <typename T>
Number of_whole(T value, DType dtype) noexcept {
  if (dtype == DType::float64) return {dtype, to_bits(static_cast<double>(value))};
  if (is_floating(dtype)) return {dtype, float_bits(static_cast<float>(value), dtype)};
  return {dtype, whole_bits(static_cast<std::uint64_t>(value), dtype)};
}

}  // namespace

Number number_of(double value, DType dtype) noexcept {
  switch (dtype) {
    case DType::boolean: return {dtype, value != 0 ? 1U : 0U};
    case DType::int8: return {dtype, to_bits(std::int32_t{truncated<std::int8_t>(value)})};
    case DType::int16: return {dtype, to_bits(std::int32_t{truncated<std::int16_t>(value)})};
    case DType::int32: return {dtype, to_bits(truncated<std::int32_t>(value))};
    case DType::int64: return {dtype, to_bits(truncated<std::int64_t>(value))};
    case DType::uint8: return {dtype, truncated<std::uint8_t>(value)};
    case DType::uint16: return {dtype, truncated<std::uint16_t>(value)};
    case DType::uint32: return {dtype, truncated<std::uint32_t>(value)};
    case DType::uint64: return {dtype, truncated<std::uint64_t>(value)};
    case DType::float16:
    case DType::bfloat16:
    case DType::float32: return {dtype, float_bits(static_cast<float>(value), dtype)};
    case DType::float64: break;
  }
  return {dtype, to_bits(value)};
}

Number number_of(std::int64_t value, DType dtype) noexcept { return of_whole(value, dtype); }
Number number_of(std::uint64_t value, DType dtype) noexcept { return of_whole(value, dtype); }

double to_double(Number number) noexcept {
  switch (backend::value_type_of(number.dtype)) {
    case ValueType::int32: return std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(number.bits));
    case ValueType::int64: return static_cast<double>(std::bit_cast<std::int64_t>(number.bits));
    case ValueType::uint64: return static_cast<double>(number.bits);
    case ValueType::float32: return backend::float_of(number.bits);
    case ValueType::float64: break;
  }
  return std::bit_cast<double>(number.bits);
}

Number converted(Number number, DType dtype) noexcept {
  switch (backend::value_type_of(number.dtype)) {
    case ValueType::int32:
      return number_of(std::int64_t{std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(number.bits))}, dtype);
    case ValueType::int64: return number_of(std::bit_cast<std::int64_t>(number.bits), dtype);
    case ValueType::uint64: return number_of(number.bits, dtype);
    case ValueType::float32:
    case ValueType::float64: break;
  }
  return number_of(to_double(number), dtype);
}

}  // namespace overtake::graph
