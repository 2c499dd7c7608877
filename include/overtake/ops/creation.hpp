// SPDX-License-Identifier: MIT
// Arrays from nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "overtake/array.hpp"

namespace overtake {

/// One value everywhere, in its own type (0.5: float32, 1: int64, true: bool) or in `dtype`. `value` has no axes.
[[nodiscard]] Array full(const Shape& shape, const Array& value, const Device& device = Device());
[[nodiscard]] Array full(const Shape& shape, const Array& value, DType dtype, const Device& device = Device());
[[nodiscard]] Array zeros(const Shape& shape, const Device& device = Device());
[[nodiscard]] Array zeros(const Shape& shape, DType dtype, const Device& device = Device());
[[nodiscard]] Array ones(const Shape& shape, const Device& device = Device());
[[nodiscard]] Array ones(const Shape& shape, DType dtype, const Device& device = Device());

/// 0, 1, ..., n-1.
[[nodiscard]] Array arange(std::int64_t n, DType dtype = DType::int64, const Device& device = Device());
/// start, start + step, ... before stop; computed in float64 where the device has it, then converted.
[[nodiscard]] Array arange(double start, double stop, double step = 1, DType dtype = DType::float32,
                           const Device& device = Device());
/// `count` numbers at equal distances from start to stop, which is the last one unless `endpoint` is false.
[[nodiscard]] Array linspace(double start, double stop, std::int64_t count, bool endpoint = true,
                             DType dtype = DType::float32, const Device& device = Device());
/// 1 on the k-th diagonal (k > 0: above the main one), 0 elsewhere. Square unless `columns` is given.
[[nodiscard]] Array eye(std::int64_t rows, std::optional<std::int64_t> columns = {}, std::int64_t k = 0,
                        DType dtype = DType::float32, const Device& device = Device());
/// The place of each element along an axis, int64: what NumPy's indices() gives for that axis.
[[nodiscard]] Array coordinates(const Shape& shape, int axis, const Device& device = Device());

/// Uniform float32 in [0, 1), a pure function of (seed, stream, counter, element index) by Philox4x32-10 (Salmon et al.
/// 2011). `counter` is a one-element whole number, so that a replayed plan can draw anew each step. See also
/// random.hpp.
[[nodiscard]] Array uniform(const Shape& shape, std::uint64_t seed, std::uint32_t stream, const Array& counter);
/// The same draws as 32 random bits each, int32.
[[nodiscard]] Array random_bits(const Shape& shape, std::uint64_t seed, std::uint32_t stream, const Array& counter);

}  // namespace overtake
