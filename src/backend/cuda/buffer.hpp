// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <mutex>

#include "backend/api/buffer.hpp"
#include "backend/common/caching_allocator.hpp"
#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

class CudaDevice;

/// Memory of a GPU that knows of copies from and to it outside of the work stream.
class CudaBuffer final : public Buffer {
 public:
  /// `unused_from`: of memory for copies into it, the event after which no work uses what it held before.
  CudaBuffer(CudaDevice& device, std::size_t bytes, CachingAllocator::Block block, EventHandle unused_from = {});
  /// Whoever gets the block next comes after all that uses it now.
  ~CudaBuffer() override;

  /// The address, for use in the work stream: which waits from here on for a copy that is still on its way into it.
  [[nodiscard]] std::uintptr_t handle() const override;

  /// The address, for a stream that waits for what it must by itself.
  [[nodiscard]] CUdeviceptr address() const noexcept { return block_.handle; }
  /// Null: not for copies into it.
  [[nodiscard]] CUevent unused_from() const noexcept { return unused_from_.get(); }
  /// A copy into it is enqueued, which is over at this event.
  void set_arriving(EventHandle arrived);
  /// A copy from it is enqueued, which is over at this event.
  void set_leaving(EventHandle left);

 private:
  CudaDevice& owner_;
  CachingAllocator::Block block_;
  EventHandle unused_from_;
  mutable std::mutex mutex_;
  mutable std::atomic<bool> is_arriving_{false};
  EventHandle arrived_, left_;
};

}  // namespace overtake::backend::cuda
