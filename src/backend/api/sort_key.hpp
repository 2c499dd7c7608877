// SPDX-License-Identifier: MIT
// Sorting and searching compare unsigned numbers made of the bits of values (SortCore has the order). Kernels make the
// same ones: src/kernels/graph/sort_keys.k.
#pragma once

#include <cstdint>

#include "overtake/dtype.hpp"

namespace overtake::backend {

/// How the keys of a dtype are made.
struct KeyForm {
  DTypeKind kind = DTypeKind::unsigned_integer;
  std::uint64_t top = 0;       ///< the highest bit
  std::uint64_t infinity = 0;  ///< the bits of infinity, of a floating type

  friend bool operator==(const KeyForm&, const KeyForm&) = default;
};

[[nodiscard]] constexpr KeyForm key_form(DType dtype) noexcept {
  const std::uint64_t top = std::uint64_t{1} << (8 * size_of(dtype) - 1);
  switch (dtype) {
    case DType::float16: return {DTypeKind::floating, top, 0x7c00};
    case DType::bfloat16: return {DTypeKind::floating, top, 0x7f80};
    case DType::float32: return {DTypeKind::floating, top, 0x7f800000};
    case DType::float64: return {DTypeKind::floating, top, 0x7ff0000000000000};
    default: return {info_of(dtype).kind, top, 0};
  }
}

/// `Key` is the unsigned type of the dtype's size. `exact` keys can be turned back (sort_value): -0 is below +0, and
/// all NaNs become one.
template <typename Key>
[[nodiscard]] constexpr Key sort_key(Key bits, const KeyForm& form, bool descending, bool exact = false) noexcept {
  const auto top = static_cast<Key>(form.top);
  Key key = bits;
  if (form.kind == DTypeKind::floating) {
    const auto magnitude = static_cast<Key>(bits & static_cast<Key>(~top));
    key = (bits & top) != 0 ? static_cast<Key>(~bits) : static_cast<Key>(bits | top);
    if (!exact && magnitude == 0) key = top;
    if (magnitude > static_cast<Key>(form.infinity)) key = static_cast<Key>(~Key{0});
  } else if (form.kind == DTypeKind::signed_integer) {
    key = static_cast<Key>(bits ^ top);
  } else if (form.kind == DTypeKind::boolean) {
    key = bits != 0 ? 1 : 0;
  }
  return descending ? static_cast<Key>(~key) : key;
}

/// The bits of the value that an exact key is of.
template <typename Key>
[[nodiscard]] constexpr Key sort_value(Key ordered, const KeyForm& form, bool descending) noexcept {
  const auto top = static_cast<Key>(form.top);
  const auto key = descending ? static_cast<Key>(~ordered) : ordered;
  if (form.kind == DTypeKind::signed_integer) return static_cast<Key>(key ^ top);
  if (form.kind != DTypeKind::floating) return key;
  if (key == static_cast<Key>(~Key{0})) return static_cast<Key>(form.infinity | (form.infinity >> 1U));
  return (key & top) != 0 ? static_cast<Key>(key & static_cast<Key>(~top)) : static_cast<Key>(~key);
}

/// Calls f(Key()) with the unsigned type of the dtype's size.
template <typename F>
decltype(auto) with_key_type(DType dtype, F f) {
  // NOLINTBEGIN(bugprone-branch-clone): each has another type
  switch (size_of(dtype)) {
    case 1: return f(std::uint8_t());
    case 2: return f(std::uint16_t());
    case 4: return f(std::uint32_t());
    default: return f(std::uint64_t());
  }
  // NOLINTEND(bugprone-branch-clone)
}

}  // namespace overtake::backend
