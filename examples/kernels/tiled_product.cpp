// SPDX-License-Identifier: MIT
// The product of two matrices, tile by tile: each group keeps one of both in memory of its own. matmul() is faster;
// this is how kernels share. Usage: tiled_product [device] [size].
#include "overtake/error.hpp"
#include "overtake/kernel.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"
#include "timing.hpp"

using overtake::Array;
using overtake::Device;

int main(int argc, char** argv) try {
  const Device device = example::device_of(argc, argv);
  const std::int64_t n = example::size_of(argc, argv, 250);
  const Array a = overtake::random::uniform({n, n}, -1, 1, Device(), 1);
  const Array b = overtake::random::uniform({n, n}, -1, 1, Device(), 2);

  const overtake::RawKernel tiled("const float32* a, const float32* b, float32* c, int32 n", R"(
    LOCAL float left[16][17];
    LOCAL float right[16][17];
    int x = LOCAL_ID(0), y = LOCAL_ID(1), row = GLOBAL_ID(1), column = GLOBAL_ID(0);
    float sum = 0.0f;
    for (int tile = 0; tile < n; tile += 16) {
      left[y][x] = row < n && tile + x < n ? a[row * n + tile + x] : 0.0f;
      right[y][x] = column < n && tile + y < n ? b[(tile + y) * n + column] : 0.0f;
      SYNC;
      for (int k = 0; k < 16; ++k) sum += left[y][k] * right[k][x];
      SYNC;
    }
    if (row < n && column < n) c[row * n + column] = sum;
  )",
                                  "tiled");
  const auto product = [&](const std::vector<Array>& given, const Device& where) {
    Array c = overtake::zeros({n, n}, where);
    const std::int64_t groups = (n + 15) / 16;
    tiled.launch({.groups = {groups, groups, 1}, .group_size = {16, 16, 1}}, {given[0], given[1], &c, n});
    return c;
  };
  const Array c = product({a.to(device), b.to(device)}, device).to(Device());

  const float off = max(abs(c - matmul(a, b))).item();
  std::printf("%lld x %lld on %s: at most %.1e from matmul()\n", static_cast<long long>(n), static_cast<long long>(n),
              device.id().c_str(), off);
  example::show_times(device, {a, b}, product);
  return example::verdict(off < 1e-6F * static_cast<float>(n + 10));
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
