// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>

#include "backend/common/library_loader.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

TEST(LibraryLoader, OpensTheFirstThatLoadsAndRecordsWhyOthersDidNot) {
  const Library library({"libovertake_missing.so.7", "libm.so.6", "libc.so.6"});
  ASSERT_TRUE(library.loaded());
  EXPECT_EQ(library.name(), "libm.so.6");
  ASSERT_EQ(library.attempts().size(), 2U);
  EXPECT_NE(library.attempts()[0].reason.find("cannot open"), std::string::npos) << library.attempts()[0].reason;
  EXPECT_TRUE(library.attempts()[1].reason.empty());
  EXPECT_NE(library.reasons().find("libovertake_missing.so.7"), std::string::npos);

  auto* cosine = library.find<double(double)>("cos");
  ASSERT_NE(cosine, nullptr);
  EXPECT_EQ(cosine(0.0), 1.0);
  EXPECT_EQ(library.find<double(double)>("overtake_no_such_function"), nullptr);
  try {
    (void)library.require<double(double)>("overtake_no_such_function");
    FAIL() << "a missing function was found";
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("libm.so.6"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("overtake_no_such_function"), std::string::npos);
  }
}

TEST(LibraryLoader, NothingFoundIsNoError) {
  const Library library({"libovertake_missing.so.7", "/nowhere/libovertake_missing.so"});
  EXPECT_FALSE(library.loaded());
  EXPECT_EQ(library.attempts().size(), 2U);
  EXPECT_EQ(library.find<void()>("anything"), nullptr);
  EXPECT_THROW((void)library.require<void()>("anything"), DeviceError);
  EXPECT_FALSE(Library().loaded());
  EXPECT_TRUE(Library().reasons().empty());
}

TEST(LibraryLoader, Moves) {
  Library first({"libm.so.6"});
  Library second(std::move(first));
  EXPECT_TRUE(second.loaded());
  Library third;
  third = std::move(second);
  EXPECT_NE(third.find<double(double)>("sin"), nullptr);
}

}  // namespace
}  // namespace overtake::backend
