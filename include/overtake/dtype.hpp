// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace overtake {

/// Element type of an Array, with NumPy's names. int32 holds labels; indices that functions give are int64.
enum class DType : std::uint8_t {
  boolean,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float16,   ///< IEEE 754 binary16; computed in float32, rounded after each function
  bfloat16,  ///< the upper half of a float32; computed in float32, rounded after each function
  float32,
  float64,
};

/// What NumPy calls the kind of a type.
enum class DTypeKind : std::uint8_t { boolean, signed_integer, unsigned_integer, floating };

/// What is known of a type.
struct DTypeInfo {
  std::string_view name;  ///< "bool", "int8", ..., "float64"
  std::size_t size;       ///< bytes of one element
  DTypeKind kind;
};

namespace detail {
inline constexpr std::array<DTypeInfo, 13> dtype_table{{
    {"bool", 1, DTypeKind::boolean},
    {"int8", 1, DTypeKind::signed_integer},
    {"int16", 2, DTypeKind::signed_integer},
    {"int32", 4, DTypeKind::signed_integer},
    {"int64", 8, DTypeKind::signed_integer},
    {"uint8", 1, DTypeKind::unsigned_integer},
    {"uint16", 2, DTypeKind::unsigned_integer},
    {"uint32", 4, DTypeKind::unsigned_integer},
    {"uint64", 8, DTypeKind::unsigned_integer},
    {"float16", 2, DTypeKind::floating},
    {"bfloat16", 2, DTypeKind::floating},
    {"float32", 4, DTypeKind::floating},
    {"float64", 8, DTypeKind::floating},
}};
}  // namespace detail

/// Every type, in the order of DType.
inline constexpr std::size_t dtype_count = detail::dtype_table.size();

[[nodiscard]] constexpr const DTypeInfo& info_of(DType dtype) noexcept {
  return detail::dtype_table[static_cast<std::size_t>(dtype)];
}
/// Bytes of one element.
[[nodiscard]] constexpr std::size_t size_of(DType dtype) noexcept { return info_of(dtype).size; }
/// NumPy's name: "float32", "bool".
[[nodiscard]] constexpr std::string_view name_of(DType dtype) noexcept { return info_of(dtype).name; }
[[nodiscard]] constexpr bool is_floating(DType dtype) noexcept { return info_of(dtype).kind == DTypeKind::floating; }
[[nodiscard]] constexpr bool is_unsigned(DType dtype) noexcept {
  return info_of(dtype).kind == DTypeKind::unsigned_integer;
}
/// True for signed and unsigned whole numbers, not for bool.
[[nodiscard]] constexpr bool is_integer(DType dtype) noexcept {
  return is_unsigned(dtype) || info_of(dtype).kind == DTypeKind::signed_integer;
}

/// The type of what a function of two arrays gives: that of the Python array API standard, and where it leaves the
/// choice open: float16 with bfloat16 is float32; a bool or an integer with a floating type is that floating type.
/// Throws UsageError for uint64 with a signed integer, which have no common type.
[[nodiscard]] DType result_type(DType a, DType b);

/// A float16 value as its bits.
struct float16 {  // NOLINT(readability-identifier-naming): a type of numbers
  std::uint16_t bits = 0;
  float16() = default;
  /// Rounds to nearest, ties to even; what is too large becomes infinite.
  explicit float16(float value) noexcept;
  explicit operator float() const noexcept;
  friend bool operator==(float16, float16) = default;  ///< of the bits
};

/// A bfloat16 value as its bits.
struct bfloat16 {  // NOLINT(readability-identifier-naming)
  std::uint16_t bits = 0;
  bfloat16() = default;
  /// Rounds to nearest, ties to even.
  explicit bfloat16(float value) noexcept;
  explicit operator float() const noexcept;
  friend bool operator==(bfloat16, bfloat16) = default;  ///< of the bits
};

/// dtype_of<T>::value is the type that holds T.
template <typename T>
struct dtype_of;
template <>
struct dtype_of<bool> {
  static constexpr DType value = DType::boolean;
};
template <>
struct dtype_of<std::int8_t> {
  static constexpr DType value = DType::int8;
};
template <>
struct dtype_of<std::int16_t> {
  static constexpr DType value = DType::int16;
};
template <>
struct dtype_of<std::int32_t> {
  static constexpr DType value = DType::int32;
};
template <>
struct dtype_of<std::int64_t> {
  static constexpr DType value = DType::int64;
};
template <>
struct dtype_of<std::uint8_t> {
  static constexpr DType value = DType::uint8;
};
template <>
struct dtype_of<std::uint16_t> {
  static constexpr DType value = DType::uint16;
};
template <>
struct dtype_of<std::uint32_t> {
  static constexpr DType value = DType::uint32;
};
template <>
struct dtype_of<std::uint64_t> {
  static constexpr DType value = DType::uint64;
};
template <>
struct dtype_of<float16> {
  static constexpr DType value = DType::float16;
};
template <>
struct dtype_of<bfloat16> {
  static constexpr DType value = DType::bfloat16;
};
template <>
struct dtype_of<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct dtype_of<double> {
  static constexpr DType value = DType::float64;
};

}  // namespace overtake
