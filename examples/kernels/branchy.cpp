// SPDX-License-Identifier: MIT
// An if and an else for each element. Usage: branchy [device] [size].
#include "overtake/error.hpp"
#include "overtake/kernel.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"
#include "timing.hpp"

using overtake::Array;
using overtake::Device;

int main(int argc, char** argv) try {
  const Device device = example::device_of(argc, argv);
  const std::int64_t n = example::size_of(argc, argv, 1 << 22);
  const Array x = overtake::random::uniform({n}, Device(), 7);

  const overtake::ElementwiseKernel branchy("float32 x", "float32 y", R"(
    if (x > 0.5f)
      y = sqrt(x) * exp(-x);
    else
      y = sin(x) + x * x;
  )",
                                            "branchy");
  const Array y = branchy(x.to(device));

  // The same of functions of arrays, which compute both sides of where().
  const Array truth = where(x > 0.5F, sqrt(x) * exp(-x), sin(x) + x * x);
  const float off = max(abs(y.to(Device()) - truth)).item();
  std::printf("%lld elements on %s: at most %.1e away\n", static_cast<long long>(n), device.id().c_str(), off);
  example::show_times(device, {x}, [&](const auto& given, const Device&) { return branchy(given[0]); });
  return example::verdict(off < 1e-6F);
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
