// SPDX-License-Identifier: MIT
#include "backend/cuda/backend.hpp"

#include <fmt/format.h>

#include "backend/cuda/code/precompiled.hpp"
#include "backend/cuda/driver/driver_trial.hpp"
#include "backend/cuda/driver/vendor_libraries.hpp"
#include "core/config.hpp"
#include "overtake/error.hpp"
#include "platform/kept_state.hpp"

namespace overtake::backend::cuda {

CudaBackend::CudaBackend()
    : CudaBackend(
          Environment{[] { return Library({"libcuda.so.1"}); }, [] { return read_host_facts(); }, nullptr, true}) {}

const DriverStart& CudaBackend::driver() {
  const std::lock_guard lock(mutex_);
  if (driver_) return *driver_;
  if (environment_.driver_functions) {
    driver_ = start_driver(environment_.driver_functions, environment_.host_facts());
    return *driver_;
  }
  if (environment_.is_tried) {
    if (auto trouble = start_trouble()) {
      driver_.emplace();
      driver_->trouble = std::move(trouble);
      return *driver_;
    }
  }
  const platform::KeptState kept;
  library_ = environment_.open_driver();
  if (!library_.loaded()) {
    driver_.emplace();
    driver_->trouble = explain_missing_driver(environment_.host_facts(), library_.reasons());
    return *driver_;
  }
  const SymbolLookup lookup = [this](const char* name) { return reinterpret_cast<void*>(library_.find<void()>(name)); };
  driver_ = start_driver(lookup, environment_.host_facts());
  return *driver_;
}

const std::optional<Trouble>& CudaBackend::kernel_trouble() {
  const int version = driver().version;
  const std::lock_guard lock(mutex_);
  if (kernels_looked_for_) return kernel_trouble_;
  kernels_looked_for_ = true;
  if (has_precompiled(version)) return kernel_trouble_;
  if (!config::vendor_libraries()) {
    kernel_trouble_ = explain_no_kernels("OVERTAKE_VENDOR_LIBRARIES is no", version);
  } else if (Library nvrtc(vendor_library_candidates("libnvrtc", version)); nvrtc.loaded()) {
    keep_open(std::move(nvrtc));  // opening a device wants it again
  } else {
    kernel_trouble_ = explain_no_kernels(nvrtc.reasons(), version);
  }
  return kernel_trouble_;
}

std::vector<CudaBackend::Looked> CudaBackend::look() {
  const DriverStart& start = driver();
  const auto& kernels = kernel_trouble();
  std::vector<Looked> all;
  for (DeviceInfo& info : describe_devices(start, driver_text(start.version))) {
    Looked looked;
    if (!info.usable) {
      looked.trouble = Trouble{info.reason, info.hint, info.name.empty() ? "device-lost" : "device-old",
                               info.name.empty() ? info.reason : fmt::format("{}: {}", info.name, info.reason)};
    } else if (kernels) {
      looked.trouble = kernels;
    } else if (environment_.is_tried) {
      const auto trial = known_result(device_trial(info));
      if (trial && !trial->trouble.empty()) {
        looked.trouble = Trouble{trial->trouble, trial->hint, trial->finding, trial->trouble};
      }
    }
    looked.info = std::move(info);
    if (looked.trouble) {
      looked.info.usable = false;
      looked.info.reason = looked.trouble->reason;
      looked.info.hint = looked.trouble->hint;
    }
    all.push_back(std::move(looked));
  }
  return all;
}

std::vector<DeviceInfo> CudaBackend::list() {
  const DriverStart& start = driver();
  if (start.trouble) return {unusable_device(*start.trouble)};
  std::vector<DeviceInfo> all;
  for (Looked& looked : look()) all.push_back(std::move(looked.info));
  return all;
}

std::unique_ptr<CudaDevice> CudaBackend::open(int index, DeviceSettings settings) {
  std::vector<DeviceInfo> all = list();
  if (driver().trouble) throw DeviceError(fmt::format("cuda:{} cannot be used: {}", index, all[0].reason), all[0].hint);
  if (index < 0 || index >= static_cast<int>(all.size())) {
    throw DeviceError(fmt::format("cuda:{} does not exist: this machine has {} CUDA device{}", index, all.size(),
                                  all.size() == 1 ? "" : "s"),
                      fmt::format("use cuda:0{}", all.size() > 1 ? fmt::format(" to cuda:{}", all.size() - 1) : ""));
  }
  DeviceInfo& info = all[static_cast<std::size_t>(index)];
  if (!info.usable)
    throw DeviceError(fmt::format("cuda:{} ({}) cannot be used: {}", index, info.name, info.reason), info.hint);
  if (environment_.is_tried) {
    if (const TrialResult trial = try_driver(device_trial(info)); !trial.trouble.empty())
      throw DeviceError(fmt::format("cuda:{} ({}) cannot be used: {}", index, info.name, trial.trouble), trial.hint);
  }
  const DriverStart& start = driver();
  const platform::KeptState kept;
  return std::make_unique<CudaDevice>(start.api, start.version, index, std::move(info), settings);
}

}  // namespace overtake::backend::cuda
