// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace overtake::backend {

class Device;

/// A piece of one device's memory; returned to the device's cache on destruction. Alignment is at least 256 bytes.
class Buffer {
 public:
  Buffer(Device& device, std::size_t bytes) noexcept : device_(device), bytes_(bytes) {}
  virtual ~Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  [[nodiscard]] Device& device() const noexcept { return device_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// The backend's own handle: a host pointer (cpu), a CUdeviceptr (cuda), a cl_mem (opencl), 0 (null). Who asks for it
  /// is about to use the buffer in Lane::work, which waits from here on for a copy into it that is still under way.
  [[nodiscard]] virtual std::uintptr_t handle() const = 0;

 private:
  Device& device_;
  std::size_t bytes_;
};

}  // namespace overtake::backend
