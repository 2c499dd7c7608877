// SPDX-License-Identifier: MIT
// Memory of somebody else as a buffer.
#pragma once

#include <memory>
#include <utility>

#include "backend/api/device.hpp"

namespace overtake::backend {

/// Memory that another library owns: read here, never written to, and given back by letting go of `owner` when nothing
/// here reads it any more. It is not counted as the device's.
class ForeignBuffer final : public Buffer {
 public:
  ForeignBuffer(Device& device, std::uintptr_t handle, std::size_t bytes, std::shared_ptr<void> owner) noexcept
      : Buffer(device, bytes), handle_(handle), owner_(std::move(owner)) {}
  /// Waits for the device's work, which may read it still.
  ~ForeignBuffer() override {
    try {
      device().synchronize();
    } catch (...) {  // NOLINT(bugprone-empty-catch): a device that failed reads nothing more
    }
  }
  [[nodiscard]] std::uintptr_t handle() const noexcept override { return handle_; }

 private:
  std::uintptr_t handle_;
  std::shared_ptr<void> owner_;
};

}  // namespace overtake::backend
