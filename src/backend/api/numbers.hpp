// SPDX-License-Identifier: MIT
// The numbers that reductions begin with, how they go on, and what wrong indices give: bits, and text of kernels.
#pragma once

#include <cstdint>
#include <string>

#include "backend/api/operation.hpp"

namespace overtake::backend {

/// The element function that combines two partial results.
[[nodiscard]] TapeCode combining_code(ReduceKind kind) noexcept;

/// What a reduction of no elements would give, as to_bits() writes it.
[[nodiscard]] std::uint64_t identity_bits(ReduceKind kind, ValueType type) noexcept;

/// What a gather gives for an index outside its source: NaN, or the smallest whole number.
[[nodiscard]] std::uint64_t missing_bits(ValueType type) noexcept;

/// A number as an expression of the dialect that needs no argument.
[[nodiscard]] std::string number_text(std::uint64_t bits, ValueType type);

}  // namespace overtake::backend
