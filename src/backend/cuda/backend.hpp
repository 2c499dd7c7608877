// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "backend/api/device.hpp"
#include "backend/common/library_loader.hpp"
#include "backend/cuda/device.hpp"
#include "backend/cuda/driver/discovery.hpp"

namespace overtake::backend::cuda {

/// NVIDIA GPUs through the CUDA driver, which is opened at the first use.
class CudaBackend final : public Backend {
 public:
  /// Where the driver comes from and what the machine says; tests put their own in.
  struct Environment {
    std::function<Library()> open_driver;
    std::function<HostFacts()> host_facts;
    SymbolLookup driver_functions = nullptr;  ///< where set, they are the driver, and no library is opened
    bool is_tried =
        false;  ///< in a child process first (backend/common/trial/driver_trial.hpp), where it is a real driver
  };

  CudaBackend();
  explicit CudaBackend(Environment environment) : environment_(std::move(environment)) {}

  [[nodiscard]] std::string_view name() const override { return "cuda"; }
  [[nodiscard]] std::vector<DeviceInfo> list() override;
  [[nodiscard]] BackendDetails details() override;
  [[nodiscard]] std::unique_ptr<Device> open(int index) override { return open(index, DeviceSettings::usual()); }
  [[nodiscard]] std::unique_ptr<CudaDevice> open(int index, DeviceSettings settings);

 private:
  /// A device, and why it cannot be used, if so.
  struct Looked {
    DeviceInfo info;
    std::optional<Trouble> trouble;
  };
  /// All devices of a driver that works.
  std::vector<Looked> look();
  const DriverStart& driver();
  /// Why no kernel can run here, if so.
  const std::optional<Trouble>& kernel_trouble();

  Environment environment_;
  std::mutex mutex_;
  Library library_;
  std::optional<DriverStart> driver_;
  bool kernels_looked_for_ = false;
  std::optional<Trouble> kernel_trouble_;
};

}  // namespace overtake::backend::cuda
