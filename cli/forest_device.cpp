// SPDX-License-Identifier: MIT
#include "forest_device.hpp"

#include <fmt/format.h>

#include "overtake/device.hpp"

namespace cli {

ForestDevice choose_forest_device(const std::string& wanted) {
  if (wanted != "auto") {
    return {overtake::Device(wanted).id(), "as asked for"};
  }
  for (const overtake::DeviceInfo& info : overtake::list_devices()) {
    if (info.backend == "cuda" && info.usable) {
      return {info.id, fmt::format("{} can be used", info.name.empty() ? "this GPU" : info.name)};
    }
  }
  return {"cpu", "no GPU can be used; \"overtake devices\" says why"};
}

}  // namespace cli
