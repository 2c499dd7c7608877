// SPDX-License-Identifier: MIT
#include "backend/cuda/run/host_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>

#include "backend/cuda/driver/errors.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

/// The pieces that live, by their first address.
class Ranges {
 public:
  void add(const void* data, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    ranges_[reinterpret_cast<std::uintptr_t>(data)] = bytes;
    count_ = ranges_.size();
  }
  void remove(const void* data) {
    const std::lock_guard lock(mutex_);
    ranges_.erase(reinterpret_cast<std::uintptr_t>(data));
    count_ = ranges_.size();
  }
  [[nodiscard]] bool hold(const void* data, std::size_t bytes) {
    if (count_ == 0) return false;  // most programs have none
    const auto address = reinterpret_cast<std::uintptr_t>(data);
    const std::lock_guard lock(mutex_);
    auto after = ranges_.upper_bound(address);
    if (after == ranges_.begin()) return false;
    --after;
    const std::uintptr_t offset = address - after->first;
    return offset <= after->second && bytes <= after->second - offset;
  }

 private:
  std::mutex mutex_;
  std::map<std::uintptr_t, std::size_t> ranges_;
  std::atomic<std::size_t> count_{0};
};

Ranges& ranges() {
  static auto& all = *std::make_unique<Ranges>().release();  // memory may be freed as the process ends
  return all;
}

class PageLocked final : public HostMemory {
 public:
  PageLocked(HostMemoryHandle handle, std::size_t bytes) : HostMemory(handle.get(), bytes), handle_(std::move(handle)) {
    ranges().add(data(), bytes);
  }
  ~PageLocked() override { ranges().remove(data()); }

 private:
  HostMemoryHandle handle_;
};

}  // namespace

std::unique_ptr<HostMemory> allocate_page_locked(const DriverApi& api, std::size_t bytes) {
  void* memory = nullptr;
  const CUresult code = api.cuMemHostAlloc(&memory, std::max<std::size_t>(bytes, 1), locked_for_all_contexts);
  if (code == CUDA_ERROR_OUT_OF_MEMORY) {
    throw DeviceError(fmt::format("{} bytes of page-locked memory are not to be had", bytes),
                      "Page-locked memory cannot be swapped out, so systems limit it: copy in smaller pieces.");
  }
  check(api, code, "allocating page-locked host memory");
  return std::make_unique<PageLocked>(HostMemoryHandle(memory, api.cuMemFreeHost), bytes);
}

bool is_page_locked(const void* data, std::size_t bytes) { return ranges().hold(data, bytes); }

}  // namespace overtake::backend::cuda
