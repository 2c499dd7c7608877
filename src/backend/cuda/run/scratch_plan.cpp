// SPDX-License-Identifier: MIT
#include "backend/cuda/run/scratch_plan.hpp"

#include <algorithm>
#include <map>

namespace overtake::backend::cuda {
namespace {

constexpr std::uint64_t alignment = 256;
/// Above this many bytes for one class of requests, fewer lanes: memory matters more than running side by side.
constexpr std::uint64_t class_budget = 16ULL << 20U;

struct Class {
  std::uint64_t largest = 0;
  int members = 0;
  int lanes = 1;
  int next = 0;
  std::uint64_t base = 0;
};

[[nodiscard]] std::uint64_t aligned(std::uint64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

}  // namespace

ScratchPlan plan_scratch(std::span<const ScratchRequest> requests, int lanes) {
  std::map<std::uint64_t, Class> classes;
  for (const ScratchRequest& request : requests) {
    if (request.bytes == 0) continue;
    Class& entry = classes[request.zeroed_bytes];
    entry.largest = std::max(entry.largest, aligned(request.bytes));
    ++entry.members;
  }
  ScratchPlan plan;
  for (auto& [zeroed, entry] : classes) {
    const auto affordable = static_cast<int>(std::min<std::uint64_t>(class_budget / entry.largest, 64));
    entry.lanes = std::clamp(std::min(affordable, lanes), 1, entry.members);
    entry.base = plan.bytes;
    for (int lane = 0; lane < entry.lanes && zeroed > 0; ++lane) {
      const std::uint64_t begin = entry.base + entry.largest * static_cast<std::uint64_t>(lane);
      plan.zeroed.push_back({begin, begin + zeroed});
    }
    plan.bytes += entry.largest * static_cast<std::uint64_t>(entry.lanes);
  }
  plan.offsets.reserve(requests.size());
  for (const ScratchRequest& request : requests) {
    if (request.bytes == 0) {
      plan.offsets.push_back(0);
      continue;
    }
    Class& entry = classes[request.zeroed_bytes];
    plan.offsets.push_back(entry.base + entry.largest * static_cast<std::uint64_t>(entry.next));
    entry.next = (entry.next + 1) % entry.lanes;
  }
  return plan;
}

}  // namespace overtake::backend::cuda
