// SPDX-License-Identifier: MIT
// A driver that was used before a fork is refused in the child; one that was not is not.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "backend/api/registry.hpp"
#include "backend/null/null_device.hpp"
#include "overtake/device.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

class DriverBackend final : public backend::Backend {
 public:
  explicit DriverBackend(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::vector<DeviceInfo> list() override { return {}; }
  [[nodiscard]] std::unique_ptr<backend::Device> open(int /*index*/) override {
    return std::make_unique<backend::null::NullDevice>(name_ + ":0");
  }

 private:
  std::string name_;
};

DriverBackend used("used-driver"), listed("listed-driver"), unused("unused-driver");
const backend::Registration first(95, used), second(96, listed), third(97, unused);

/// What opening a device says, "" where it opens.
std::string refusal_of(const char* name) {
  try {
    const Device device(name);
    return "";
  } catch (const DeviceError& error) {
    return error.what() + error.hint();
  }
}

/// The same in a child, through a pipe.
std::string refusal_in_child(const char* name) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    const std::string text = refusal_of(name);
    const bool whole = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(whole ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(ends[0], text.data(), text.size()))));
  ::close(ends[0]);
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return text;
}

TEST(DeviceFork, ADriverThatWasUsedIsRefusedInAChild) {
  EXPECT_EQ(refusal_of("used-driver"), "");
  EXPECT_NE(refusal_in_child("used-driver").find("forked from one that had used the driver"), std::string::npos);
  EXPECT_NE(refusal_in_child("used-driver:1").find("spawn"), std::string::npos);  // another device of that driver
  EXPECT_EQ(refusal_of("used-driver"), "");                                       // the parent goes on
}

TEST(DeviceFork, ListingUsesADriverToo) {
  EXPECT_TRUE(backend::list_devices_of(listed).empty());
  EXPECT_NE(refusal_in_child("listed-driver"), "");
}

TEST(DeviceFork, ADriverThatWasNotUsedAndTheCpuWorkInAChild) {
  EXPECT_EQ(refusal_of("cpu"), "");
  EXPECT_EQ(refusal_in_child("cpu"), "");
  EXPECT_EQ(refusal_in_child("unused-driver"), "");
}

TEST(DeviceFork, TheListOfAChildSaysWhy) {
  (void)backend::list_devices_of(used);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    const std::vector<DeviceInfo> list = backend::list_devices_of(used);
    ::_exit(list.size() == 1 && list[0].id == "used-driver" && !list[0].usable && !list[0].hint.empty() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace overtake
