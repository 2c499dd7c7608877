// SPDX-License-Identifier: MIT
// What a process pays before its first result on CUDA, and what a graph node costs.
#include <cstdio>

#include "probe_support.hpp"

using namespace overtake::backend;        // NOLINT(google-build-using-namespace)
using namespace overtake::backend::cuda;  // NOLINT(google-build-using-namespace)

namespace {

Operation increment(int slot, std::int64_t elements) {
  Operation operation;
  operation.core = MapCore{};
  operation.extent = overtake::Shape{elements};
  operation.name = "increment";
  operation.tape.loads = {{slot, 0, {1, 0, 0, 0}, overtake::DType::float32}};
  operation.tape.code = {tape::load(0), tape::constant(1), tape::apply(TapeCode::add, 0, 1)};
  operation.tape.stores = {{slot, 2, overtake::DType::float32}};
  return operation;
}

/// `branches` independent chains of `length` small maps.
void node_costs(CudaDevice& device) {
  std::printf("graph nodes are maps of 16384 floats\n");
  for (const auto& [branches, length] : {std::pair{1, 64}, std::pair{2, 32}, std::pair{4, 16}, std::pair{16, 4}}) {
    Schedule schedule;
    std::vector<std::unique_ptr<Buffer>> buffers;
    std::vector<Buffer*> slots;
    constexpr std::int64_t elements = 16384;
    for (int branch = 0; branch < branches; ++branch) {
      schedule.slots.push_back(slot_of(elements, overtake::DType::float32, true));
      buffers.push_back(device.allocate(elements * 4));
      slots.push_back(buffers.back().get());
    }
    for (int step = 0; step < length; ++step) {
      for (int branch = 0; branch < branches; ++branch) schedule.operations.push_back(increment(branch, elements));
    }
    const LoweringTraits traits = device.lowering_traits();
    const Bench bench(device, schedule, slots, [&](const Operation& operation) { return lower(operation, traits); },
                      {});
    const int nodes = branches * length;
    const double chain = time_graph(device, bench, GraphShape::chain, 4).step_seconds / nodes;
    const double parallel = time_graph(device, bench, GraphShape::parallel, 4).step_seconds / nodes;
    print_row(Json()
                  .set("branches", branches)
                  .set("length", length)
                  .set("chain_us_per_node", chain * 1e6)
                  .set("parallel_us_per_node", parallel * 1e6));
  }
}

}  // namespace

int main() {
  try {
    const double start = now();
    CudaBackend backend;
    const auto all = backend.list();
    const double listed = now();
    if (!all[0].usable) {
      std::printf("skipped: %s\nhint: %s\n", all[0].reason.c_str(), all[0].hint.c_str());
      return 0;
    }
    std::printf("%s, %s, %d multiprocessors, %.0f GFLOP/s, %.0f GB/s\n", all[0].name.c_str(), all[0].driver.c_str(),
                all[0].compute_units, all[0].peak_gflops, all[0].peak_gbs);
    const auto device = backend.open(0, DeviceSettings{});
    const double opened = now();
    const auto buffer = device->allocate(1 << 20);
    const std::vector<float> host(1 << 18, 1.0F);
    device->upload(*buffer, 0, host.data(), 1 << 20);
    device->synchronize();
    const double uploaded = now();
    Schedule schedule;
    schedule.slots = {slot_of(1 << 18, overtake::DType::float32, true)};
    schedule.operations = {increment(0, 1 << 18)};
    const auto executable = device->compile(schedule, {});
    const double compiled = now();
    executable->bind(std::vector<Buffer*>{buffer.get()});
    executable->run(1);
    device->synchronize();
    const double ran = now();
    (void)device->library();
    const double library = now();
    Json row;
    row.set("driver_and_list_ms", (listed - start) * 1e3).set("context_and_compiler_ms", (opened - listed) * 1e3);
    row.set("first_upload_ms", (uploaded - opened) * 1e3).set("first_kernel_ms", (compiled - uploaded) * 1e3);
    row.set("first_launch_ms", (ran - compiled) * 1e3).set("cublaslt_ms", (library - ran) * 1e3);
    print_row(row);
    std::printf(
        "compiler: %s   cuBLASLt: %s\n",
        device->compiler() != nullptr ? device->compiler()->version().c_str() : device->compiler_trouble().c_str(),
        device->library() != nullptr ? device->library()->version().c_str() : device->library_trouble().c_str());
    const std::vector<float> large(1 << 26, 1.0F);
    const auto target = device->allocate(large.size() * 4);
    for (int trial = 0; trial < 2; ++trial) {
      const double before = now();
      device->upload(*target, 0, large.data(), large.size() * 4);
      device->synchronize();
      print_row(Json().set("upload_of_256_MiB_GBs", static_cast<double>(large.size()) * 4 / (now() - before) / 1e9));
    }
    node_costs(*device);
    return 0;
  } catch (const overtake::Error& error) {
    std::printf("error: %s\nhint: %s\n", error.what(), error.hint().c_str());
    return 1;
  }
}
