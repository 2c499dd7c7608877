// SPDX-License-Identifier: MIT
#include "forest/model/host_memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "forest/grow/formulas.hpp"
#include "forest/grow/need.hpp"

namespace overtake::forest {
namespace {

constexpr std::uint64_t bytes_of_small_arrays = 512;  // a tree's vectors and what the allocator adds to each

std::uint64_t count(std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)); }

std::uint64_t outputs_of(const ForestNeed& need) { return count(std::max(need.classes, 1)); }

/// What growing and finishing work on.
void add_problem(const ForestNeed& need, MemoryPlan& plan) {
  const std::uint64_t rows = count(need.rows);
  const std::uint64_t target = need.classes > 0 ? sizeof(std::int32_t) : sizeof(double);
  plan.add("features in bins", binned_bytes(need.rows, need.features, need.max_bins));
  plan.add("targets and rows", rows * (target + sizeof(std::int32_t) + (need.weighted ? sizeof(double) : 0)));
  plan.add(fmt::format("growing {} at a time", need.growing),
           count(need.growing) * host_grower_bytes(rows, need.classes, need.max_bins));
}

std::uint64_t forest_bytes(const ForestNeed& need) {
  const double of_node = static_cast<double>(3 * sizeof(std::int32_t) + sizeof(std::uint8_t) + sizeof(std::int32_t) +
                                             3 * sizeof(double) + outputs_of(need) * sizeof(double));
  const auto trees = static_cast<double>(need.trees + need.earlier_trees);
  return static_cast<std::uint64_t>(trees * (static_cast<double>(bytes_of_small_arrays) + need.nodes * of_node));
}

std::uint64_t out_of_bag_bytes(const ForestNeed& need) {
  return need.out_of_bag ? count(need.rows) * (outputs_of(need) * sizeof(double) + sizeof(std::int32_t)) : 0;
}

}  // namespace

std::uint64_t binned_bytes(std::int64_t rows, std::int32_t features, int widest) {
  const std::uint64_t stride = (count(features) + 3) / 4 * 4;
  return count(rows) * stride * (widest > 256 ? sizeof(std::uint16_t) : sizeof(std::uint8_t));
}

std::uint64_t grown_bytes(double nodes, std::int32_t classes) {
  const std::uint64_t answer = classes > 0 ? sizeof(std::uint32_t) * count(classes) : 2 * sizeof(double);
  const std::uint64_t of_node = sizeof(NodeRecord) + sizeof(std::int32_t) + answer;
  return bytes_of_small_arrays + static_cast<std::uint64_t>(nodes * static_cast<double>(of_node));
}

MemoryPlan host_memory_of(const ForestNeed& need) {
  constexpr double bytes_a_step = 24;  // a node as prediction walks it
  const auto trees = static_cast<double>(need.trees);
  MemoryPlan growing;
  growing.add("code", bytes_of_code);
  add_problem(need, growing);
  growing.add(fmt::format("{} grown trees", need.trees),
              static_cast<std::uint64_t>(trees * static_cast<double>(grown_bytes(need.nodes, need.classes))));
  growing.add("trees that grow on the device", need.device_bytes);
  MemoryPlan finishing;
  finishing.add("code", bytes_of_code);
  add_problem(need, finishing);
  finishing.add(fmt::format("forest of {} trees", need.trees + need.earlier_trees), forest_bytes(need));
  finishing.add("out-of-bag scores", out_of_bag_bytes(need));
  MemoryPlan answering;
  answering.add("code", bytes_of_code);
  answering.add(fmt::format("forest of {} trees", need.trees + need.earlier_trees), forest_bytes(need));
  answering.add("forest as it predicts", static_cast<std::uint64_t>((trees + static_cast<double>(need.earlier_trees)) *
                                                                    need.nodes * bytes_a_step));
  answering.add("predictions", count(need.rows) * (outputs_of(need) * sizeof(double) + sizeof(std::int32_t)));
  answering.add("out-of-bag scores", out_of_bag_bytes(need));
  const auto less = [](const MemoryPlan& a, const MemoryPlan& b) {
    return a.bytes(MemoryPlace::host) < b.bytes(MemoryPlace::host);
  };
  return std::max({growing, finishing, answering}, less);
}

}  // namespace overtake::forest
