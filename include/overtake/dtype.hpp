// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace overtake {

/// Element type of an Array. Comparisons give float32 zeros and ones; int32 holds labels and indices.
enum class DType : std::uint8_t { float32, int32 };

/// Bytes of one element.
[[nodiscard]] constexpr std::size_t size_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::float32: return sizeof(float);
    case DType::int32: return sizeof(std::int32_t);
  }
  return 0;
}

/// "float32" or "int32".
[[nodiscard]] constexpr std::string_view name_of(DType dtype) noexcept {
  return dtype == DType::float32 ? "float32" : "int32";
}

template <typename T>
struct dtype_of;
template <>
struct dtype_of<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct dtype_of<std::int32_t> {
  static constexpr DType value = DType::int32;
};

}  // namespace overtake
