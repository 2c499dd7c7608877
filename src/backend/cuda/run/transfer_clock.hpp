// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <utility>

#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

/// Times copies by events round them, which are read later: nobody waits for a copy to know how long it takes, and what
/// a copy waits for itself is not its time. Needs the device's context current. Thread-safe.
class TransferClock {
 public:
  explicit TransferClock(const DriverApi& api) : api_(api) {}

  enum class Direction : unsigned char { up, down };
  /// A copy is about to be enqueued. Waits for the copy sixteen copies before.
  [[nodiscard]] std::size_t begin(Direction direction, CUstream stream);
  /// It is enqueued.
  void end(std::size_t copy, CUstream stream);

  struct Seconds {
    double up = 0, down = 0;
  };
  /// Of the copies since the last call. Waits for them.
  [[nodiscard]] Seconds take();

 private:
  struct Copy {
    EventHandle before, after;
    Direction direction = Direction::up;
    bool is_open = false;
  };
  void prepare(Copy& copy);
  void read(Copy& copy);

  const DriverApi& api_;
  std::mutex mutex_;
  std::array<Copy, 16> copies_;
  std::size_t next_ = 0;
  Seconds seconds_;
};

}  // namespace overtake::backend::cuda
