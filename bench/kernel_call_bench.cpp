// SPDX-License-Identifier: MIT
// What a call of a compiled kernel of one's own takes on 1,000 elements, queued. Usage: bench_kernel_call [device].
// Its twin in Python is the last row of kernels.py.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "overtake/error.hpp"
#include "overtake/kernel.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"
#include "overtake/stream.hpp"

using overtake::Array;
using overtake::Device;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// The best of five runs of `times` calls each, after one that compiles.
template <typename Call>
void show(const Device& device, const char* kind, const Call& call) {
  constexpr int times = 5000;
  double best = 1;
  for (int round = 0; round <= 5; ++round) {
    const double start = now();
    for (int i = 0; i < times; ++i) call();
    overtake::Stream(device).synchronize();
    if (round > 0) best = std::min(best, (now() - start) / times);
  }
  std::printf("{\"work\": \"%s of 1,000, queued\", \"us\": %.2f}\n", kind, best * 1e6);
}

}  // namespace

int main(int argc, char** argv) try {
  const Device device(argc > 1 ? argv[1] : "cpu");
  const Array x = overtake::random::uniform({1000}, device);
  Array out = overtake::zeros({1000}, overtake::DType::float32, device);
  eval(std::vector<Array>{x, out});
  const overtake::ElementwiseKernel element("float32 x", "float32 y", "y = x > 0.5f ? x + 1.0f : x * x;", "element");
  const overtake::ElementwiseKernel scaled("float32 x, float32 a", "float32 y", "y = a * x;", "scaled");
  const overtake::ReductionKernel total("float32 x", "float32 y", "x", "a + b", "y = a", "0", "total");
  const overtake::RawKernel raw("const float32* x, float32* out, int32 n",
                                "int i = GLOBAL_ID(0); if (i < n) out[i] = x[i] * x[i];", "raw");
  show(device, "ElementwiseKernel", [&] { (void)element(x); });
  show(device, "ElementwiseKernel with a number", [&] { (void)scaled(x, 0.5F); });
  show(device, "ReductionKernel", [&] { (void)total(x); });
  show(device, "RawKernel", [&] { raw.launch({.groups = {4, 1, 1}, .group_size = {256, 1, 1}}, {x, &out, 1000}); });
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
