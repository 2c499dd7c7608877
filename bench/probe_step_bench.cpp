// SPDX-License-Identifier: MIT
// Microseconds of a training step of the disc sweep (batch 100), by how it is launched.
#include <cstdio>

#include "probe_support.hpp"

using namespace overtake::backend;        // NOLINT(google-build-using-namespace)
using namespace overtake::backend::cuda;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::int64_t batch = 100;

double launched_seconds(CudaDevice& device, const Bench& bench) {
  std::vector<double> results;
  for (int trial = 0; trial < 5; ++trial) {
    results.push_back(event_seconds(device,
                                    [&] {
                                      for (int i = 0; i < 20; ++i) bench.run_once(device);
                                    }) /
                      20);
  }
  return median(results);
}

void measure(CudaDevice& device, int layers, bool use_library) {
  const auto widths = sweep_widths(layers);
  const Schedule schedule = training_step(batch, widths);
  const Training training(device, schedule, widths);
  const LoweringTraits traits = device.lowering_traits();
  const Lowering lowering = [&](const Operation& operation) { return lower(operation, traits); };
  const double start = now();
  const Bench bench(device, schedule, training.slots, lowering,
                    use_library ? library_query(device, 1 << 23) : ProductQuery{});
  const double compile = now() - start;
  const Launcher& launcher = *bench.launcher;
  if (use_library && launcher.plan().library_products == 0) return;
  const int path = longest_path(find_dependencies(launcher.uses(), 1));
  const double launched = launched_seconds(device, bench);
  const GraphTiming chain1 = time_graph(device, bench, GraphShape::chain, 1);
  const GraphTiming parallel1 = time_graph(device, bench, GraphShape::parallel, 1);
  const int copies = largest_unrolling(launcher.size());
  const GraphTiming chain = time_graph(device, bench, GraphShape::chain, copies);
  const GraphTiming parallel = time_graph(device, bench, GraphShape::parallel, copies);
  const int ten = std::min(copies, 10);
  const GraphTiming epoch = time_graph(device, bench, GraphShape::parallel, ten);
  std::printf("%6d %-4s %5zu %4d %4d %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f %8.2f %8.2f %8.1f\n", layers,
              use_library ? "lt" : "own", launcher.size(), path, launcher.plan().library_products, launched * 1e6,
              chain1.step_seconds * 1e6, parallel1.step_seconds * 1e6, epoch.step_seconds * 1e6,
              chain.step_seconds * 1e6, parallel.step_seconds * 1e6, compile, parallel.build_seconds * 1e3,
              static_cast<double>(launcher.plan().arena_bytes) / 1e6);
  std::fflush(stdout);
}

}  // namespace

int main() {
  try {
    CudaBackend backend;
    const auto device = open_for_probe(backend);
    if (!device) return 0;
    std::printf(
        "-- training step, batch 100, microseconds a step\n%6s %-4s %5s %4s %4s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n",
        "layers", "gemm", "steps", "path", "lt", "launched", "chain1", "par1", "par10", "chainN", "parN", "comp s",
        "graph ms", "arena MB");
    for (int layers = 2; layers <= 12; ++layers) {
      measure(*device, layers, false);
      if (layers >= 8 && device->library() != nullptr) measure(*device, layers, true);
    }
    std::printf("memory peak %.1f MB\n", static_cast<double>(device->memory_peak()) / 1e6);
    return 0;
  } catch (const overtake::Error& error) {
    std::printf("error: %s\nhint: %s\n", error.what(), error.hint().c_str());
    return 1;
  }
}
