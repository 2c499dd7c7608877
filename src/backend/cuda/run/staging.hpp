// SPDX-License-Identifier: MIT
// Copies between host and device through page-locked memory, so that the bus runs at full speed and the caller's memory
// may be reused on return.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>

#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

/// A ring of pieces of page-locked memory for each of a few threads: one piece is filled or emptied by the host while
/// others are in flight. Large copies take several threads, because one core copies slower than the bus. Allocated at
/// first use. Thread-safe.
class Staging {
 public:
  /// `make_current` makes the device's context current on the calling thread.
  Staging(const DriverApi& api, CUstream stream, std::function<void()> make_current)
      : api_(api), stream_(stream), make_current_(std::move(make_current)) {}

  /// Enqueues; `source` may be reused on return.
  void upload(CUdeviceptr destination, const void* source, std::size_t bytes);
  /// Waits for all earlier work of the stream.
  void download(void* destination, CUdeviceptr source, std::size_t bytes);

  static constexpr std::size_t half_bytes = std::size_t{1} << 20U;
  /// From here on several threads copy: below it one is done before the others would have begun.
  static constexpr std::size_t large_bytes = 8 * half_bytes;

 private:
  static constexpr std::size_t most_threads = 8;

  struct Half {
    HostMemoryHandle memory;
    EventHandle done;
    bool in_flight = false;
  };
  /// Of one thread.
  struct Pair {
    std::array<Half, 2> halves;
    std::size_t next = 0;
  };
  /// Every `step`th piece of a copy, from number `first` on.
  struct Share {
    std::size_t first = 0, step = 1, bytes = 0;
  };
  void prepare(Pair& pair);
  void wait(Half& half);
  void mark(Half& half);
  void upload_share(Pair& pair, CUdeviceptr destination, const std::byte* source, Share share);
  void download_share(Pair& pair, std::byte* destination, CUdeviceptr source, Share share);
  /// Calls work(pair, share) for the shares of a copy, on as many threads as it is worth.
  template <typename Work>
  void share_out(std::size_t bytes, const Work& work);

  const DriverApi& api_;
  CUstream stream_;
  std::function<void()> make_current_;
  std::mutex mutex_;
  std::array<Pair, most_threads> pairs_;
};

}  // namespace overtake::backend::cuda
