// SPDX-License-Identifier: MIT
#include "backend/cuda/backend.hpp"

#include <fmt/format.h>

#include "backend/cuda/driver_trial.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {

CudaBackend::CudaBackend()
    : CudaBackend(Environment{[] { return Library({"libcuda.so.1"}); }, [] { return read_host_facts(); }, true}) {}

const DriverStart& CudaBackend::driver() {
  const std::lock_guard lock(mutex_);
  if (driver_) return *driver_;
  if (environment_.is_tried) {
    if (auto trouble = start_trouble()) {
      driver_.emplace();
      driver_->trouble = std::move(trouble);
      return *driver_;
    }
  }
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

std::vector<DeviceInfo> CudaBackend::list() {
  const DriverStart& start = driver();
  if (start.trouble) return {unusable_device(*start.trouble)};
  std::vector<DeviceInfo> all = describe_devices(start, driver_text(start.version));
  for (DeviceInfo& info : all) {
    if (!environment_.is_tried || !info.usable) continue;
    if (auto trial = known_result(device_trial(info)); trial && !trial->trouble.empty()) {
      info.usable = false;
      info.reason = std::move(trial->trouble);
      info.hint = std::move(trial->hint);
    }
  }
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
  return std::make_unique<CudaDevice>(driver().api, driver().version, index, std::move(info), settings);
}

}  // namespace overtake::backend::cuda
