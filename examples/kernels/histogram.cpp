// SPDX-License-Identifier: MIT
// How often each of 256 values occurs: groups count in memory of their own, then add that up. Usage: histogram [device]
// [size].
#include "overtake/error.hpp"
#include "overtake/kernel.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"
#include "timing.hpp"

using overtake::Array;
using overtake::Device;
using overtake::DType;

int main(int argc, char** argv) try {
  const Device device = example::device_of(argc, argv);
  const std::int64_t n = example::size_of(argc, argv, 1 << 22);
  const Array x = astype(overtake::random::integers(0, 256, {n}, Device(), 7), DType::uint8);

  const overtake::RawKernel histogram("const uint8* x, int64 n, int32* counts", R"(
    LOCAL int found[256];
    found[LOCAL_ID(0)] = 0;
    SYNC;
    for (int64 k = GLOBAL_ID(0); k < n; k += GLOBAL_SIZE(0)) ATOMIC_ADD(&found[x[k]], 1);
    SYNC;
    ATOMIC_ADD(&counts[LOCAL_ID(0)], found[LOCAL_ID(0)]);
  )",
                                      "histogram");
  const auto count = [&](const std::vector<Array>& given, const Device& where) {
    Array counts = overtake::zeros({256}, DType::int32, where);
    const std::int64_t groups = std::clamp<std::int64_t>(n / 4096, 1, 1024);
    histogram.launch({.groups = {groups, 1, 1}, .group_size = {256, 1, 1}}, {given[0], n, &counts});
    return counts;
  };
  const Array counts = count({x.to(device)}, device).to(Device());

  std::printf("%lld values on %s: %d to %d of each\n", static_cast<long long>(n), device.id().c_str(),
              min(counts).item<int>(), max(counts).item<int>());
  example::show_times(device, {x}, count);
  return example::verdict(all(equal(counts, bincount(x, {}, 256))).item<bool>());
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
