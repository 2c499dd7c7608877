// SPDX-License-Identifier: MIT
// Two slots that are alive at the same time never share bytes, in short schedules and in long ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "graph/memory_plan.hpp"

namespace overtake::graph {
namespace {

backend::Schedule random_schedule(int operations, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  backend::Schedule schedule;
  for (int i = 0; i < operations; ++i) {
    schedule.slots.push_back({.bytes = 1 + engine() % 3600});
    backend::Operation operation;
    operation.tape.stores.push_back({.slot = i});
    for (std::uint64_t load = 0; i > 0 && load < engine() % 3; ++load) {
      const std::uint64_t back = 1 + engine() % (engine() % 8 == 0 ? 200 : 4);
      operation.tape.loads.push_back({.slot = std::max(0, i - static_cast<int>(back))});
    }
    schedule.operations.push_back(std::move(operation));
  }
  return schedule;
}

struct Use {
  int first = -1, last = -1;
};

void expect_disjoint(const backend::Schedule& schedule) {
  std::vector<Use> uses(schedule.slots.size());
  for (std::size_t i = 0; i < schedule.operations.size(); ++i) {
    const auto touch = [&](int slot) {
      Use& use = uses[static_cast<std::size_t>(slot)];
      if (use.first < 0) use.first = static_cast<int>(i);
      use.last = static_cast<int>(i);
    };
    for (const auto& store : schedule.operations[i].tape.stores) touch(store.slot);
    for (const auto& load : schedule.operations[i].tape.loads) touch(load.slot);
  }
  const auto end_of = [&](std::size_t slot) { return schedule.slots[slot].arena_offset + schedule.slots[slot].bytes; };
  for (std::size_t a = 0; a < uses.size(); ++a) {
    ASSERT_LE(end_of(a), schedule.arena_bytes);
    ASSERT_EQ(schedule.slots[a].arena_offset % 256, 0U);
    for (std::size_t b = 0; b < a; ++b) {
      if (uses[a].first > uses[b].last || uses[b].first > uses[a].last) continue;
      ASSERT_TRUE(schedule.slots[a].arena_offset >= end_of(b) || schedule.slots[b].arena_offset >= end_of(a))
          << "slots " << a << " and " << b;
    }
  }
}

TEST(GraphMemoryPlan, SlotsAliveTogetherShareNoBytes) {
  const std::uint64_t seed = std::random_device{}();
  for (const int operations : {1, 2, 50, 1999, 2001, 5000}) {
    SCOPED_TRACE(testing::Message() << operations << " operations, seed " << seed);
    backend::Schedule schedule = random_schedule(operations, seed);
    plan_memory(schedule);
    expect_disjoint(schedule);
    std::uint64_t all = 0;
    for (const backend::Slot& slot : schedule.slots) all += slot.bytes;
    if (operations < 1999) continue;
    EXPECT_LT(schedule.arena_bytes, all / 4) << "bytes of the dead are used again";
  }
}

}  // namespace
}  // namespace overtake::graph
