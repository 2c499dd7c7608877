// SPDX-License-Identifier: MIT
// Long work of one thread that asks, now and then, whether anybody still wants it.
#pragma once

#include <chrono>

namespace overtake {

/// While it lives, poll() on this thread calls `ask` from time to time, which throws to end the work.
class Polling {
 public:
  using Ask = void (*)();
  explicit Polling(Ask ask) noexcept;
  ~Polling();
  Polling(const Polling&) = delete;
  Polling& operator=(const Polling&) = delete;

  /// Whether somebody is to be asked on this thread.
  [[nodiscard]] static bool is_on() noexcept;
  /// Whether this thread is inside of an `ask`.
  [[nodiscard]] static bool is_asking() noexcept;
  /// Asks where the last time was 50 ms ago. Rethrows what `ask` throws.
  static void poll();

 private:
  struct Asking;
  Ask ask_;
  Polling* outer_;
  std::chrono::steady_clock::time_point next_{};  // not set before the first poll()
  bool is_asking_ = false;
};

}  // namespace overtake
