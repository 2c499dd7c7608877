// SPDX-License-Identifier: MIT
#include "overtake/random.hpp"

#include <fmt/format.h>

#include <mutex>
#include <numbers>
#include <random>

#include "graph/primitives/order.hpp"
#include "graph/primitives/rule.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::random {
namespace {

constexpr std::uint32_t first_stream = 0x41525259;  // of arrays: networks and forests draw from others

// Which draw of a seed comes next.
struct Draws {
  std::uint64_t seed = 0;
  std::uint64_t drawn = 0;
};

struct SharedDraws {
  std::mutex mutex;
  Draws draws;
};

SharedDraws& shared_draws() {
  static SharedDraws shared{{}, {(std::uint64_t{std::random_device{}()} << 32U) | std::random_device{}(), 0}};
  return shared;
}

// `count` draws for one call.
Draws next(const Seed& seed, std::uint64_t count = 1) {
  if (seed) return {*seed, 0};
  SharedDraws& shared = shared_draws();
  const std::lock_guard lock(shared.mutex);
  const Draws result = shared.draws;
  shared.draws.drawn += count;
  return result;
}

// The counter of the kernels is an int32: what is beyond goes into the stream.
template <typename Function>
Array draw(Function&& function, const Shape& shape, const Draws& from, const Device& device) {
  constexpr std::uint64_t counters = std::uint64_t{1} << 31U;
  const auto counter = static_cast<std::int64_t>(from.drawn % counters);
  const auto stream = first_stream + static_cast<std::uint32_t>(from.drawn / counters);
  return function(shape, from.seed, stream, full(Shape{1}, counter, DType::int32, device));
}

Array draw_uniform(const Shape& shape, const Draws& from, const Device& device) {
  return draw([](auto&&... of) { return overtake::uniform(of...); }, shape, from, device);
}

Array draw_bits(const Shape& shape, const Draws& from, const Device& device) {
  return draw([](auto&&... of) { return random_bits(of...); }, shape, from, device);
}

std::int64_t rows_of(std::string_view name, const Array& a) {
  graph::require_defined(name, a);
  if (a.shape().rank() > 0) return a.shape()[0];
  throw UsageError(fmt::format("[{}] an array without axes has no rows", name), "Give it one with reshape(a, {-1}).");
}

}  // namespace

void seed(std::uint64_t value) {
  SharedDraws& shared = shared_draws();
  const std::lock_guard lock(shared.mutex);
  shared.draws = {value, 0};
}

Array uniform(const Shape& shape, const Device& device, Seed seed) { return draw_uniform(shape, next(seed), device); }

Array uniform(const Shape& shape, double low, double high, const Device& device, Seed seed) {
  return uniform(shape, device, seed) * (high - low) + low;
}

Array normal(const Shape& shape, const Device& device, Seed seed) {
  Draws from = next(seed, 2);
  const Array radius = sqrt(-2.0F * log(1.0F - draw_uniform(shape, from, device)));
  ++from.drawn;
  return radius * cos((2.0 * std::numbers::pi) * draw_uniform(shape, from, device));
}

Array normal(const Shape& shape, double mean, double deviation, const Device& device, Seed seed) {
  return normal(shape, device, seed) * deviation + mean;
}

Array integers(std::int64_t low, std::int64_t high, const Shape& shape, const Device& device, Seed seed) {
  constexpr std::uint64_t most = std::uint64_t{1} << 32U;
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  if (high <= low || range > most) {
    throw UsageError(fmt::format("[random.integers] from {} to {}: expected from 1 to 2^32 different ones", low, high),
                     "The upper end is not drawn itself.");
  }
  // The upper half of a product: without the bias of a remainder where the range divides 2^32.
  const Array bits = astype(astype(draw_bits(shape, next(seed), device), DType::uint32), DType::uint64);
  const Array scaled = bitwise_right_shift(bits * range, 32);
  return astype(scaled, DType::int64) + low;
}

Array bernoulli(double p, const Shape& shape, const Device& device, Seed seed) {
  if (!(p >= 0 && p <= 1)) throw UsageError(fmt::format("[random.bernoulli] p = {}, expected a number in [0, 1]", p));
  return uniform(shape, device, seed) < p;
}

Array permutation(std::int64_t n, const Device& device, Seed seed) {
  if (n < 0) throw UsageError(fmt::format("[random.permutation] of {} numbers", n));
  return argsort(draw_bits(Shape{n}, next(seed), device));
}

Array permutation(const Array& a, Seed seed) {
  return graph::taken(a, permutation(rows_of("random.permutation", a), a.device(), seed));
}

Array choice(std::int64_t n, const Shape& shape, bool replace, const Device& device, Seed seed) {
  const std::int64_t wanted = shape.size();
  if (n < 0 || (n == 0 && wanted > 0)) {
    throw UsageError(fmt::format("[random.choice] {} of {}", wanted, n), "There must be something to choose from.");
  }
  if (wanted == 0) return zeros(shape, DType::int64, device);
  if (replace) return integers(0, n, shape, device, seed);
  if (wanted > n) {
    throw UsageError(fmt::format("[random.choice] {} of {} without replacement", wanted, n),
                     "Draw with replacement, or fewer.");
  }
  return reshape(slice(permutation(n, device, seed), 0, wanted), shape.to_vector());
}

Array choice(const Array& a, const Shape& shape, bool replace, Seed seed) {
  return graph::taken(a, choice(rows_of("random.choice", a), shape, replace, a.device(), seed));
}

}  // namespace overtake::random
