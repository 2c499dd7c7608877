// SPDX-License-Identifier: MIT
// What the tests of kernels of the user's own share.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "core/sanitized.hpp"
#include "oracle/devices.hpp"
#include "overtake/kernel.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {

class UserKernels : public OnEveryDevice {
 protected:
  void SetUp() override {
    OnEveryDevice::SetUp();
#ifdef OVERTAKE_THREAD_SANITIZER
    // It sees neither what compiled kernels do nor their atomics.
    if (GetParam().id == "cpu") GTEST_SKIP() << "kernels that are compiled at run time are not instrumented";
#endif
  }
};

inline std::vector<float> random_floats(std::size_t n, float low = -2, float high = 2) {
  std::mt19937 random(std::random_device{}());
  std::vector<float> values(n);
  for (float& value : values) value = std::uniform_real_distribution<float>(low, high)(random);
  return values;
}

inline Array on(const Device& device, const std::vector<float>& values) {
  return Array::from(values, Shape{static_cast<std::int64_t>(values.size())}, device);
}

/// What a call says when it throws.
template <typename Call>
std::string complaint(const Call& call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

inline void expect_has(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << " is not in: " << text;
}

}  // namespace overtake::oracle
