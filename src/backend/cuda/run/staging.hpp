// SPDX-License-Identifier: MIT
// Copies between host and device through page-locked memory, so that the bus runs at full speed and the caller's memory
// may be reused on return.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>

#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

/// Two halves of page-locked memory that take turns: one is filled or emptied by the host while the other is in flight.
/// Allocated at first use. Needs the device's context current. Thread-safe.
class Staging {
 public:
  Staging(const DriverApi& api, CUstream stream) : api_(api), stream_(stream) {}

  /// Enqueues; `source` may be reused on return.
  void upload(CUdeviceptr destination, const void* source, std::size_t bytes);
  /// Waits for all earlier work of the stream.
  void download(void* destination, CUdeviceptr source, std::size_t bytes);

  static constexpr std::size_t half_bytes = std::size_t{1} << 20U;

 private:
  struct Half {
    HostMemoryHandle memory;
    EventHandle done;
    bool in_flight = false;
  };
  void prepare();
  void wait(Half& half);
  void mark(Half& half);

  const DriverApi& api_;
  CUstream stream_;
  std::mutex mutex_;
  std::array<Half, 2> halves_;
  std::size_t next_ = 0;
};

}  // namespace overtake::backend::cuda
