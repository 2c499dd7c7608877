// SPDX-License-Identifier: MIT
// Verdicts on disk, and the cache as users see it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "backend/common/cache_files.hpp"
#include "backend/common/program_cache.hpp"
#include "backend/common/trial/verdict_store.hpp"
#include "data_support.hpp"
#include "overtake/device/cache.hpp"

namespace overtake::backend {
namespace {

namespace fs = std::filesystem;

const std::string digest_a(32, 'a');
const std::string digest_b(32, 'b');

KeptVerdict failure() {
  return {{"opencl:0 (a device)", false, "its driver ends the process: SIGABRT", 1795677594}, false};
}

class Verdicts : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("OVERTAKE_CACHE_DIR", folder_.c_str(), 1); }
  void TearDown() override { ::unsetenv("OVERTAKE_CACHE_DIR"); }
  void put(const std::string& name, const std::string& content) { std::ofstream(folder_ / name) << content; }

  test::TempFolder own_;
  const fs::path folder_ = own_.path() / "cache";
};

TEST_F(Verdicts, ComeBackAsTheyWere) {
  const VerdictStore store(folder_);
  EXPECT_FALSE(store.load(digest_a));
  store.store(digest_a, failure());
  KeptVerdict slow = failure();
  slow.timed_out = true;
  slow.timeout = 60;
  store.store(digest_b, slow);
  const auto loaded = store.load(digest_a);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->verdict.subject, failure().verdict.subject);
  EXPECT_EQ(loaded->verdict.reason, failure().verdict.reason);
  EXPECT_EQ(loaded->verdict.tried_at, failure().verdict.tried_at);
  EXPECT_FALSE(loaded->verdict.passed || loaded->timed_out);
  EXPECT_TRUE(store.load(digest_b)->timed_out);
  EXPECT_EQ(store.load(digest_b)->timeout, 60);
}

TEST_F(Verdicts, DamageIsNoVerdict) {
  const std::string text = to_text(failure());
  ASSERT_TRUE(parse_verdict(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string altered = text;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_FALSE(parse_verdict(altered)) << "byte " << i;
    EXPECT_FALSE(parse_verdict(text.substr(0, i))) << i << " bytes";
  }
  EXPECT_FALSE(parse_verdict(text + "x"));
}

TEST_F(Verdicts, WhatADriverSaysStaysOnItsLine) {
  KeptVerdict kept = failure();
  kept.verdict.reason = "one\nresult: passed\nchecksum: 0\n" + std::string(1, '\x1b');
  const auto parsed = parse_verdict(to_text(kept));
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->verdict.passed);
  EXPECT_EQ(parsed->verdict.reason, "one result: passed checksum: 0  ");
}

TEST_F(Verdicts, TheOldestGoWhenThereAreTooMany) {
  const VerdictStore store(folder_, 2);
  const std::string digest_c(32, 'c');
  store.store(digest_a, failure());
  fs::last_write_time(folder_ / (digest_a + ".verdict"), fs::file_time_type::clock::now() - std::chrono::hours(2));
  store.store(digest_b, failure());
  store.store(digest_c, failure());
  EXPECT_FALSE(store.load(digest_a));
  EXPECT_TRUE(store.load(digest_b) && store.load(digest_c));
}

TEST_F(Verdicts, AFileThatIsTooLargeIsNotRead) {
  fs::create_directories(folder_);
  const std::string text = to_text(failure());
  put("small", text);
  EXPECT_TRUE(read_verdict(folder_ / "small"));
  put("large", std::string(1 << 20, ' ') + text);
  EXPECT_FALSE(read_verdict(folder_ / "large"));
}

TEST_F(Verdicts, WithoutAFolderNothingIsKept) {
  const VerdictStore store(std::nullopt);
  EXPECT_FALSE(store.store(digest_a, failure()));
  EXPECT_FALSE(store.load(digest_a));
}

TEST_F(Verdicts, TheCacheIsCountedAndClearedAndForeignFilesStay) {
  EXPECT_EQ(cache_contents().programs, 0) << "a folder that does not exist is empty";
  VerdictStore(folder_).store(digest_a, failure());
  ProgramCache programs(folder_);
  programs.store({"source", "options", "device", "driver", "compiler"}, "binary");
  put(digest_b + ".unfinished-aB3xY9", "unfinished");
  put("notes.txt", "foreign");
  put(std::string(32, 'g') + ".program", "no digest");
  for (const char* ending : {".other", ".sqlite", ".pickle"})
    put(digest_b + ending, "foreign");  // MD5 sums name files, too
  put("trial.lock", "");
  put(digest_b + ".verdict", "damaged");
  fs::create_directories(folder_ / (digest_b + ".program"));
  for (const bool clear : {false, true}) {
    const CacheContents contents = clear ? clear_cache() : cache_contents();
    EXPECT_EQ(contents.folder, folder_);
    EXPECT_EQ(contents.programs, 1);
    EXPECT_GT(contents.program_bytes, 6U);
    ASSERT_EQ(contents.verdicts.size(), 1U);
    EXPECT_EQ(contents.verdicts[0].reason, failure().verdict.reason);
    EXPECT_EQ(contents.unfinished, 1);
    EXPECT_EQ(contents.damaged, 1);
  }
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(folder_)) left.push_back(entry.path().filename());
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (std::vector<std::string>{digest_b + ".other", digest_b + ".pickle", digest_b + ".program",
                                            digest_b + ".sqlite", std::string(32, 'g') + ".program", "notes.txt",
                                            "trial.lock"}));
}

}  // namespace
}  // namespace overtake::backend
