// SPDX-License-Identifier: MIT
#include "backend/cuda/run/transfer_clock.hpp"

#include "backend/cuda/driver/errors.hpp"

namespace overtake::backend::cuda {

void TransferClock::prepare(Copy& copy) {
  for (EventHandle* handle : {&copy.before, &copy.after}) {
    if (*handle) continue;
    CUevent event = nullptr;
    check(api_, api_.cuEventCreate(&event, CU_EVENT_DEFAULT), "cuEventCreate");
    *handle = {event, api_.cuEventDestroy};
  }
}

void TransferClock::read(Copy& copy) {
  if (!copy.is_open) return;
  copy.is_open = false;
  if (api_.cuEventElapsedTime == nullptr) return;
  check(api_, api_.cuEventSynchronize(copy.after.get()), "waiting for the GPU");
  float milliseconds = 0;
  // Of a copy that another thread has not ended yet there is no time.
  if (api_.cuEventElapsedTime(&milliseconds, copy.before.get(), copy.after.get()) != CUDA_SUCCESS) return;
  (copy.direction == Direction::up ? seconds_.up : seconds_.down) += static_cast<double>(milliseconds) * 1e-3;
}

std::size_t TransferClock::begin(Direction direction, CUstream stream) {
  const std::lock_guard lock(mutex_);
  const std::size_t number = next_;
  next_ = (next_ + 1) % copies_.size();
  Copy& copy = copies_[number];
  read(copy);
  prepare(copy);
  copy.direction = direction;
  check(api_, api_.cuEventRecord(copy.before.get(), stream), "cuEventRecord");
  return number;
}

void TransferClock::end(std::size_t copy, CUstream stream) {
  const std::lock_guard lock(mutex_);
  check(api_, api_.cuEventRecord(copies_[copy].after.get(), stream), "cuEventRecord");
  copies_[copy].is_open = true;
}

TransferClock::Seconds TransferClock::take() {
  const std::lock_guard lock(mutex_);
  for (Copy& copy : copies_) read(copy);
  return std::exchange(seconds_, {});
}

}  // namespace overtake::backend::cuda
