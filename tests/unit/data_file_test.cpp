// SPDX-License-Identifier: MIT
#include <fcntl.h>
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
