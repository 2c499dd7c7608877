// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "data/file/temporary_file.hpp"
#include "data_support.hpp"
#include "overtake/data/file.hpp"
#include "platform/file.hpp"

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

TEST(AtomicFile, WritesThroughLinksToWhatIsNotThereYet) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "sub");
  std::filesystem::create_symlink("sub/real.txt", folder / "link.txt");
  std::filesystem::create_symlink("link.txt", folder / "second.txt");
  EXPECT_EQ(link_target(folder / "second.txt"), folder / "sub/real.txt");
  write_text_file(folder / "second.txt", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link.txt"));
  EXPECT_EQ(test::read_bytes(folder / "sub/real.txt"), "new");
  std::filesystem::create_symlink("circle", folder / "circle");
  expect_error<DataError>([&] { write_text_file(folder / "circle", ""); }, {"circle", "symbolic links"});
}

TEST(AtomicFile, KeepsThePermissionsOfTheFileBefore) {
  using std::filesystem::perms;
  const TempFolder folder;
  for (const perms wanted : {perms{0600}, perms{0664}, perms{0755}}) {
    const auto path = folder.file("a.txt", "old");
    std::filesystem::permissions(path, wanted);
    write_text_file(path, "new");
    EXPECT_EQ(std::filesystem::status(path).permissions(), wanted);
  }
}

TEST(AtomicFile, OpenDescriptorsAreWrittenWhereTheyStand) {
  const TempFolder folder;
  const auto path = folder.file("a.txt", "before ");
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  ASSERT_GE(descriptor, 0);
  const std::string name = "/dev/fd/" + std::to_string(descriptor);
  std::filesystem::create_symlink(name, folder / "link");
  EXPECT_EQ(descriptor_named(name), descriptor);
  EXPECT_EQ(descriptor_named(folder / "link"), descriptor);
  EXPECT_EQ(descriptor_named("/dev/stdout"), 1);
  EXPECT_EQ(descriptor_named(path), std::nullopt);
  EXPECT_EQ(descriptor_named(""), std::nullopt);
  require_writable(name);
  write_text_file(name, "one ");
  write_text_file(folder / "link", "two");
  ::close(descriptor);
  EXPECT_EQ(test::read_bytes(path), "before one two");
  expect_error<DataError>([&] { require_writable(name); }, {name, "not open for writing"});
}

TEST(AtomicFile, APipeIsNotOpenedToSeeWhetherItCouldBe) {
  const TempFolder folder;
  const auto path = folder / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  require_writable(path);  // opening it would wait for a reader
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  write_text_file(path, "text");
  char text[5] = {};
  EXPECT_EQ(::read(reader, text, 4), 4);
  ::close(reader);
  EXPECT_STREQ(text, "text");
  EXPECT_TRUE(std::filesystem::is_fifo(path));
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
                            {"a.txt", "File too large", "ulimit -f"});
  }
  EXPECT_EQ(test::read_bytes(path), "old");
  EXPECT_EQ(folder.count(), 1U);
}

/// The number of a process that has ended.
pid_t ended_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

TEST(AtomicFile, WhatKilledProcessesLeftGoesWithTheNextFile) {
  const TempFolder folder;
  const std::string dead = std::to_string(ended_process());
  for (int i = 0; i < 200; ++i)
    static_cast<void>(folder.file("a.txt." + dead + "-" + std::to_string(i) + ".tmp", "half"));
  static_cast<void>(folder.file("a.txt." + dead + "-0a1b2c3d.tmp", "half"));
  const std::vector<std::filesystem::path> others = {
      folder.file("a.txt." + std::to_string(::getppid()) + "-01234567.tmp", "of a living process"),
      folder.file("b.txt." + dead + "-01234567.tmp", "of another file"),
      folder.file("a.txt." + dead + "-notes.tmp", "of somebody else"),
      folder.file("a.txt." + dead + ".tmp", "of somebody else"),
      folder.file("a.txt.bak", "of somebody else"),
  };
  write_text_file(folder / "a.txt", "new");
  EXPECT_EQ(test::read_bytes(folder / "a.txt"), "new");
  for (const auto& path : others) EXPECT_TRUE(std::filesystem::exists(path)) << path;
  EXPECT_EQ(folder.count(), others.size() + 1);
}

TEST(AtomicFile, WhatAProcessOfAnotherContainerWritesStays) {
  const TempFolder folder;
  const auto path = folder.file("a.txt." + std::to_string(ended_process()) + "-01234567.tmp", "being written");
  std::error_code error;
  platform::File writer = platform::open_to_write(path, error);  // of a process whose number means nothing here
  ASSERT_FALSE(error);
  platform::mark_written(writer);
  write_text_file(folder / "a.txt", "new");
  EXPECT_TRUE(std::filesystem::exists(path));
  ASSERT_FALSE(writer.close());
  write_text_file(folder / "a.txt", "new");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(AtomicFile, NamesAsLongAsTheSystemTakes) {
  const TempFolder folder;
  write_text_file(folder / std::string(255, 'n'), "text");
  EXPECT_EQ(test::read_bytes(folder / std::string(255, 'n')), "text");
  expect_error<DataError>([&] { require_writable(folder / std::string(256, 'n')); }, {"nnn", "too long"});
  EXPECT_EQ(folder.count(), 1U);
}

TEST(AtomicFile, ASocketIsRefusedBeforehand) {
  const TempFolder folder;
  const auto path = folder / "socket";
  ASSERT_EQ(::mknod(path.c_str(), S_IFSOCK | 0600, 0), 0);
  expect_error<DataError>([&] { require_writable(path); }, {"socket", "it is a socket", "file"});
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
