// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

/// Counter-based random numbers (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC11).
/// A number depends only on (seed, stream, counter, index), never on the order of execution, so every backend and every
/// number of threads gives the same bits.
namespace overtake::philox {

// NOLINTBEGIN: the text that kernels compile too (docs/dialect.md)
#define DEVICE [[maybe_unused]] [[nodiscard]] constexpr
#define UNROLL
#define MULHI32(a, b) static_cast<unsigned>((std::uint64_t{a} * std::uint64_t{b}) >> 32U)
#include "kernels/philox.k"
#undef DEVICE
#undef UNROLL
#undef MULHI32
// NOLINTEND

/// One block of Philox4x32-10.
[[nodiscard]] constexpr std::array<std::uint32_t, 4> block(std::array<std::uint32_t, 4> counter,
                                                           std::array<std::uint32_t, 2> key) noexcept {
  return std::to_array(philox_rounds(counter[0], counter[1], counter[2], counter[3], key[0], key[1]).word);
}

/// The block that holds the random numbers 4 * `index` to 4 * `index` + 3 of a stream.
[[nodiscard]] constexpr std::array<std::uint32_t, 4> block_at(std::uint64_t seed, std::uint32_t stream,
                                                              std::uint32_t counter, std::uint32_t index) noexcept {
  return block({index, stream, counter, 0}, {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
}

/// Random number `index` of a stream: 32 uniform bits. Key = (seed low, seed high), counter =
/// (index / 4, stream, counter, 0), word index % 4. `index` must be below 2^34.
[[nodiscard]] constexpr std::uint32_t bits(std::uint64_t seed, std::uint32_t stream, std::uint32_t counter,
                                           std::uint64_t index) noexcept {
  return block_at(seed, stream, counter, static_cast<std::uint32_t>(index / 4))[index % 4];
}

/// The float32 in [0, 1) of 32 random bits: the upper 24 bits times 2^-24, exact.
[[nodiscard]] constexpr float to_uniform(std::uint32_t random_bits) noexcept { return philox_to_uniform(random_bits); }

/// Uniform float32 number `index` of a stream, in [0, 1).
[[nodiscard]] constexpr float uniform(std::uint64_t seed, std::uint32_t stream, std::uint32_t counter,
                                      std::uint64_t index) noexcept {
  return to_uniform(bits(seed, stream, counter, index));
}

/// Fills `values` with the uniform numbers 0, 1, 2, ... of a stream (one block serves four values).
template <typename Range>
constexpr void fill_uniform(Range& values, std::uint64_t seed, std::uint32_t stream, std::uint32_t counter) noexcept {
  std::array<std::uint32_t, 4> words{};
  std::uint64_t index = 0;
  for (auto& value : values) {
    if (index % 4 == 0) {
      words = block_at(seed, stream, counter, static_cast<std::uint32_t>(index / 4));
    }
    value = to_uniform(words[index % 4]);
    ++index;
  }
}

/// A seeded permutation of 0 .. n - 1 (Fisher-Yates from the end; step i uses random number i of the stream). Empty for
/// n <= 0. The bias of the range reduction is below n / 2^32.
[[nodiscard]] inline std::vector<std::int32_t> permutation(std::int32_t n, std::uint64_t seed, std::uint32_t stream,
                                                           std::uint32_t counter) {
  std::vector<std::int32_t> order(n > 0 ? static_cast<std::size_t>(n) : 0);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i-- > 1;) {
    const std::uint64_t scaled = std::uint64_t{bits(seed, stream, counter, i)} * (i + 1);
    std::swap(order[i], order[static_cast<std::size_t>(scaled >> 32)]);
  }
  return order;
}

}  // namespace overtake::philox
