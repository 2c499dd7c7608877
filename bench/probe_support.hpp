// SPDX-License-Identifier: MIT
// What the CUDA probes share: a device, plans made with a chosen lowering, and timing by events.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <vector>

#include "../tests/backend/cuda_training.hpp"
#include "backend/cuda/backend.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "backend/cuda/run/graph_builder.hpp"
#include "backend/cuda/run/launcher.hpp"
#include "overtake/error.hpp"
#include "overtake/report.hpp"

namespace overtake::backend::cuda {

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

using report::Json;

/// One line of JSON, which bench/record.py takes for a row.
inline void print_row(const Json& row) {
  std::printf("%s\n", row.dump(-1).c_str());
  std::fflush(stdout);
}

/// Bit patterns that are numbers of either format, between 1/4 and 1/2 or their negatives.
inline void fill_with_numbers(CudaDevice& device, Buffer& buffer, std::uint64_t bytes) {
  std::vector<std::uint32_t> words(1U << 16U);
  std::uint64_t state = 88172645463325252U;
  for (std::uint32_t& word : words) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    word = (static_cast<std::uint32_t>(state >> 32U) & 0x807f807fU) | 0x3e803e80U;
  }
  const std::uint64_t chunk = words.size() * sizeof(words[0]);
  device.upload(buffer, 0, words.data(), std::min(chunk, bytes));
  for (std::uint64_t done = chunk; done < bytes; done += chunk) {
    device.copy(buffer, 0, buffer, done, std::min(chunk, bytes - done));
  }
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

/// Seconds between two events around `work`, which enqueues on the device's stream.
inline double event_seconds(CudaDevice& device, const std::function<void()>& work) {
  const DriverApi& api = device.api();
  CUevent events[2] = {};
  for (CUevent& event : events) check(api, api.cuEventCreate(&event, CU_EVENT_DEFAULT), "cuEventCreate");
  const EventHandle first(events[0], api.cuEventDestroy);
  const EventHandle last(events[1], api.cuEventDestroy);
  check(api, api.cuEventRecord(first.get(), device.stream()), "cuEventRecord");
  work();
  check(api, api.cuEventRecord(last.get(), device.stream()), "cuEventRecord");
  check(api, api.cuEventSynchronize(last.get()), "cuEventSynchronize");
  float milliseconds = 0;
  check(api, api.cuEventElapsedTime(&milliseconds, first.get(), last.get()), "cuEventElapsedTime");
  return milliseconds / 1e3;
}

/// A bound plan, ready to be timed.
struct Bench {
  std::unique_ptr<Launcher> launcher;
  std::unique_ptr<Buffer> arena;

  Bench(CudaDevice& device, const Schedule& schedule, const std::vector<Buffer*>& buffers, const Lowering& lowering,
        const ProductQuery& query, const ConvolutionQuery& convolutions = {}) {
    launcher = std::make_unique<Launcher>(device, make_plan(schedule, lowering, query, convolutions));
    const Plan& plan = launcher->plan();
    if (plan.arena_bytes > 0) arena = device.allocate(plan.arena_bytes);
    const std::uint64_t base = arena ? arena->handle() : 0;
    for (const MemoryRange& range : plan.zeroed) {
      check(device.api(), device.api().cuMemsetD8Async(base + range.begin, 0, range.end - range.begin, device.stream()),
            "cuMemsetD8Async");
    }
    std::vector<std::uint64_t> addresses;
    for (std::size_t index = 0; index < plan.slots.size(); ++index) {
      const Slot& slot = plan.slots[index];
      addresses.push_back(slot.external ? buffers[index]->handle() : base + slot.arena_offset);
    }
    launcher->bind(std::move(addresses), base);
  }

  void run_once(CudaDevice& device) const {
    for (std::size_t step = 0; step < launcher->size(); ++step) launcher->enqueue(step, device.stream());
  }
};

struct GraphTiming {
  double build_seconds = 0;
  double step_seconds = 0;  ///< median, of one repetition
};

/// Times `graph launches` of `copies` repetitions each, long enough to matter.
inline GraphTiming time_graph(CudaDevice& device, const Bench& bench, GraphShape shape, int copies, int trials = 5,
                              double seconds_per_trial = 2e-3) {
  GraphTiming timing;
  const double start = now();
  GraphBuilder builder(device.api(), *bench.launcher, shape);
  const ReplayGraph graph = builder.build(copies, device.stream());
  timing.build_seconds = now() - start;
  const auto launch = [&](int times) {
    for (int i = 0; i < times; ++i) {
      check(device.api(), device.api().cuGraphLaunch(graph.executable.get(), device.stream()), "cuGraphLaunch");
    }
  };
  launch(2);
  const double once = event_seconds(device, [&] { launch(3); }) / 3;
  const int times = std::clamp(static_cast<int>(seconds_per_trial / std::max(once, 1e-7)), 3, 2000);
  std::vector<double> results;
  for (int trial = 0; trial < trials; ++trial) {
    results.push_back(event_seconds(device, [&] { launch(times); }) / times / copies);
  }
  timing.step_seconds = median(results);
  return timing;
}

/// Gives the library every product that has at least `least_multiply_adds`.
inline ProductQuery library_query(CudaDevice& device, std::int64_t least_multiply_adds, int rank = 0) {
  return [&device, least_multiply_adds, rank](const LibraryProduct& product) -> std::optional<ProductFit> {
    if (product.core.m * product.core.n * product.core.k < least_multiply_adds) return std::nullopt;
    const Blas* library = device.library();
    if (library == nullptr) return std::nullopt;
    const auto prepared = library->prepare(product, rank);
    if (!prepared) return std::nullopt;
    return ProductFit{prepared->workspace_bytes(), rank};
  };
}

/// The first device, or null after saying why there is none.
inline std::unique_ptr<CudaDevice> open_for_probe(CudaBackend& backend, DeviceSettings settings = {}) {
  const auto all = backend.list();
  if (!all[0].usable) {
    std::printf("skipped: %s\n", all[0].reason.c_str());
    return nullptr;
  }
  return backend.open(0, settings);
}

}  // namespace overtake::backend::cuda
