// SPDX-License-Identifier: MIT
// One operation of a schedule, ready to run on the CPU. One maker for each kind of core, in a file of that name.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "backend/cpu/tape_runner.hpp"
#include "core/polling.hpp"
#include "core/thread_pool.hpp"

namespace overtake::backend::cpu {

/// Where an operand of a core begins; null for one that is not there.
[[nodiscard]] inline const std::byte* address_of(SlotPointers slots, const Access& access) {
  if (access.slot < 0) return nullptr;
  return slots[static_cast<std::size_t>(access.slot)] +
         access.offset * static_cast<std::int64_t>(size_of(access.dtype));
}

class Step {
 public:
  virtual ~Step() = default;
  virtual void bind(SlotPointers slots) = 0;
  virtual void run() = 0;
};

/// `threads` is the most threads a step may use; small work uses one.
[[nodiscard]] std::unique_ptr<Step> make_map_step(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_matmul_step(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_packed_matmul(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_reduce_step(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_row_step(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_gather_step(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_scan_step(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_sort_step(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_search_step(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_segment_sum_step(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_histogram_step(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_convolution_step(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_plain_convolution(const Operation& operation, int threads);
[[nodiscard]] std::unique_ptr<Step> make_pool_step(const Operation& operation, int threads);

/// Threads worth using for work of about `operations` simple operations: all of them, or one if the work is over before
/// a team would have begun.
[[nodiscard]] int worthwhile_threads(double operations, int threads);

/// Calls body(begin, end) for consecutive parts of [0, count), each a multiple of `grain` (the last aside), on
/// `threads` threads. What the parts are does not depend on timing. Where this thread polls, each part in pieces.
template <class Body>
void parallel_ranges(std::int64_t count, std::int64_t grain, int threads, const Body& body);

}  // namespace overtake::backend::cpu

namespace overtake::backend::cpu {

/// A range in pieces, multiples of `grain`, of about a hundredth of a second; this thread, where it `is_caller`, asks
/// between them. `ended`: somebody threw.
template <class Body>
void run_in_pieces(std::int64_t begin, std::int64_t end, std::int64_t grain, bool is_caller, std::atomic<bool>& ended,
                   const Body& body) {
  using Clock = std::chrono::steady_clock;
  constexpr std::int64_t pieces = 64;
  constexpr auto short_piece = std::chrono::milliseconds(5);
  std::int64_t step = std::max<std::int64_t>((end - begin) / pieces / grain, 1) * grain;
  try {
    auto last = Clock::now();
    while (begin < end && !ended.load(std::memory_order_relaxed)) {
      const std::int64_t until = std::min(end, begin + step);
      body(begin, until);
      begin = until;
      const auto now = Clock::now();
      if (now - last < short_piece) step *= 2;
      last = now;
      if (is_caller) Polling::poll();
    }
  } catch (...) {
    ended.store(true, std::memory_order_relaxed);
    throw;
  }
}

template <class Body>
void parallel_ranges(std::int64_t count, std::int64_t grain, int threads, const Body& body) {
  const bool polls = Polling::is_on();
  std::atomic<bool> ended{false};
  const std::int64_t grains = (count + grain - 1) / grain;
  const std::int64_t parts = std::min<std::int64_t>(threads, grains);
  if (parts <= 1) {
    if (polls) return run_in_pieces(0, count, grain, true, ended, body);
    if (count > 0) body(std::int64_t{0}, count);
    return;
  }
  ThreadPool::instance().run(static_cast<int>(parts), [&](int part) {
    const std::int64_t begin = grains * part / parts * grain;
    const std::int64_t end = std::min(count, grains * (part + 1) / parts * grain);
    if (polls) return run_in_pieces(begin, end, grain, part == 0, ended, body);
    if (begin < end) body(begin, end);
  });
}

}  // namespace overtake::backend::cpu
