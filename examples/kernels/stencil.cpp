// SPDX-License-Identifier: MIT
// Heat in a rod, many steps of a three-point stencil: each group reads its part and a halo of 8 cells on both sides,
// and makes 8 steps in memory of its own. Usage: stencil [device] [size].
#include "overtake/error.hpp"
#include "overtake/kernel.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"
#include "timing.hpp"

using overtake::Array;
using overtake::Device;
using overtake::Slice;

int main(int argc, char** argv) try {
  const Device device = example::device_of(argc, argv);
  const std::int64_t n = std::max<std::int64_t>(example::size_of(argc, argv, 1 << 20), 3);
  constexpr int steps = 32, halo = 8, group = 256, own = group - 2 * halo;
  const Array rod = overtake::random::uniform({n}, Device(), 7);

  const overtake::RawKernel eight_steps("const float32* u, float32* v, int64 n", R"(
    LOCAL float cells[2][256];
    PRIVATE(int64, at);
    PRIVATE(int, moves);
    WORK_ITEMS {
      int t = LOCAL_ID(0);
      MINE(at) = (int64)GROUP_ID(0) * 240 + t - 8;
      MINE(moves) = t > 0 && t < 255 && MINE(at) > 0 && MINE(at) < n - 1;  // the ends of the rod stay as they are
      cells[0][t] = MINE(at) >= 0 && MINE(at) < n ? u[MINE(at)] : 0.0f;
    }
    SYNC;
    for (int step = 0; step < 8; ++step) {
      int old = step % 2;
      WORK_ITEMS {
        int t = LOCAL_ID(0);
        float here = cells[old][t];
        if (MINE(moves)) here = here + 0.25f * (cells[old][t - 1] - 2.0f * here + cells[old][t + 1]);
        cells[1 - old][t] = here;
      }
      SYNC;
    }
    WORK_ITEMS {
      int t = LOCAL_ID(0);
      if (t >= 8 && t < 248 && MINE(at) < n) v[MINE(at)] = cells[0][t];
    }
  )",
                                        "stencil");
  const auto cooled = [&](const std::vector<Array>& given, const Device& where) {
    Array u = given[0], v = overtake::zeros({n}, where);
    for (int step = 0; step < steps; step += halo) {
      eight_steps.launch({.groups = {(n + own - 1) / own, 1, 1}, .group_size = {group, 1, 1}}, {u, &v, n});
      std::swap(u, v);  // a write gives the handle another value: what was given stays
    }
    return u;
  };
  const Array result = cooled({rod.to(device)}, device).to(Device());

  Array truth = rod;
  for (int step = 0; step < steps; ++step) {
    const Array left = truth[Slice(0, -2)], here = truth[Slice(1, -1)], right = truth[Slice(2, {})];
    truth = assigned_at(truth, {Slice(1, -1)}, here + 0.25F * (left - 2 * here + right));
  }
  std::printf("%d steps of %lld cells on %s: from %.4f to %.4f\n", steps, static_cast<long long>(n),
              device.id().c_str(), min(result).item(), max(result).item());
  example::show_times(device, {rod}, cooled);
  return example::verdict(all(equal(result, truth)).item<bool>());  // the same bits
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
