// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace overtake::backend {

/// Keeps returned memory of one device for the next request of about the same size, because the drivers' own
/// allocation is slow and may wait for the device.
///
/// A returned block may be handed out again at once. That is correct for a device whose work is ordered (one stream or
/// one in-order queue), because the new user's work comes after the old user's. Thread-safe.
class CachingAllocator {
 public:
  /// The driver's allocation. `allocate` returns 0 when the device has no memory left; `release` must not throw.
  struct Source {
    std::function<std::uintptr_t(std::size_t bytes)> allocate;
    std::function<void(std::uintptr_t handle)> release;
    std::string device_id;  ///< for messages: "cuda:0"
  };

  /// `bytes` is the size of the block, at least what was asked for.
  struct Block {
    std::uintptr_t handle = 0;
    std::size_t bytes = 0;
  };

  explicit CachingAllocator(Source source) : source_(std::move(source)) {}
  /// Releases the cached blocks. Blocks still in use are their holders' to release before.
  ~CachingAllocator();
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  /// A block of at least `bytes` (0 counts as 1). Throws DeviceError with need, limit and held bytes when the block
  /// does not fit under the limit or the device, after giving cached blocks back to the driver.
  [[nodiscard]] Block allocate(std::size_t bytes);
  /// Returns a block to the cache.
  void give_back(Block block) noexcept;
  /// Releases every cached block to the driver.
  void trim() noexcept;

  /// Most bytes that may be held; 0 means no limit. A limit below what is in use stops further allocations only.
  void set_limit(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t limit() const;
  /// Bytes taken from the driver: in use or cached.
  [[nodiscard]] std::uint64_t held() const;
  /// Bytes handed out and not yet given back.
  [[nodiscard]] std::uint64_t in_use() const;
  /// The most `held()` ever was.
  [[nodiscard]] std::uint64_t peak() const;

  /// The size of the block that serves a request: multiples of 512 bytes up to 1 MiB, then eight steps per power of
  /// two, so that at most an eighth is wasted.
  [[nodiscard]] static std::size_t block_size(std::size_t bytes);

 private:
  void release_cached(std::uint64_t at_least) noexcept;
  [[noreturn]] void fail(std::size_t bytes, const char* cause) const;

  Source source_;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<std::uintptr_t>> cached_;  // by block size
  std::uint64_t limit_ = 0;
  std::uint64_t held_ = 0;
  std::uint64_t in_use_ = 0;
  std::uint64_t peak_ = 0;
};

}  // namespace overtake::backend
