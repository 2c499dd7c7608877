// SPDX-License-Identifier: MIT
// The mean of n numbers: the library's own call. Usage: average [device] [size].
#include <cmath>

#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"
#include "timing.hpp"

using overtake::Array;
using overtake::Device;

int main(int argc, char** argv) try {
  const Device device = example::device_of(argc, argv);
  const std::int64_t n = example::size_of(argc, argv, 1 << 24);
  const Array x = overtake::random::uniform({n}, Device(), 7);

  const float average = mean(x.to(device)).item();

  double truth = 0;
  for (const float value : x.to_vector<float>()) truth += value / static_cast<double>(n);
  std::printf("the mean of %lld numbers on %s: %.7f\n", static_cast<long long>(n), device.id().c_str(), average);
  example::show_times(device, {x}, [](const auto& given, const Device&) { return mean(given[0]); });
  return example::verdict(std::abs(average - truth) < 1e-6);
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
