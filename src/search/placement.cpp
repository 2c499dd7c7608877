// SPDX-License-Identifier: MIT
// --device auto for forests: a cost model of two figures a processor.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "backend/api/device.hpp"
#include "core/parallel.hpp"
#include "overtake/error.hpp"
#include "overtake/report.hpp"
#include "overtake/search.hpp"
#include "platform/host_limits.hpp"

namespace overtake {
namespace {

// Row visits a second: measured with bench/forest_bench.cpp from iris to 1,000,000 x 28 (bench/results).
constexpr double visits_per_core = 1.5e8;
constexpr double visits_per_gpu_unit = 1.5e8;  // 132 units of an H200: 2e10 (digits) to 6e10 (1,000,000 rows)
constexpr double gpu_start_seconds = 0.35;     // opening the driver and loading the kernels

/// What makes two candidates share a forest: all parameters but the limits that only cut it short.
std::string sharing_key(ForestParameters parameters) {
  parameters.n_estimators = 1;
  parameters.max_depth.reset();
  parameters.max_leaf_nodes.reset();
  parameters.min_samples_split = {false, 2};
  parameters.min_impurity_decrease = 0;
  parameters.ccp_alpha = 0;
  std::string key;
  for (const auto& [name, value] : parameters.all()) key += name + "=" + to_text(value) + " ";
  return key;
}

double features_a_node(const MaxFeatures& wanted, double features) {
  switch (wanted.kind) {
    case MaxFeatures::Kind::sqrt: return std::sqrt(features);
    case MaxFeatures::Kind::log2: return std::log2(features);
    case MaxFeatures::Kind::all: return features;
    case MaxFeatures::Kind::count: return wanted.value;
    case MaxFeatures::Kind::fraction: return wanted.value * features;
  }
  return features;
}

}  // namespace

double forest_work(const Dataset& data, const std::vector<ForestParameters>& forests, std::int64_t fits) {
  struct Shared {
    double trees = 0, depth = 0, features = 0;
  };
  std::map<std::string, Shared> shared;
  const auto rows = static_cast<double>(data.rows);
  for (const ForestParameters& parameters : forests) {
    Shared& of = shared[sharing_key(parameters)];
    of.trees = std::max(of.trees, static_cast<double>(parameters.n_estimators));
    const double depth = parameters.max_depth ? *parameters.max_depth : std::numeric_limits<double>::infinity();
    of.depth = std::max(of.depth, std::min(depth, std::log2(rows + 2)));
    of.features = std::max(1.0, features_a_node(parameters.max_features, static_cast<double>(data.features)));
  }
  double visits = 0;
  for (const auto& [key, of] : shared) visits += of.trees * rows * of.features * of.depth * static_cast<double>(fits);
  return visits;
}

ForestPlacement choose_forest_device(double work) {
  const DeviceInfo* gpu = nullptr;
  const std::vector<DeviceInfo> devices = list_devices();
  for (const DeviceInfo& info : devices) {
    if (info.backend == "cuda" && info.usable && gpu == nullptr) gpu = &info;
  }
  if (gpu == nullptr) return {"cpu", "no usable NVIDIA GPU; overtake devices says why"};
  // Threads beyond the cores make nothing faster.
  const int busy = std::min(thread_count(), platform::usable_cores());
  const double on_cpu = work / (visits_per_core * std::max(1, busy));
  const double on_gpu = gpu_start_seconds + work / (visits_per_gpu_unit * std::max(1, gpu->compute_units));
  const std::string estimate =
      fmt::format("about {} on the CPU, {} on {}", report::seconds(on_cpu), report::seconds(on_gpu), gpu->id);
  if (on_gpu < on_cpu) {
    try {
      (void)Device(gpu->id);  // its first use tries the driver
      return {gpu->id, "estimated: " + estimate};
    } catch (const DeviceError& error) {
      return {"cpu", error.what()};
    }
  }
  return {"cpu", fmt::format("estimated: {}, its start included", estimate)};
}

}  // namespace overtake
