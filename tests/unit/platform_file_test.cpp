// SPDX-License-Identifier: MIT
// Files and locks as the operating system gives them.
#include "platform/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>

#include "data_support.hpp"
#include "platform/lock_file.hpp"
#include "platform/process.hpp"
#include "platform/stream.hpp"

namespace overtake::platform {
namespace {

namespace fs = std::filesystem;
using test::TempFolder;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(PlatformFile, WritesAndReads) {
  const TempFolder folder;
  std::error_code error;
  File file = create(folder / "a", error);
  ASSERT_TRUE(file.is_open()) << error.message();
  EXPECT_FALSE(file.write(bytes_of("one")));
  EXPECT_FALSE(file.write(bytes_of("two")));
  EXPECT_FALSE(file.sync());
  EXPECT_FALSE(file.close());
  EXPECT_FALSE(file.is_open());
  File again = open_to_read(folder / "a", error);
  std::array<char, 4> part{};
  EXPECT_EQ(again.read(part, error), 4U);
  EXPECT_EQ(std::string(part.data(), 4), "onet");
  EXPECT_EQ(again.read(part, error), 2U);
  EXPECT_EQ(again.read(part, error), 0U);
  EXPECT_FALSE(error);
}

TEST(PlatformFile, SaysWhyNot) {
  const TempFolder folder;
  std::error_code error;
  EXPECT_FALSE(open_to_read(folder / "none", error).is_open());
  EXPECT_EQ(error, std::errc::no_such_file_or_directory);
  EXPECT_FALSE(create(folder.file("there", "x"), error).is_open());
  EXPECT_EQ(error, std::errc::file_exists);
  File read_only = open_to_read(folder / "there", error);
  EXPECT_FALSE(error) << "of an attempt before";
  EXPECT_EQ(read_only.write(bytes_of("y")), std::errc::bad_file_descriptor);
  File none;
  EXPECT_EQ(none.write(bytes_of("y")), std::errc::bad_file_descriptor);
}

TEST(PlatformFile, APrivateFileIsReadByItsUserAlone) {
  const TempFolder folder;
  std::string name = (folder / "p.XXXXXX").string();
  std::error_code error;
  const File file = create_private(name, error);
  ASSERT_TRUE(file.is_open()) << error.message();
  EXPECT_EQ(name.find("XXXXXX"), std::string::npos);
  struct stat status {};
  ASSERT_EQ(::stat(name.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(PlatformFile, APipeIsNotWaitedFor) {
  const TempFolder folder;
  const fs::path pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::error_code error;
  EXPECT_FALSE(open_pipe_to_write(pipe, error).is_open());
  EXPECT_EQ(error, std::errc::no_such_device_or_address);
  EXPECT_EQ(last_bytes(pipe, 4), "");
  EXPECT_EQ(last_bytes(folder.file("text", "abcdef"), 4), "cdef");
  EXPECT_EQ(last_bytes(folder / "text", 7), "") << "there are not as many";
}

TEST(PlatformFile, MarksLastUntilClosed) {
  const TempFolder folder;
  const fs::path path = folder.file("a", "x");
  EXPECT_TRUE(is_unmarked(path));
  std::error_code error;
  File writer = open_to_write(path, error);
  mark_written(writer);
  EXPECT_FALSE(is_unmarked(path));
  File moved = std::move(writer);
  EXPECT_FALSE(is_unmarked(path)) << "moving closes nothing";
  EXPECT_FALSE(moved.close());
  EXPECT_TRUE(is_unmarked(path));
  fs::create_symlink(path, folder / "link");
  EXPECT_FALSE(is_unmarked(folder / "link"));
}

TEST(LockFile, HasOneHolder) {
  const TempFolder folder;
  const fs::path path = folder / "lock";
  EXPECT_FALSE(LockFile::is_held(path));
  {
    LockFile first;
    ASSERT_FALSE(first.take(path));
    EXPECT_TRUE(LockFile::is_held(path));
    LockFile second;
    EXPECT_EQ(second.take(path), std::errc::device_or_resource_busy);
  }
  EXPECT_FALSE(fs::exists(path)) << "the holder removes it; who did not get it leaves it";
  LockFile third;
  EXPECT_FALSE(third.take(path));
  LockFile nowhere;
  EXPECT_EQ(nowhere.take(folder / "none" / "lock"), std::errc::no_such_file_or_directory);
}

TEST(LockFile, OneThatWasNotTakenStaysItsHolders) {
  const TempFolder folder;
  LockFile holder;
  ASSERT_FALSE(holder.take(folder / "lock"));
  {
    LockFile other;
    EXPECT_TRUE(other.take(folder / "lock"));
  }
  EXPECT_TRUE(fs::exists(folder / "lock"));
}

TEST(PlatformStream, IsKnownByItsNames) {
  EXPECT_EQ(stream_named("/dev/stdin"), 0);
  EXPECT_EQ(stream_named("/dev/../dev/stdout"), 1);
  EXPECT_EQ(stream_named("/dev/fd/7"), 7);
  EXPECT_EQ(stream_named("/proc/" + std::to_string(process_number()) + "/fd/12"), 12);
  for (const char* name : {"/dev/fd/", "/dev/fd/x", "/dev/fd/-1", "/dev/fd/7x", "/proc/1/fd/0", "stdout", ""}) {
    EXPECT_FALSE(stream_named(name)) << name;
  }
}

TEST(PlatformProcess, IsRunning) {
  EXPECT_TRUE(is_running(process_number()));
  EXPECT_TRUE(is_running(1)) << "of another user, perhaps";
  EXPECT_FALSE(is_running(std::int64_t{1} << 40));
}

}  // namespace
}  // namespace overtake::platform
