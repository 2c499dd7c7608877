// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "backend/common/program_cache.hpp"
#include "data_support.hpp"

namespace overtake::backend {
namespace {

namespace fs = std::filesystem;

class ProgramCacheTest : public testing::Test {
 protected:
  void TearDown() override {
    std::error_code ignored;
    fs::permissions(folder_, fs::perms::owner_all, ignored);
  }
  [[nodiscard]] fs::path only_file() const {
    fs::path found;
    int files = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      found = entry.path();
      ++files;
    }
    EXPECT_EQ(files, 1);
    return found;
  }

  test::TempFolder own_;
  const fs::path& folder_ = own_.path();
  ProgramKey key_{"source", "-O3", "GPU 1", "driver 2", "compiler 3"};
};

TEST_F(ProgramCacheTest, StoresAndLoads) {
  ProgramCache cache(folder_ / "made" / "on demand");
  EXPECT_FALSE(cache.load(key_).has_value());
  const std::string binary("\0binary\xff", 8);
  cache.store(key_, binary);
  EXPECT_EQ(cache.load(key_), binary);
  EXPECT_EQ(cache.hits(), 1U);
  EXPECT_EQ(cache.misses(), 1U);
}

TEST_F(ProgramCacheTest, EveryFieldIsPartOfTheKey) {
  std::set<std::string> digests = {key_.digest()};
  for (std::string ProgramKey::*field :
       {&ProgramKey::source, &ProgramKey::options, &ProgramKey::device, &ProgramKey::driver, &ProgramKey::compiler}) {
    ProgramKey changed = key_;
    changed.*field += "x";
    digests.insert(changed.digest());
  }
  // Moving text from one field to the next is another key as well.
  digests.insert(ProgramKey{"sourc", "e-O3", "GPU 1", "driver 2", "compiler 3"}.digest());
  EXPECT_EQ(digests.size(), 7U);
  EXPECT_EQ(key_.digest().size(), 32U);
  EXPECT_EQ(key_.digest(), ProgramKey(key_).digest());
}

TEST_F(ProgramCacheTest, DamagedFilesAreIgnoredAndReplaced) {
  ProgramCache cache(folder_);
  const std::string binary(1000, 'b');
  cache.store(key_, binary);
  const fs::path file = only_file();
  const auto size = fs::file_size(file);

  fs::resize_file(file, size - 1);
  EXPECT_FALSE(cache.load(key_).has_value());
  fs::resize_file(file, 5);
  EXPECT_FALSE(cache.load(key_).has_value());
  fs::resize_file(file, 0);
  EXPECT_FALSE(cache.load(key_).has_value());

  cache.store(key_, binary);
  {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(size) - 10);
    stream.put('x');
  }
  EXPECT_FALSE(cache.load(key_).has_value());
  cache.store(key_, binary);
  EXPECT_EQ(cache.load(key_), binary);
}

TEST_F(ProgramCacheTest, AHeaderThatLiesAboutTheLengthIsRefused) {
  ProgramCache cache(folder_);
  cache.store(key_, "binary");
  {
    std::fstream stream(only_file(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(8);
    const std::uint64_t huge = ~std::uint64_t{0} / 2;
    stream.write(reinterpret_cast<const char*>(&huge), sizeof huge);
  }
  EXPECT_FALSE(cache.load(key_).has_value());
}

TEST_F(ProgramCacheTest, NobodyWaitsForANamedPipe) {
  ProgramCache cache(folder_);
  cache.store(key_, "binary");
  const fs::path file = folder_ / (key_.digest() + ".program");
  ASSERT_TRUE(fs::remove(file));
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_FALSE(cache.load(key_));
  cache.store(key_, "binary");
  EXPECT_EQ(cache.load(key_), "binary") << "replaced";
}

TEST_F(ProgramCacheTest, FoldersThatCannotBeWrittenMeanNoCache) {
  ProgramCache none(std::nullopt);
  none.store(key_, "binary");
  EXPECT_FALSE(none.load(key_).has_value());

  // A file where the folder should be cannot be written by anyone, root included.
  std::ofstream(folder_ / "file") << "not a folder";
  ProgramCache blocked(folder_ / "file");
  blocked.store(key_, "binary");
  EXPECT_FALSE(blocked.load(key_).has_value());

  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  ProgramCache read_only(folder_);
  EXPECT_NO_THROW(read_only.store(key_, "binary"));
}

TEST_F(ProgramCacheTest, TwoProcessesAtOnce) {
  constexpr int keys = 20;
  const auto key_of = [this](int i) {
    ProgramKey key = key_;
    key.source = std::to_string(i);
    return key;
  };
  const auto binary_of = [](int i) {
    return std::string(static_cast<std::size_t>(20000 + i), static_cast<char>('a' + i));
  };
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  ProgramCache cache(folder_);
  bool sound = true;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < keys; ++i) {
      cache.store(key_of(i), binary_of(i));
      sound = sound && cache.load(key_of(i)) == binary_of(i);
    }
  }
  if (child == 0) ::_exit(sound ? 0 : 1);
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(sound);
  for (const auto& entry : fs::directory_iterator(folder_)) EXPECT_EQ(entry.path().extension(), ".program");
}

TEST_F(ProgramCacheTest, TheOldestGoWhenTheFolderIsFull) {
  ProgramCache cache(folder_, 5000);
  for (int i = 0; i < 10; ++i) {
    ProgramKey key = key_;
    key.source = std::to_string(i);
    cache.store(key, std::string(1000, 'x'));
    ::usleep(20000);
  }
  std::uintmax_t total = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) total += entry.file_size();
  EXPECT_LE(total, 5000U);
  ProgramKey newest = key_;
  newest.source = "9";
  EXPECT_TRUE(cache.load(newest).has_value());
  newest.source = "0";
  EXPECT_FALSE(cache.load(newest).has_value());
}

TEST_F(ProgramCacheTest, WhatKilledProcessesLeftGoes) {
  const auto made = [&](const std::string& name, std::chrono::hours age) {
    const fs::path path = folder_ / name;
    std::ofstream(path) << "half";
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
    return path;
  };
  using std::chrono::hours;
  const std::string digest(32, 'a');
  const fs::path left_over = made(digest + ".unfinished-Xy9abC", hours(2));
  const fs::path written_now = made(digest + ".unfinished-Zy9abC", hours(0));
  const fs::path of_somebody_else = made(digest + ".pickle", hours(9));
  ProgramCache(folder_).store(key_, "binary");
  EXPECT_FALSE(fs::exists(left_over));
  EXPECT_TRUE(fs::exists(written_now));
  EXPECT_TRUE(fs::exists(of_somebody_else));
}

}  // namespace
}  // namespace overtake::backend
