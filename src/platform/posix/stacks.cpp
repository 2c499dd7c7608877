// SPDX-License-Identifier: MIT
#include "platform/stacks.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <new>
#include <utility>

namespace overtake::platform {
namespace {

std::atomic<std::size_t> guarded_stacks{0};

}  // namespace

Stacks::Stacks(std::size_t count, std::size_t bytes)
    : count_(count), bytes_(bytes), guard_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
  const std::size_t all = count * (bytes + guard_);
  void* const memory = ::mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<std::byte*>(memory);
  const bool guarded = guarded_stacks.fetch_add(count) + count <= most_guarded;
  const std::size_t pages = guarded ? count : 1;
  for (std::size_t i = 0; i < pages; ++i) (void)::mprotect(memory_ + i * (bytes + guard_), guard_, PROT_NONE);
}

Stacks::~Stacks() {
  if (memory_ == nullptr) return;
  (void)::munmap(memory_, count_ * (bytes_ + guard_));
  guarded_stacks.fetch_sub(count_);
}

Stacks::Stacks(Stacks&& other) noexcept { *this = std::move(other); }

Stacks& Stacks::operator=(Stacks&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(count_, other.count_);
  std::swap(bytes_, other.bytes_);
  std::swap(guard_, other.guard_);
  return *this;
}

}  // namespace overtake::platform
