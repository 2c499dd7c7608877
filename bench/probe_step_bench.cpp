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
  Json row;
  row.set("layers", layers).set("products", use_library ? "cublaslt" : "own");
  row.set("steps", launcher.size()).set("path", path).set("library_products", launcher.plan().library_products);
  row.set("launched_us", launched * 1e6).set("chain_us", chain1.step_seconds * 1e6);
  row.set("parallel_us", parallel1.step_seconds * 1e6).set("parallel_of_10_us", epoch.step_seconds * 1e6);
  row.set("copies", copies).set("chain_of_copies_us", chain.step_seconds * 1e6);
  row.set("parallel_of_copies_us", parallel.step_seconds * 1e6).set("compile_seconds", compile);
  row.set("graph_ms", parallel.build_seconds * 1e3).set("arena_bytes", launcher.plan().arena_bytes);
  print_row(row);
}

}  // namespace

int main() {
  try {
    CudaBackend backend;
    const auto device = open_for_probe(backend);
    if (!device) return 0;
    for (int layers = 2; layers <= 12; ++layers) {
      measure(*device, layers, false);
      if (layers >= 8 && device->library() != nullptr) measure(*device, layers, true);
    }
    print_row(Json().set("memory_peak_bytes", device->memory_peak()));
    return 0;
  } catch (const overtake::Error& error) {
    std::printf("error: %s\nhint: %s\n", error.what(), error.hint().c_str());
    return 1;
  }
}
