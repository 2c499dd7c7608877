// SPDX-License-Identifier: MIT
#include "backend/cpu/kernels/work_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <functional>
#include <new>
#include <vector>

#include "backend/cpu/kernels/watched_fibers.hpp"
#include "overtake/error.hpp"
#include "platform/fiber.hpp"
#include "platform/stacks.hpp"

namespace overtake::backend::cpu {
namespace {

constexpr std::size_t stack_bytes = std::size_t{64} << 10;
constexpr const char* sync_hint =
    "SYNC must be reached by all work-items of a group, or by none: guard what lies between.";

/// The group that a thread runs: its memory, and its work-items as fibers that take turns. Each runs to the next
/// barrier and hands over to the next one, the last to the first: one switch a work-item and barrier.
class Team {
 public:
  static Team& here() {
    thread_local Team team;
    return team;
  }

  HostItem item{};  ///< of kernels without a thread-local variable of their own

  /// Memory for `bytes` of LOCAL_PARAMETERs and behind them the LOCAL declarations.
  [[nodiscard]] char* local(std::int64_t bytes) {
    const auto needed = static_cast<std::size_t>((bytes + most_local_bytes + 0xffff) / 0x10000 * 0x10000);
    if (local_.bytes() < needed) local_ = platform::Stacks(1, needed);
    return reinterpret_cast<char*>(local_.end(0) - local_.bytes());
  }

  /// One group; gives what is wrong.
  [[nodiscard]] GroupTrouble run(const GroupWork& work, const std::uint64_t* words, const HostItem& first);
  void wait(int line);
  void refuse_local(std::uint64_t bytes);

 private:
  enum class Round : std::uint8_t { waits, ends };

  void prepare(std::int32_t items) {
    const auto count = static_cast<std::size_t>(items);
    if (stacks_.count() < count) {
      stacks_ = platform::Stacks();  // the old ones go first
      stacks_ = platform::Stacks(std::bit_ceil(count), stack_bytes);
      courses_.resize(stacks_.count());
    }
    items_ = items;
    started_ = 0;
    current_ = 0;
    trouble_ = {};
  }

  static void begin(platform::HandedOver handed) {
    *static_cast<platform::Course*>(handed.data) = handed.from;
    here().live();
  }
  void live();
  void hand_over(std::int32_t next);
  /// Leaves all fibers where they are.
  void give_up(GroupTrouble trouble) {
    trouble_ = std::move(trouble);
    platform::Course nobody = nullptr;
    watched_.to_thread();
    platform::switch_to(host_, &nobody);
  }
  [[nodiscard]] GroupTrouble divided(int line) const;

