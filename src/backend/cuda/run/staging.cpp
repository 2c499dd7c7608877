// SPDX-License-Identifier: MIT
#include "backend/cuda/run/staging.hpp"

#include <algorithm>
#include <cstring>

#include "backend/cuda/driver/errors.hpp"
#include "core/parallel.hpp"

namespace overtake::backend::cuda {

void Staging::prepare(Pair& pair) {
  for (Half& half : pair.halves) {
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

template <typename Work>
void Staging::share_out(std::size_t bytes, const Work& work) {
  const std::lock_guard lock(mutex_);
  const std::size_t threads =
      bytes < large_bytes ? 1 : std::clamp<std::size_t>(static_cast<std::size_t>(thread_count()), 1, most_threads);
  for (std::size_t i = 0; i < threads; ++i) prepare(pairs_[i]);
  (void)parallel_for(threads, static_cast<int>(threads), [&](std::size_t i) {
    if (threads > 1) make_current_();
    work(pairs_[i], Share{i, threads, bytes});
  });
}

void Staging::upload_share(Pair& pair, CUdeviceptr destination, const std::byte* source, Share share) {
  for (std::size_t at = share.first * half_bytes; at < share.bytes; at += share.step * half_bytes) {
    const std::size_t part = std::min(half_bytes, share.bytes - at);
    Half& half = pair.halves[pair.next];
    pair.next = 1 - pair.next;
    wait(half);
    std::memcpy(half.memory.get(), source + at, part);
    check(api_, api_.cuMemcpyHtoDAsync(destination + at, half.memory.get(), part, stream_), "copying to the GPU");
    mark(half);
  }
}

void Staging::upload(CUdeviceptr destination, const void* source, std::size_t bytes) {
  share_out(bytes, [&](Pair& pair, Share share) {
    upload_share(pair, destination, static_cast<const std::byte*>(source), share);
  });
}

void Staging::download_share(Pair& pair, std::byte* destination, CUdeviceptr source, Share share) {
  for (Half& half : pair.halves) wait(half);
  struct Part {
    Half* half = nullptr;
    std::size_t at = 0;
    std::size_t bytes = 0;
  } before;
  const auto finish = [&](const Part& part) {
    if (part.half == nullptr) return;
    wait(*part.half);
    std::memcpy(destination + part.at, part.half->memory.get(), part.bytes);
  };
  for (std::size_t at = share.first * half_bytes; at < share.bytes; at += share.step * half_bytes) {
    const Part part{&pair.halves[pair.next], at, std::min(half_bytes, share.bytes - at)};
    pair.next = 1 - pair.next;
    check(api_, api_.cuMemcpyDtoHAsync(part.half->memory.get(), source + at, part.bytes, stream_),
          "copying from the GPU");
    mark(*part.half);
    finish(before);
    before = part;
  }
  finish(before);
}

void Staging::download(void* destination, CUdeviceptr source, std::size_t bytes) {
  share_out(bytes, [&](Pair& pair, Share share) {
    download_share(pair, static_cast<std::byte*>(destination), source, share);
  });
}

}  // namespace overtake::backend::cuda
