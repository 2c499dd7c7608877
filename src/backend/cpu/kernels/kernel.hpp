// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "backend/api/device.hpp"
#include "backend/cpu/kernels/kernel_code.hpp"

namespace overtake::backend::cpu {

/// The code of a program: what it began with, and what takes its place once it is compiled.
class Tiers {
 public:
  explicit Tiers(std::unique_ptr<KernelCode> first);
  Tiers(const Tiers&) = delete;
  Tiers& operator=(const Tiers&) = delete;

  /// Says that there will be better code, until it is there or what this gave is gone: then none comes.
  [[nodiscard]] static std::shared_ptr<void> announce(const std::shared_ptr<Tiers>& tiers);
  /// Once. What runs goes on with the code it has, which stays.
  void adopt(std::unique_ptr<KernelCode> second);
  /// Waits for announced code; false where none is to be expected.
  bool wait_for_second(std::chrono::nanoseconds longest);
  [[nodiscard]] const KernelCode& first() const noexcept { return *first_; }
  /// Null as long as there is none.
  [[nodiscard]] const KernelCode* second() const noexcept { return second_.load(std::memory_order_acquire); }

 private:
  std::unique_ptr<KernelCode> first_, adopted_;
  std::atomic<const KernelCode*> second_{nullptr};
  std::mutex mutex_;
  std::condition_variable changed_;
  int announced_at_ = -1;  ///< forks of the process that compiles it, -1: none comes. A child does not compile it
};

/// The kernel of a name. Throws UsageError where there is none.
[[nodiscard]] std::unique_ptr<Kernel> make_kernel(Device& device, std::shared_ptr<Tiers> tiers,
                                                  const std::string& name);

}  // namespace overtake::backend::cpu
