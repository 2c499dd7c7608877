// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "backend/api/registry.hpp"
#include "backend/opencl/device.hpp"
#include "backend/opencl/driver_trial.hpp"
#include "overtake/error.hpp"
#include "platform/kept_state.hpp"

namespace overtake::backend::opencl {
namespace {

/// The device with what is known of it from trials. One that was not tried yet counts as usable.
DeviceInfo as_known(const FoundDevice& found) {
  DeviceInfo info = found.info;
  if (!info.usable) return info;
  if (auto trial = known_result(device_trial(found)); trial && !trial->trouble.empty()) {
    info.usable = false;
    info.reason = std::move(trial->trouble);
    info.hint = std::move(trial->hint);
  }
  return info;
}

class OpenClBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "opencl"; }

  [[nodiscard]] std::vector<DeviceInfo> list() override {
    const Discovery discovery = discover();
    std::vector<DeviceInfo> infos;
    for (const FoundDevice& found : discovery.devices) infos.push_back(as_known(found));
    if (!infos.empty()) return infos;
    DeviceInfo none;
    none.id = none.backend = none.name = "opencl";
    none.usable = false;
    none.reason = discovery.reason;
    none.hint = discovery.hint;
    return {none};
  }

  [[nodiscard]] std::unique_ptr<Device> open(int index) override {
    Discovery discovery = discover();
    if (discovery.devices.empty()) throw DeviceError("opencl: " + discovery.reason, discovery.hint);
    if (index < 0 || static_cast<std::size_t>(index) >= discovery.devices.size()) {
      const std::string last =
          discovery.devices.size() == 1 ? "" : fmt::format(" to opencl:{}", discovery.devices.size() - 1);
      throw DeviceError(fmt::format("opencl:{}: there is no such device", index),
                        fmt::format("This machine has opencl:0{}; see `overtake devices`.", last));
    }
    FoundDevice& found = discovery.devices[static_cast<std::size_t>(index)];
    if (!found.info.usable) throw DeviceError(found.info.id + ": " + found.info.reason, found.info.hint);
    const TrialResult trial = try_driver(device_trial(found));
    if (!trial.trouble.empty()) throw DeviceError(found.info.id + ": " + trial.trouble, trial.hint);
    const platform::KeptState kept;
    return std::make_unique<OpenClDevice>(std::move(found));
  }
};

OpenClBackend instance;
const Registration registration(20, instance);

}  // namespace
}  // namespace overtake::backend::opencl
