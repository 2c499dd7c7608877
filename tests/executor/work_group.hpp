// SPDX-License-Identifier: MIT
// The work-items of one group as fibers of one thread, in random order between barriers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>

namespace overtake::executor {

/// Runs groups. A work-item runs until it synchronises, ends, or is made to wait at random by maybe_yield(); who runs
/// next is drawn. One group runs at a time.
class WorkGroup {
 public:
  explicit WorkGroup(std::uint64_t seed);
  ~WorkGroup();
  void seed(std::uint64_t seed) { random_.seed(seed); }
  WorkGroup(const WorkGroup&) = delete;
  WorkGroup& operator=(const WorkGroup&) = delete;

  /// Calls body() once for each of `items` work-items. Returns what is wrong with their barriers: some wait where
  /// others have ended, or wait elsewhere in the source. Empty when all is well.
  [[nodiscard]] std::string run(std::int32_t items, const std::function<void()>& body);

  /// Of the work-item that calls.
  [[nodiscard]] std::int32_t item() const noexcept { return current_; }
  /// Barriers that the group has passed.
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  void synchronise(int line);
  void maybe_yield();

 private:
  struct Fiber;
  [[nodiscard]] std::string pass_barrier(std::int32_t items);
  static void enter();

  std::mt19937_64 random_;
  std::unique_ptr<Fiber[]> fibers_;
  std::int32_t capacity_ = 0;
  std::int32_t current_ = -1;
  std::uint32_t epoch_ = 0;
  const std::function<void()>* body_ = nullptr;
  struct Host;
  std::unique_ptr<Host> host_;
};

}  // namespace overtake::executor
