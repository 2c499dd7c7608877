// SPDX-License-Identifier: MIT
// One operation of a schedule, ready to run on the CPU. One maker for each kind of core, in a file of that name.
#pragma once

#include <algorithm>
#include <memory>

#include "backend/cpu/tape_runner.hpp"
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

/// Threads worth using for work of about `operations` simple operations: all of them, or one if the work is over before
/// a team would have begun.
[[nodiscard]] int worthwhile_threads(double operations, int threads);

/// Calls body(begin, end) for consecutive parts of [0, count), each a multiple of `grain` (the last aside), on
/// `threads` threads. What the parts are does not depend on timing.
template <class Body>
void parallel_ranges(std::int64_t count, std::int64_t grain, int threads, const Body& body);

}  // namespace overtake::backend::cpu

namespace overtake::backend::cpu {

template <class Body>
void parallel_ranges(std::int64_t count, std::int64_t grain, int threads, const Body& body) {
  const std::int64_t grains = (count + grain - 1) / grain;
  const std::int64_t parts = std::min<std::int64_t>(threads, grains);
  if (parts <= 1) {
    if (count > 0) body(std::int64_t{0}, count);
    return;
  }
  ThreadPool::instance().run(static_cast<int>(parts), [&](int part) {
    const std::int64_t begin = grains * part / parts * grain;
    const std::int64_t end = std::min(count, grains * (part + 1) / parts * grain);
    if (begin < end) body(begin, end);
  });
}

}  // namespace overtake::backend::cpu
