// SPDX-License-Identifier: MIT
// Two devices work at the same time: each opens, and each plans, only once the other does, too.
#include <gtest/gtest.h>

#include <barrier>
#include <thread>

#include "backend/api/registry.hpp"
#include "backend/null/null_device.hpp"
#include "overtake/array.hpp"
#include "overtake/device.hpp"
#include "overtake/ops.hpp"

namespace overtake {
namespace {

/// Where the two devices meet. A lock that both need keeps the second away, and the test from ending.
std::barrier<>& meeting() {
  static std::barrier<> instance(2);
  return instance;
}

class MeetingDevice final : public backend::null::NullDevice {
 public:
  explicit MeetingDevice(int index) : NullDevice("meeting:" + std::to_string(index)) {}
  [[nodiscard]] std::unique_ptr<backend::Executable> compile(const backend::Schedule& schedule,
                                                             const backend::CompileOptions& options) override {
    meeting().arrive_and_wait();
    return NullDevice::compile(schedule, options);
  }
};

class MeetingBackend final : public backend::Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "meeting"; }
  [[nodiscard]] std::vector<DeviceInfo> list() override { return {}; }
  [[nodiscard]] std::unique_ptr<backend::Device> open(int index) override {
    meeting().arrive_and_wait();
    return std::make_unique<MeetingDevice>(index);
  }
};

MeetingBackend instance;
const backend::Registration registration(99, instance);

TEST(DeviceLocks, DevicesOpenAndPlanAtTheSameTime) {
  std::vector<float> sums(2, 1);
  const auto work = [&](int index) {
    const Device device("meeting:" + std::to_string(index));
    const Array a = ones(Shape{4}, device);
    sums[static_cast<std::size_t>(index)] = sum(a + a).item();  // the null device gives zeros
  };
  {
    const std::jthread first(work, 0);
    const std::jthread second(work, 1);
  }
  EXPECT_EQ(sums, (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace overtake