  WatchedFibers watched_;
  platform::Stacks local_;
  platform::Stacks stacks_;
  std::vector<platform::Course> courses_;
  platform::Course host_ = nullptr;
  std::int32_t items_ = 0, started_ = 0, current_ = 0;
  Round round_ = Round::ends;
  int line_ = 0;  ///< where this round waits
  const GroupWork* work_ = nullptr;
  const std::uint64_t* words_ = nullptr;
  HostItem first_{};
  GroupTrouble trouble_;
  bool is_running_ = false;
};

GroupTrouble Team::run(const GroupWork& work, const std::uint64_t* words, const HostItem& first) {
  prepare(work.has_items ? 1 : first.local_size[0] * first.local_size[1] * first.local_size[2]);
  work_ = &work;
  words_ = words;
  first_ = first;
  is_running_ = true;
  started_ = 1;
  watched_.leave_thread();
  watched_.begin(0);
  watched_.to(0);
  const platform::Course course = platform::make_course(stacks_.end(0), stack_bytes, &Team::begin);
  const platform::HandedOver back = platform::switch_to(course, static_cast<void*>(&host_));
  *static_cast<platform::Course*>(back.data) = back.from;
  is_running_ = false;
  return std::move(trouble_);
}

/// A fiber from its beginning to its end.
void Team::live() {
  HostItem mine = first_;
  const std::int32_t me = current_;
  mine.local_id[0] = me % mine.local_size[0];
  mine.local_id[1] = me / mine.local_size[0] % mine.local_size[1];
  mine.local_id[2] = me / mine.local_size[0] / mine.local_size[1];
  work_->entry(words_, &mine, 1);
  if (me == 0) {
    round_ = Round::ends;
  } else if (round_ != Round::ends) {
    give_up(divided(0));
  }
  if (me + 1 < items_) {
    hand_over(me + 1);
  } else {
    watched_.to_thread();
    platform::switch_to(host_, static_cast<void*>(&courses_[static_cast<std::size_t>(me)]));
  }
}

void Team::wait(int line) {
  if (!is_running_) return;  // a kernel whose text shows no barrier runs its work-items one after the other
  const std::int32_t me = current_;
  if (me == 0) {
    round_ = Round::waits;
    line_ = line;
  } else if (round_ != Round::waits || line_ != line) {
    give_up(divided(line));
  }
  if (items_ > 1) hand_over(me + 1 == items_ ? 0 : me + 1);
}

void Team::hand_over(std::int32_t next) {
  const auto to = static_cast<std::size_t>(next);
  void* const mine = &courses_[static_cast<std::size_t>(current_)];
  current_ = next;
  if (next == started_) {
    ++started_;
    watched_.begin(to);
    courses_[to] = platform::make_course(stacks_.end(to), stack_bytes, &Team::begin);
  }
  watched_.to(to);
  const platform::HandedOver back = platform::switch_to(courses_[to], mine);
  *static_cast<platform::Course*>(back.data) = back.from;
}

void Team::refuse_local(std::uint64_t bytes) {
  give_up({fmt::format("its LOCAL declarations take {} bytes, {} are the most", bytes, most_local_bytes),
           "Other devices have less: keep the rest in device memory."});
}

GroupTrouble Team::divided(int line) const {
  const auto place = [](int at) { return at == 0 ? "has ended" : fmt::format("waits at SYNC in line {}", at); };
  return {
      fmt::format("work-item 0 of group ({}, {}, {}) {}, but work-item {} {}", first_.group_id[0], first_.group_id[1],
                  first_.group_id[2], place(round_ == Round::waits ? line_ : 0), current_, place(line)),
      sync_hint};
}

// Builtins of gcc and clang: std::atomic_ref is not in libc++ 14.
template <typename Better>
std::int32_t exchange_if(std::int32_t* pointer, std::int32_t value, const Better& better) {
  std::int32_t old = __atomic_load_n(pointer, __ATOMIC_RELAXED);
  while (better(value, old) &&
         !__atomic_compare_exchange_n(pointer, &old, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}

float add_float(float* pointer, float value) {
  float old = 0;
  float sum = 0;
  __atomic_load(pointer, &old, __ATOMIC_RELAXED);
  do {
    sum = old + value;
  } while (!__atomic_compare_exchange(pointer, &old, &sum, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}

std::uint64_t nanoseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

}  // namespace

const HostFunctions& host_functions() {
  static const HostFunctions functions = {
      [] { return &Team::here().item; },
      [](int line) { Team::here().wait(line); },
      [](std::uint64_t bytes) { Team::here().refuse_local(bytes); },
      nanoseconds,
      [] { std::atomic_thread_fence(std::memory_order_seq_cst); },
      [](std::int32_t* pointer, std::int32_t value) { return __atomic_fetch_add(pointer, value, __ATOMIC_RELAXED); },
      add_float,
      [](std::int32_t* pointer, std::int32_t value) { return exchange_if(pointer, value, std::less<>()); },
      [](std::int32_t* pointer, std::int32_t value) { return exchange_if(pointer, value, std::greater<>()); },
  };
  return functions;
}

GroupTrouble run_groups(const GroupWork& work, std::int64_t begin, std::int64_t end) {
  Team& team = Team::here();
  HostItem first{};
  std::array<std::uint64_t, most_parameters> words;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  std::copy(work.words.begin(), work.words.end(), words.begin());
  try {
    if (work.needs_fibers || !work.locals.empty()) {
      char* memory = team.local(work.local_bytes);
      for (const std::uint16_t index : work.locals) {
        const std::uint64_t bytes = work.words[index];
        words[index] = reinterpret_cast<std::uintptr_t>(memory);
        memory += (bytes + 63) / 64 * 64;
      }
      first.local = memory;
    }
    for (int axis = 0; axis < 3; ++axis) {
      first.local_size[axis] = work.size[static_cast<std::size_t>(axis)];
      first.num_groups[axis] = work.groups[static_cast<std::size_t>(axis)];
    }
    const auto place = [&](std::int64_t group) {
      first.group_id[0] = static_cast<std::int32_t>(group % work.groups[0]);
      first.group_id[1] = static_cast<std::int32_t>(group / work.groups[0] % work.groups[1]);
      first.group_id[2] = static_cast<std::int32_t>(group / work.groups[0] / work.groups[1]);
    };
    if (!work.needs_fibers) {
      place(begin);
      work.entry(words.data(), &first, end - begin);
      return {};
    }
    for (std::int64_t group = begin; group < end; ++group) {
      place(group);
      if (GroupTrouble trouble = team.run(work, words.data(), first); !trouble.what.empty()) return trouble;
    }
  } catch (const std::bad_alloc&) {
    throw DeviceError("cpu: there is no memory for the stacks and the local memory of a group of work-items",
                      "Use smaller groups, or fewer threads (OVERTAKE_THREADS).");
  }
  return {};
}

}  // namespace overtake::backend::cpu
