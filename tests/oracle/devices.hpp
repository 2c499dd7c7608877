// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "overtake/device.hpp"
#include "overtake/error.hpp"

namespace overtake {

/// What test listings show of a device.
inline void PrintTo(const DeviceInfo& info, std::ostream* out) { *out << info.id; }

}  // namespace overtake

namespace overtake::oracle {

/// Why a processor cannot be used; empty if it can. Opens it, which at a driver's first use tries the driver.
[[nodiscard]] inline std::string trouble_of(const DeviceInfo& info) {
  if (!info.usable) return info.reason;
  try {
    (void)Device(info.id);
    return {};
  } catch (const DeviceError& error) {
    return error.what();
  }
}

/// A test body that runs once on every processor this build knows of; one that cannot be used is skipped with the
/// reason. Test names end in the processor's id: --gtest_filter='*cuda_0'.
class OnEveryDevice : public ::testing::TestWithParam<DeviceInfo> {
 protected:
  void SetUp() override {
    if (const std::string trouble = trouble_of(GetParam()); !trouble.empty()) {
      GTEST_SKIP() << GetParam().id << ": " << trouble;
    }
  }
  [[nodiscard]] static Device device() { return Device(GetParam().id); }
};

inline std::string device_name(const ::testing::TestParamInfo<DeviceInfo>& info) {
  std::string name = info.param.id;
  for (char& c : name) c = c == ':' ? '_' : c;
  return name;
}

}  // namespace overtake::oracle
