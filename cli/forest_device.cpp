// SPDX-License-Identifier: MIT
#include "forest_device.hpp"

#include <fmt/format.h>

#include "overtake/device.hpp"

namespace cli {

ForestDevice choose_forest_device(const std::string& wanted) {
  if (wanted != "auto") {
    return {overtake::Device(wanted).id(), "as asked for"};
  }
  std::string reason = "no GPU backend in this build";
  for (const overtake::DeviceInfo& info : overtake::list_devices()) {
    if (info.backend != "cuda") {
      continue;
    }
    if (info.usable) {
      return {info.id, fmt::format("{} can be used", info.name.empty() ? "a GPU" : info.name)};
    }
    reason = fmt::format("{} cannot be used: {}", info.id, info.reason);
  }
  return {"cpu", reason};
}

}  // namespace cli
