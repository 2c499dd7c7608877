// SPDX-License-Identifier: MIT
// Pi from points in a square: the share of them that lies in the circle. The points are functions of their number
// (Philox), so that all devices draw the same ones; one fused kernel draws, compares and counts. Usage: monte_carlo_pi
// [device] [size].
#include <cmath>
#include <numbers>

#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"
#include "timing.hpp"

using overtake::Array;
using overtake::Device;

int main(int argc, char** argv) try {
  const Device device = example::device_of(argc, argv);
  const std::int64_t n = example::size_of(argc, argv, 1 << 24);

  const auto hits = [n](const std::vector<Array>&, const Device& where) {
    const Array x = overtake::random::uniform({n}, where, 1), y = overtake::random::uniform({n}, where, 2);
    return count_nonzero(x * x + y * y < 1);
  };
  const std::int64_t inside = hits({}, device).item<std::int64_t>();

  const double pi = 4 * static_cast<double>(inside) / static_cast<double>(n);
  const double sigma = 1.65 / std::sqrt(static_cast<double>(n));
  std::printf("pi is %.5f +- %.5f by %lld points on %s\n", pi, sigma, static_cast<long long>(n), device.id().c_str());
  example::show_times(device, {}, hits);
  const bool same = inside == hits({}, Device()).item<std::int64_t>();
  return example::verdict(same && std::abs(pi - std::numbers::pi) < 5 * sigma);
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
