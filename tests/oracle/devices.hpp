// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "overtake/device.hpp"

namespace overtake::oracle {

/// Runs `body` once on every usable processor. The others are named in the log with the reason why they were left out.
template <class Body>
void on_every_device(const Body& body) {
  for (const DeviceInfo& info : list_devices()) {
    SCOPED_TRACE(info.id);
    if (!info.usable) {
      std::printf("[ LEFT OUT ] %s: %s\n", info.id.c_str(), info.reason.c_str());
      continue;
    }
    body(Device(info.id));
  }
}

}  // namespace overtake::oracle
