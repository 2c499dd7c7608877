// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace overtake::platform {

/// Stacks of one size, side by side, with a page before each that may not be touched, so that one that overflows ends
/// the process and harms no other. The system gives their memory as it is used. (Each such page costs the system a
/// mapping, of which a process may have some 65,000: beyond `most_guarded` stacks of the process, new ones share the
/// page before the first.)
class Stacks {
 public:
  static constexpr std::size_t most_guarded = 8192;

  /// None.
  Stacks() noexcept = default;
  /// `bytes`: of each, a multiple of 64 KiB. Throws std::bad_alloc.
  Stacks(std::size_t count, std::size_t bytes);
  ~Stacks();
  Stacks(Stacks&& other) noexcept;
  Stacks& operator=(Stacks&& other) noexcept;
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// The end of a stack: they grow downwards.
  [[nodiscard]] std::byte* end(std::size_t index) const noexcept { return memory_ + (index + 1) * (bytes_ + guard_); }

 private:
  std::byte* memory_ = nullptr;
  std::size_t count_ = 0, bytes_ = 0, guard_ = 0;
};

}  // namespace overtake::platform
