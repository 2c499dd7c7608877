// SPDX-License-Identifier: MIT
// Batches that take long end in the middle, as if they had never begun.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <vector>

#include "core/polling.hpp"
#include "overtake/array.hpp"
#include "overtake/stop.hpp"

namespace overtake::vision {

/// What ends a computation that a Stoppable is over.
class Stopped : public std::exception {};

/// While it lives, what the cpu computes on this thread throws Stopped soon after a stop was requested: in the middle
/// of a plan, whose arrays are then of no use. One at a time a thread.
class Stoppable {
 public:
  explicit Stoppable(const StopToken& token);
  ~Stoppable();
  Stoppable(const Stoppable&) = delete;
  Stoppable& operator=(const Stoppable&) = delete;

 private:
  Polling polling_;
};

/// The values of arrays before a batch overwrites them in place, in the computer's memory.
class Undo {
 public:
  /// Their buffers stay the same.
  explicit Undo(std::vector<Array> arrays);

  /// Copies all values where that is worth it, and says whether it did. `batch_seconds`: what the last batch took; 0:
  /// not known. Short batches are not worth it, nor is memory that is scarce.
  [[nodiscard]] bool keep(double batch_seconds);
  /// Puts back what keep() copied.
  void restore() const;

 private:
  std::vector<Array> arrays_;
  std::uint64_t bytes_ = 0;
  std::vector<std::vector<std::byte>> values_;  // of arrays_; empty: none are kept
  double copy_seconds_ = 0;
};

}  // namespace overtake::vision
