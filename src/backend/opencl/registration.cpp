// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "backend/api/registry.hpp"
#include "backend/opencl/device.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::opencl {
namespace {

class OpenClBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "opencl"; }

  [[nodiscard]] std::vector<DeviceInfo> list() override {
    const Discovery discovery = discover();
    std::vector<DeviceInfo> infos;
    for (const FoundDevice& found : discovery.devices) infos.push_back(found.info);
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
      throw DeviceError(
          fmt::format("opencl:{}: there is no such device", index),
          fmt::format("This machine has opencl:0 to opencl:{}; see `overtake devices`.", discovery.devices.size() - 1));
    }
    FoundDevice& found = discovery.devices[static_cast<std::size_t>(index)];
    if (!found.info.usable) throw DeviceError(found.info.id + ": " + found.info.reason, found.info.hint);
    return std::make_unique<OpenClDevice>(std::move(found));
  }
};

OpenClBackend instance;
const Registration registration(20, instance);

}  // namespace
}  // namespace overtake::backend::opencl
