// SPDX-License-Identifier: MIT
// What the sorters of sort_step.cpp have in common.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/thread_pool.hpp"

namespace overtake::backend::cpu {

/// One axis, as it lies in memory.
template <class Key, class Value>
struct SortAxis {
  using Result = Value;
  const Key* input;
  std::int64_t input_stride;
  Result* output;
  std::int64_t output_stride;
};

/// Calls body(part, begin, end) for `parts` parts of [0, n), each on a thread.
template <class Body>
void in_parts_of(std::int64_t n, int parts, const Body& body) {
  if (parts == 1) return body(std::size_t{0}, std::int64_t{0}, n);
  ThreadPool::instance().run(
      parts, [&](int part) { body(static_cast<std::size_t>(part), n * part / parts, n * (part + 1) / parts); });
}

}  // namespace overtake::backend::cpu
