// SPDX-License-Identifier: MIT
// The three queues of a device and the marks in them: docs/adr/0020-three-streams-a-device.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace overtake::backend {

/// A queue of one device; what is in one happens in order. Devices without queues of their own for copies have all
/// three in one.
enum class Lane : std::uint8_t {
  work,      ///< kernels, copies on the device, and copies that the host waits for
  upload,    ///< Device::upload_async()
  download,  ///< Device::download_async()
};

/// A place in a lane: passed when all that was asked of the lane before is done.
class Mark {
 public:
  virtual ~Mark() = default;
  /// Whether it is passed. Does not wait.
  [[nodiscard]] virtual bool is_passed() const = 0;
  /// Waits until it is passed.
  virtual void wait() const = 0;
  /// Seconds from when `earlier`, of the same device, was passed until this one was. Waits for both.
  [[nodiscard]] virtual double seconds_since(const Mark& earlier) const = 0;
};

/// A mark by the host's clock, for devices that are done when a call returns.
class HostMark final : public Mark {
 public:
  [[nodiscard]] bool is_passed() const override { return true; }
  void wait() const override {}
  [[nodiscard]] double seconds_since(const Mark& earlier) const override;

 private:
  std::chrono::steady_clock::time_point time_ = std::chrono::steady_clock::now();
};

/// Memory of the host that a device copies from and to, page-locked where that makes copies faster.
class HostMemory {
 public:
  HostMemory(void* data, std::size_t bytes) noexcept : data_(data), bytes_(bytes) {}
  virtual ~HostMemory() = default;
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;
  [[nodiscard]] void* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  void* data_;
  std::size_t bytes_;
};

/// Ordinary memory, aligned for vectors and pages. Throws DeviceError when there is none left.
[[nodiscard]] std::unique_ptr<HostMemory> ordinary_host_memory(std::size_t bytes);

}  // namespace overtake::backend
