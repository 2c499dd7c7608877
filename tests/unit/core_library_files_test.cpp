// SPDX-License-Identifier: MIT
#include "core/library_files.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "data_support.hpp"

namespace overtake::detail {
namespace {

namespace fs = std::filesystem;

class LibraryFiles : public ::testing::Test {
 protected:
  fs::path put(const fs::path& name, const std::string& content) {
    const fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  test::TempFolder own_;
  const fs::path& root_ = own_.path();
};

TEST_F(LibraryFiles, AreThoseOfTheLoadersCacheAndItsFolders) {
  const fs::path vendor = put("opt/vendor/libtest-only.so.1", "vendor's");
  const fs::path usual = put("usr/lib/libtest-only.so.1", "system's");
  const std::string zero(1, '\0');
  put("etc/ld.so.cache", "glibc-ld.so.cache1.1" + zero + "libtest-only.so.1" + zero + vendor.string() + zero +
                             "libother.so" + zero + "/usr/lib/libother.so" + zero);
  EXPECT_EQ(library_files("libtest-only.so.1", root_), (std::vector<fs::path>{vendor, usual}));
  EXPECT_TRUE(library_files("libtest-only.so.2", root_).empty());
  EXPECT_TRUE(library_files("test-only.so.1", root_).empty()) << "the end of a name is not the name";
}

TEST_F(LibraryFiles, OneFileUnderTwoNamesCountsOnce) {
  const fs::path real = put("usr/lib/libtest-only.so.1", "system's");
  fs::create_symlink("usr/lib", root_ / "lib");
  EXPECT_EQ(library_files("libtest-only.so.1", root_).size(), 1U);
  EXPECT_EQ(library_files(real.string(), root_), std::vector<fs::path>{real});
}

TEST_F(LibraryFiles, SayWhatLedToThemAndLeaveOtherMachinesOut) {
  put("variable/libtest-only.so.1", "no ELF file");
  const std::string foreign = std::string(
                                  "\x7f"
                                  "ELF\x01\x01\x01") +
                              std::string(11, '\0') + "\xff\xff";
  put("usr/lib/libtest-only.so.1", foreign);
  const fs::path usual = put("usr/lib/x86_64-linux-gnu/libtest-only.so.1", "no ELF file");
  ::setenv("OVERTAKE_LIBRARY_PATH", (root_ / "variable").c_str(), 1);
  const auto found = placed_library_files("libtest-only.so.1", root_);
  EXPECT_EQ(library_files("libtest-only.so.1", root_).size(), 3U);
  ::unsetenv("OVERTAKE_LIBRARY_PATH");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].reason, "OVERTAKE_LIBRARY_PATH");
  EXPECT_EQ(found[1].path, usual);
  EXPECT_EQ(found[1].reason, "a usual folder");
}

TEST_F(LibraryFiles, AStampChangesWithTheFile) {
  const fs::path file = put("libtest-only.so.1", "one");
  const std::string before = file_stamp(file);
  EXPECT_EQ(file_stamp(file), before);
  put("libtest-only.so.1", "another");
  const std::string larger = file_stamp(file);
  EXPECT_NE(larger, before);
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(5));
  EXPECT_NE(file_stamp(file), larger);
  EXPECT_TRUE(file_stamp(root_ / "nothing").ends_with(": none"));
}

}  // namespace
}  // namespace overtake::detail
