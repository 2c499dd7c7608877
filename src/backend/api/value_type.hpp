// SPDX-License-Identifier: MIT
// What registers of tapes, and sums of reductions, hold. Memory knows more types (DType): narrower ones are widened
// when loaded and narrowed when stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "overtake/dtype.hpp"

namespace overtake::backend {

/// bool (as 0 or 1) and whole numbers of at most 32 bits but uint32 are int32; uint32 is int64; half precision is
/// float32.
enum class ValueType : std::uint8_t { int32, int64, uint64, float32, float64 };

inline constexpr std::size_t value_type_count = 5;

[[nodiscard]] constexpr ValueType value_type_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::boolean:
    case DType::int8:
    case DType::int16:
    case DType::int32:
    case DType::uint8:
    case DType::uint16: return ValueType::int32;
    case DType::int64:
    case DType::uint32: return ValueType::int64;
    case DType::uint64: return ValueType::uint64;
    case DType::float16:
    case DType::bfloat16:
    case DType::float32: return ValueType::float32;
    case DType::float64: return ValueType::float64;
  }
  return ValueType::float32;
}

/// The type of memory that holds these values as they are.
[[nodiscard]] constexpr DType dtype_of_value(ValueType type) noexcept {
  switch (type) {
    case ValueType::int32: return DType::int32;
    case ValueType::int64: return DType::int64;
    case ValueType::uint64: return DType::uint64;
    case ValueType::float32: return DType::float32;
    case ValueType::float64: return DType::float64;
  }
  return DType::float32;
}

/// True if registers hold the type's memory as it is.
[[nodiscard]] constexpr bool is_plain(DType dtype) noexcept { return dtype_of_value(value_type_of(dtype)) == dtype; }

/// The type's name in kernels: "int", "int64", "uint64", "float", "double".
[[nodiscard]] constexpr std::string_view kernel_name(ValueType type) noexcept {
  constexpr std::string_view names[] = {"int", "int64", "uint64", "float", "double"};
  return names[static_cast<std::size_t>(type)];
}

[[nodiscard]] constexpr bool is_floating(ValueType type) noexcept { return type >= ValueType::float32; }

}  // namespace overtake::backend
