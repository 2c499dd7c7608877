// SPDX-License-Identifier: MIT
// Random arrays. Every draw is a pure function of a seed, of how often was drawn, and of the place of the element
// (Philox4x32-10, Salmon et al. 2011): the same on every device, whatever the threads. The draws of normal() pass
// through a logarithm and a cosine, which differ between devices in the last digits.
//
// Without a `seed` draws come from one stream of the process: seed(n) sets it, each call goes on in it, and threads
// share it; until then its seed is random. With a `seed` a call is a function of its arguments alone: two calls with
// one seed give the same. Functions are lazy, as all others; in a compiled step a draw without a seed would be the same
// in each run, as the count of draws is taken when the step is traced: use overtake::uniform() with a counter there.
#pragma once

#include <cstdint>
#include <optional>

#include "overtake/array.hpp"

namespace overtake::random {

/// A seed of one call, or none.
using Seed = std::optional<std::uint64_t>;

/// From now on draws without a seed are those of this seed, from its first one on.
void seed(std::uint64_t value);

/// float32 in [0, 1).
[[nodiscard]] Array uniform(const Shape& shape, const Device& device = Device(), Seed seed = {});
/// float32 in [low, high).
[[nodiscard]] Array uniform(const Shape& shape, double low, double high, const Device& device = Device(),
                            Seed seed = {});
/// Normally distributed float32 with mean 0 and standard deviation 1 (Box and Muller, 1958).
[[nodiscard]] Array normal(const Shape& shape, const Device& device = Device(), Seed seed = {});
/// The same with another mean and standard deviation.
[[nodiscard]] Array normal(const Shape& shape, double mean, double deviation, const Device& device = Device(),
                           Seed seed = {});
/// Whole numbers in [low, high), int64. Throws UsageError unless 1 to 2^32 different ones are asked for.
[[nodiscard]] Array integers(std::int64_t low, std::int64_t high, const Shape& shape, const Device& device = Device(),
                             Seed seed = {});
/// bool: true with probability p. Throws UsageError for p outside of [0, 1].
[[nodiscard]] Array bernoulli(double p, const Shape& shape, const Device& device = Device(), Seed seed = {});
/// 0, 1, ..., n-1 in random order, int64. Throws UsageError for a negative count.
[[nodiscard]] Array permutation(std::int64_t n, const Device& device = Device(), Seed seed = {});
/// The rows (what lies along the first axis) of an array in random order, on its device. Throws UsageError for an array
/// without axes.
[[nodiscard]] Array permutation(const Array& a, Seed seed = {});
/// Numbers in [0, n), int64, drawn with or without replacement. Throws UsageError for more without replacement than
/// there are, and for any of none.
[[nodiscard]] Array choice(std::int64_t n, const Shape& shape, bool replace = true, const Device& device = Device(),
                           Seed seed = {});
/// Rows of an array, drawn the same way: of shape `shape` followed by that of a row.
[[nodiscard]] Array choice(const Array& a, const Shape& shape, bool replace = true, Seed seed = {});

}  // namespace overtake::random
