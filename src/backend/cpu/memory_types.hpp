// SPDX-License-Identifier: MIT
// Between memory, which knows every DType, and registers, which know five types.
#pragma once

#include <cstdint>
#include <cstring>

#include "backend/cpu/element_formulas.hpp"

namespace overtake::backend::cpu {

/// A bool in memory: any byte but 0 is true.
struct Truth {
  std::uint8_t byte;
};

// NOLINTBEGIN(bugprone-branch-clone): each has another type
/// Calls f(T()) with the C++ type of a DType (Truth for bool).
template <class F>
decltype(auto) with_memory_type(DType dtype, F f) {
  switch (dtype) {
    case DType::boolean: return f(Truth{});
    case DType::int8: return f(std::int8_t());
    case DType::int16: return f(std::int16_t());
    case DType::int32: return f(std::int32_t());
    case DType::int64: return f(std::int64_t());
    case DType::uint8: return f(std::uint8_t());
    case DType::uint16: return f(std::uint16_t());
    case DType::uint32: return f(std::uint32_t());
    case DType::uint64: return f(std::uint64_t());
    case DType::float16: return f(float16());
    case DType::bfloat16: return f(bfloat16());
    case DType::float32: return f(float());
    case DType::float64: break;
  }
  return f(double());
}

/// Calls f(T()) with the C++ type of a ValueType.
template <class F>
decltype(auto) with_value_type(ValueType type, F f) {
  switch (type) {
    case ValueType::int32: return f(std::int32_t());
    case ValueType::int64: return f(std::int64_t());
    case ValueType::uint64: return f(std::uint64_t());
    case ValueType::float32: return f(float());
    case ValueType::float64: break;
  }
  return f(double());
}

// NOLINTEND(bugprone-branch-clone)

/// The number of a register's type that to_bits() made. Its bytes come first on every processor we build for.
template <class T>
T value_of(std::uint64_t bits) noexcept {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

/// From memory to the register's type.
inline std::int32_t widened(Truth value) noexcept { return value.byte != 0 ? 1 : 0; }
inline std::int32_t widened(std::int8_t value) noexcept { return value; }
inline std::int32_t widened(std::int16_t value) noexcept { return value; }
inline std::int32_t widened(std::int32_t value) noexcept { return value; }
inline std::int64_t widened(std::int64_t value) noexcept { return value; }
inline std::int32_t widened(std::uint8_t value) noexcept { return value; }
inline std::int32_t widened(std::uint16_t value) noexcept { return value; }
inline std::int64_t widened(std::uint32_t value) noexcept { return value; }
inline std::uint64_t widened(std::uint64_t value) noexcept { return value; }
inline float widened(float16 value) noexcept { return formulas::half_value(value.bits); }
inline float widened(bfloat16 value) noexcept { return formulas::bfloat16_value(value.bits); }
inline float widened(float value) noexcept { return value; }
inline double widened(double value) noexcept { return value; }

/// The register's type for values of memory type M.
template <class M>
using Widened = decltype(widened(M()));

/// From the register's type to memory; the value is one that M can hold.
template <class M>
M narrowed(Widened<M> value) noexcept {
  if constexpr (std::is_same_v<M, Truth>) {
    return Truth{static_cast<std::uint8_t>(value)};
  } else if constexpr (std::is_same_v<M, float16>) {
    return std::bit_cast<float16>(static_cast<std::uint16_t>(formulas::half_bits(value)));
  } else if constexpr (std::is_same_v<M, bfloat16>) {
    return std::bit_cast<bfloat16>(static_cast<std::uint16_t>(formulas::bfloat16_bits(value)));
  } else {
    return static_cast<M>(value);
  }
}

}  // namespace overtake::backend::cpu
