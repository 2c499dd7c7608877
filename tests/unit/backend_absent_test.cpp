// SPDX-License-Identifier: MIT
#include "backend/absent/absent.hpp"

#include <gtest/gtest.h>

#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

TEST(AbsentBackend, IsListedAsUnusableWithCauseAndCure) {
  absent::AbsentBackend backend("opencl");
  EXPECT_EQ(backend.name(), "opencl");
  const std::vector<DeviceInfo> listed = backend.list();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].id, "opencl");
  EXPECT_FALSE(listed[0].usable);
  EXPECT_EQ(listed[0].reason, "this build has no opencl backend");
  EXPECT_NE(listed[0].hint.find("OVERTAKE_OPENCL=ON"), std::string::npos) << listed[0].hint;
}

TEST(AbsentBackend, OpeningItIsADeviceErrorNotAnUnknownName) {
  absent::AbsentBackend backend("cuda");
  try {
    (void)backend.open(1);
    FAIL() << "opened";
  } catch (const DeviceError& error) {
    EXPECT_STREQ(error.what(), "cuda: this build has no cuda backend");
    EXPECT_NE(error.hint().find("OVERTAKE_CUDA=ON"), std::string::npos) << error.hint();
  }
}

// True of every build: a name we know is never answered with "unknown device".
TEST(AbsentBackend, EveryKnownBackendIsRegisteredOnce) {
  for (const std::string_view wanted : {"cpu", "cuda", "opencl", "null"}) {
    int found = 0;
    for (const Backend* backend : backends()) found += backend->name() == wanted ? 1 : 0;
    EXPECT_EQ(found, 1) << wanted;
  }
}

TEST(AbsentBackend, AnUnknownNameIsAUsageErrorThatNamesTheNearest) {
  try {
    (void)open_device("cdua:0");
    FAIL() << "opened";
  } catch (const UsageError& error) {
    EXPECT_NE(error.hint().find("Did you mean cuda?"), std::string::npos) << error.hint();
  }
}

}  // namespace
}  // namespace overtake::backend
