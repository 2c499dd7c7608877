// SPDX-License-Identifier: MIT
// kernels/forest/real.k, records.k and split.k as C++: the same text that the kernels compile, so the same tables and
// decisions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/philox.hpp"

namespace overtake::forest::formulas {

using uint32 = std::uint32_t;
using uint64 = std::uint64_t;
using int64 = std::int64_t;
using philox::philox_block;
using philox::PhiloxBlock;

// NOLINTBEGIN: this is the dialect (docs/dialect.md)
#define DEVICE [[maybe_unused]] static inline
#define GLOBAL
#define MULHI32(a, b) static_cast<unsigned>((std::uint64_t{a} * std::uint64_t{b}) >> 32U)
#define SOFT_REAL 0
#define DOUBLE_BITS(x) std::bit_cast<std::uint64_t>(x)
#define BITS_DOUBLE(x) std::bit_cast<double>(x)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
// Each needs those before it.
// clang-format off
#include "kernels/forest/real.k"
#include "kernels/forest/records.k"
#include "kernels/forest/split.k"
// clang-format on
#pragma GCC diagnostic pop
#undef DEVICE
#undef GLOBAL
#undef MULHI32
#undef SOFT_REAL
#undef REAL
#undef REAL_ZERO
#undef REAL_ONE
#undef DOUBLE_BITS
#undef BITS_DOUBLE
// NOLINTEND

// Every processor lays them out so.
static_assert(sizeof(NodeRecord) == 32 && offsetof(LargeRow, place) == 72 && sizeof(LargeRow) == 80);

}  // namespace overtake::forest::formulas

namespace overtake::forest {

using formulas::ControlRow;
using formulas::JobRow;
using formulas::LargeRow;
using formulas::LevelRow;
using formulas::LimitRow;
using formulas::MemberRow;
using formulas::NodeRecord;
using formulas::QueueRow;
using formulas::ShapeRow;
using formulas::TallyRow;
using formulas::TreeRow;

}  // namespace overtake::forest
