// SPDX-License-Identifier: MIT
#include "forest_device.hpp"

#include "overtake/device.hpp"

namespace cli {

overtake::ForestPlacement forest_device(const std::string& wanted, double work) {
  if (wanted != "auto") {
    return {overtake::Device(wanted).id(), "as asked for"};
  }
  return overtake::choose_forest_device(work);
}

void check_forest_device(const std::string& wanted) {
  if (wanted != "auto") {
    (void)overtake::Device(wanted).id();
  }
}

}  // namespace cli
