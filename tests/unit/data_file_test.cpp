// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "data_support.hpp"
#include "overtake/data_file.hpp"

namespace overtake {
namespace {

using test::expect_error;
using test::TempFolder;

/// Files of this process may not grow over `bytes` while it lives: what a full disk looks like to a writer.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    previous_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &previous_);
    const rlimit limit{bytes, previous_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &previous_);
    std::signal(SIGXFSZ, previous_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit previous_{};
  void (*previous_handler_)(int) = nullptr;
};

TEST(AtomicFile, AppearsAtCommit) {
  const TempFolder folder;
  AtomicFile file(folder / "a.txt");
  file.write("hello ");
  file.write("world");
  EXPECT_FALSE(std::filesystem::exists(folder / "a.txt"));
  file.commit();
  EXPECT_EQ(test::read_bytes(folder / "a.txt"), "hello world");
  EXPECT_EQ(folder.count(), 1U);
}

TEST(AtomicFile, LeavesTheOldFileWithoutCommit) {
  const TempFolder folder;
  const auto path = folder.file("a.txt", "old");
  {
    AtomicFile file(path);
    file.write("new");
  }
  EXPECT_EQ(test::read_bytes(path), "old");
  EXPECT_EQ(folder.count(), 1U);
  write_text_file(path, "new");
  EXPECT_EQ(test::read_bytes(path), "new");
  EXPECT_EQ(folder.count(), 1U);
}

TEST(AtomicFile, WritesThroughLinks) {
  const TempFolder folder;
  const auto path = folder.file("real.txt", "old");
  std::filesystem::create_symlink(path, folder / "link.txt");
  write_text_file(folder / "link.txt", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link.txt"));
  EXPECT_EQ(test::read_bytes(path), "new");
}

TEST(AtomicFile, DevicesAreNotReplaced) {
  write_text_file("/dev/null", "gone");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(AtomicFile, FullDiskLeavesNothing) {
  expect_error<DataError>([] { write_text_file("/dev/full", "text"); }, {"/dev/full", "No space left", "space"});
  const TempFolder folder;
  const auto path = folder.file("a.txt", "old");
  {
    const FileSizeLimit limit(100);
    expect_error<DataError>([&] { write_text_file(path, std::string(1000, 'x')); },
                            {"a.txt", "File too large", "space"});
  }
  EXPECT_EQ(test::read_bytes(path), "old");
  EXPECT_EQ(folder.count(), 1U);
}

TEST(AtomicFile, BadTargets) {
  const TempFolder folder;
  expect_error<DataError>([&] { write_text_file(folder / "none/a.txt", ""); },
                          {"none/a.txt", "No such file", "folder"});
  expect_error<DataError>([&] { write_text_file(folder.path(), ""); }, {"it is a folder"});
  expect_error<DataError>([&] { write_text_file("", ""); }, {"without a name"});
  AtomicFile file(folder / "a.txt");
  file.commit();
  EXPECT_THROW(file.commit(), InternalError);
  EXPECT_THROW(file.write("x"), InternalError);
}

}  // namespace
}  // namespace overtake
