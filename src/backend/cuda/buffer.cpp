// SPDX-License-Identifier: MIT
#include "backend/cuda/buffer.hpp"

#include <utility>

#include "backend/cuda/device.hpp"

namespace overtake::backend::cuda {

CudaBuffer::CudaBuffer(CudaDevice& device, std::size_t bytes, CachingAllocator::Block block, EventHandle unused_from)
    : Buffer(device, bytes), owner_(device), block_(block), unused_from_(std::move(unused_from)) {}

CudaBuffer::~CudaBuffer() {
  owner_.take_back(block_, unused_from() != nullptr, is_arriving_ ? arrived_.get() : nullptr, left_.get());
}

std::uintptr_t CudaBuffer::handle() const {
  if (is_arriving_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(mutex_);
    // Another thread sees the flag fall only once the stream waits.
    if (is_arriving_) owner_.wait_in(owner_.stream(), arrived_.get());
    is_arriving_.store(false, std::memory_order_release);
  }
  return block_.handle;
}

void CudaBuffer::set_arriving(EventHandle arrived) {
  const std::lock_guard lock(mutex_);
  arrived_ = std::move(arrived);
  is_arriving_.store(true, std::memory_order_release);
}

void CudaBuffer::set_leaving(EventHandle left) {
  const std::lock_guard lock(mutex_);
  left_ = std::move(left);  // copies out of the device are in order: the last is over last
}

}  // namespace overtake::backend::cuda
