// SPDX-License-Identifier: MIT
#include "backend/cuda/run/staging.hpp"

#include <algorithm>
#include <cstring>

#include "backend/cuda/driver/errors.hpp"

namespace overtake::backend::cuda {

void Staging::prepare() {
  for (Half& half : halves_) {
    if (!half.memory) {
      void* memory = nullptr;
      check(api_, api_.cuMemHostAlloc(&memory, half_bytes, 0), "allocating page-locked host memory");
      half.memory = {memory, api_.cuMemFreeHost};
    }
    if (!half.done) {
      CUevent event = nullptr;
      check(api_, api_.cuEventCreate(&event, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
      half.done = {event, api_.cuEventDestroy};
    }
  }
}

void Staging::wait(Half& half) {
  if (!half.in_flight) return;
  half.in_flight = false;
  check(api_, api_.cuEventSynchronize(half.done.get()), "waiting for the GPU");
}

void Staging::mark(Half& half) {
  check(api_, api_.cuEventRecord(half.done.get(), stream_), "cuEventRecord");
  half.in_flight = true;
}

void Staging::upload(CUdeviceptr destination, const void* source, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  prepare();
  const auto* from = static_cast<const std::byte*>(source);
  for (std::size_t at = 0; at < bytes; at += half_bytes) {
    const std::size_t part = std::min(half_bytes, bytes - at);
    Half& half = halves_[next_];
    next_ = 1 - next_;
    wait(half);
    std::memcpy(half.memory.get(), from + at, part);
    check(api_, api_.cuMemcpyHtoDAsync(destination + at, half.memory.get(), part, stream_), "copying to the GPU");
    mark(half);
  }
}

void Staging::download(void* destination, CUdeviceptr source, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  prepare();
  for (Half& half : halves_) wait(half);
  auto* to = static_cast<std::byte*>(destination);
  struct Part {
    Half* half = nullptr;
    std::size_t at = 0;
    std::size_t bytes = 0;
  } before;
  const auto finish = [&](const Part& part) {
    if (part.half == nullptr) return;
    wait(*part.half);
    std::memcpy(to + part.at, part.half->memory.get(), part.bytes);
  };
  for (std::size_t at = 0; at < bytes; at += half_bytes) {
    const Part part{&halves_[next_], at, std::min(half_bytes, bytes - at)};
    next_ = 1 - next_;
    check(api_, api_.cuMemcpyDtoHAsync(part.half->memory.get(), source + at, part.bytes, stream_),
          "copying from the GPU");
    mark(*part.half);
    finish(before);
    before = part;
  }
  finish(before);
}

}  // namespace overtake::backend::cuda
