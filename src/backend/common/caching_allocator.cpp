// SPDX-License-Identifier: MIT
#include "backend/common/caching_allocator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "overtake/memory.hpp"

namespace overtake::backend {
namespace {

constexpr std::size_t small_step = 512;
constexpr std::size_t small_limit = std::size_t{1} << 20U;

std::string readable(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  if (bytes < (1U << 20U)) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024.0);
  if (bytes < (1U << 30U)) return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1U << 20U));
  return fmt::format("{:.2f} GiB", static_cast<double>(bytes) / (1U << 30U));
}

}  // namespace

CachingAllocator::~CachingAllocator() { trim(); }

std::size_t CachingAllocator::block_size(std::size_t bytes) {
  if (bytes <= small_limit) return (std::max<std::size_t>(bytes, 1) + small_step - 1) / small_step * small_step;
  const std::size_t step = std::bit_floor(bytes) / 8;
  return (bytes + step - 1) / step * step;
}

CachingAllocator::Block CachingAllocator::allocate(std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  const std::size_t size = block_size(bytes);
  const auto found = cached_.find(size);
  if (found != cached_.end() && !found->second.empty() && (limit_ == 0 || in_use_ + size <= limit_)) {
    const std::uintptr_t handle = found->second.back();
    found->second.pop_back();
    in_use_ += size;
    return {handle, size};
  }
  if (limit_ != 0) {
    if (in_use_ + size > limit_) fail(bytes, "the memory limit");
    if (held_ + size > limit_) release_cached(held_ + size - limit_);
  }
  std::uintptr_t handle = source_.allocate(size);
  if (handle == 0 && held_ > in_use_) {
    release_cached(held_ - in_use_);
    handle = source_.allocate(size);
  }
  if (handle == 0) fail(bytes, "the free memory of the device");
  held_ += size;
  in_use_ += size;
  peak_ = std::max(peak_, held_);
  return {handle, size};
}

void CachingAllocator::give_back(Block block) noexcept {
  const std::scoped_lock lock(mutex_);
  in_use_ -= block.bytes;
  try {
    cached_[block.bytes].push_back(block.handle);
  } catch (...) {  // no host memory to remember it by
    source_.release(block.handle);
    held_ -= block.bytes;
  }
}

void CachingAllocator::trim() noexcept {
  const std::scoped_lock lock(mutex_);
  release_cached(held_ - in_use_);
}

void CachingAllocator::release_cached(std::uint64_t at_least) noexcept {
  std::uint64_t released = 0;
  for (auto entry = cached_.rbegin(); entry != cached_.rend() && released < at_least; ++entry) {
    while (!entry->second.empty() && released < at_least) {
      source_.release(entry->second.back());
      entry->second.pop_back();
      released += entry->first;
    }
  }
  held_ -= released;
}

void CachingAllocator::fail(std::size_t bytes, const char* cause) const {
  const std::string limit = limit_ == 0 ? "none" : readable(limit_);
  throw MemoryError(fmt::format("{}: out of memory: need {}, which exceeds {} (limit {}, held {}, of which {} in use)",
                                source_.device_id, readable(bytes), cause, limit, readable(held_), readable(in_use_)),
                    "Lower the batch or the layer sizes, or raise the memory limit (--memory-limit).");
}

void CachingAllocator::set_limit(std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  limit_ = bytes;
  if (limit_ != 0 && held_ > limit_) release_cached(held_ - limit_);
}

std::uint64_t CachingAllocator::limit() const {
  const std::scoped_lock lock(mutex_);
  return limit_;
}
std::uint64_t CachingAllocator::held() const {
  const std::scoped_lock lock(mutex_);
  return held_;
}
std::uint64_t CachingAllocator::in_use() const {
  const std::scoped_lock lock(mutex_);
  return in_use_;
}
std::uint64_t CachingAllocator::peak() const {
  const std::scoped_lock lock(mutex_);
  return peak_;
}

}  // namespace overtake::backend
