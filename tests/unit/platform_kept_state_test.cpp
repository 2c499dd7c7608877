// SPDX-License-Identifier: MIT
#include "platform/kept_state.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cfenv>
#include <clocale>
#include <csignal>
#include <filesystem>

namespace overtake::platform {
namespace {

// volatile: computed here and now, in the mode of the moment.
bool subnormals_count() {
  volatile float tiny = 1e-38F;
  volatile float half = tiny * 0.25F;
  return half > 0;
}

TEST(KeptState, WhatADriverMayChangeIsPutBack) {
  const auto folder = std::filesystem::current_path();
  const mode_t mask = ::umask(022);
  ASSERT_EQ(std::fegetround(), FE_TONEAREST);
  ASSERT_TRUE(subnormals_count());
  const auto before = std::signal(SIGINT, SIG_DFL);
  {
    const KeptState kept;
    std::fesetround(FE_UPWARD);
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040U);  // flush to zero, as -ffast-math sets it on load
    EXPECT_FALSE(subnormals_count());
#endif
    std::filesystem::current_path("/");
    ::umask(0777);
    std::signal(SIGINT, SIG_IGN);
    std::setlocale(LC_NUMERIC, "C.UTF-8");
  }
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
  EXPECT_TRUE(subnormals_count());
  EXPECT_EQ(std::filesystem::current_path(), folder);
  EXPECT_EQ(::umask(mask), mode_t{022});
  EXPECT_EQ(std::signal(SIGINT, before), SIG_DFL);
  EXPECT_STREQ(std::setlocale(LC_NUMERIC, nullptr), "C");
}

TEST(KeptState, AFolderThatWentIsNoError) {
  const auto back = std::filesystem::current_path();
  const auto gone = std::filesystem::temp_directory_path() / "overtake-kept-state";
  std::filesystem::create_directory(gone);
  std::filesystem::current_path(gone);
  std::filesystem::remove(gone);
  { const KeptState kept; }
  std::filesystem::current_path(back);
}

}  // namespace
}  // namespace overtake::platform
