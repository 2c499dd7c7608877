// SPDX-License-Identifier: MIT
// One number of any element type, as constants hold it.
#pragma once

#include <cstdint>

#include "backend/api/value_type.hpp"

namespace overtake::graph {

/// A value that `dtype` can hold, as the bits of its register type (backend::to_bits).
struct Number {
  DType dtype = DType::float32;
  std::uint64_t bits = 0;

  friend bool operator==(const Number&, const Number&) = default;
};

/// Rounded to the type as astype() does.
[[nodiscard]] Number number_of(double value, DType dtype) noexcept;
[[nodiscard]] Number number_of(std::int64_t value, DType dtype) noexcept;
[[nodiscard]] Number number_of(std::uint64_t value, DType dtype) noexcept;

[[nodiscard]] double to_double(Number number) noexcept;

/// The same number in another type, as astype() converts.
[[nodiscard]] Number converted(Number number, DType dtype) noexcept;

}  // namespace overtake::graph
