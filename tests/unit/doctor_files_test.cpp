// SPDX-License-Identifier: MIT
// The doctor's look at libraries and at the cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "backend/common/program_cache.hpp"
#include "backend/common/trial/verdict_store.hpp"
#include "data_support.hpp"
#include "doctor/cache.hpp"
#include "doctor/libraries.hpp"

namespace overtake::doctor {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> ids_of(const std::vector<Finding>& findings) {
  std::vector<std::string> ids;
  for (const Finding& finding : findings) ids.push_back(finding.id);
  return ids;
}

class DoctorLibraries : public ::testing::Test {
 protected:
  fs::path put(const std::string& name) {
    fs::create_directories((folder_ / name).parent_path());
    return fs::canonical(folder_.file(name, name));
  }
  /// As if these files had been loaded.
  [[nodiscard]] std::vector<LoadedLibrary> loaded(const std::vector<fs::path>& files,
                                                  const std::vector<backend::LibraryFile>& known) {
    put("root/proc/self/maps");
    std::ofstream maps(folder_ / "root/proc/self/maps");
    for (const fs::path& file : files) maps << "1000-2000 r-xp 00000000 08:01 7   " << file.string() << "\n";
    maps.close();
    return loaded_libraries(known, folder_ / "root");
  }
  test::TempFolder folder_;
};

TEST_F(DoctorLibraries, AreTheLoadedOnesWithTheirReasonAndOtherCopies) {
  const fs::path real = put("a/libcuda.so.580.65");
  fs::create_symlink(real, folder_ / "a/libcuda.so.1");
  const fs::path other = put("b/libcuda.so.1");
  const fs::path strange = put("c/libunknown.so.3");
  const std::vector<backend::LibraryFile> known = {{"libcuda.so.1", folder_ / "a/libcuda.so.1", "LD_LIBRARY_PATH"},
                                                   {"libcuda.so.1", other, "the loader's cache"}};
  const auto found = loaded({strange, real}, known);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "libcuda.so.1");
  EXPECT_EQ(found[0].path, real.string());
  EXPECT_EQ(found[0].version, "580.65");
  EXPECT_EQ(found[0].reason, "LD_LIBRARY_PATH");
  EXPECT_THAT(found[0].others, ElementsAre(other.string()));
  const auto findings = copy_findings(known, found);
  ASSERT_THAT(ids_of(findings), ElementsAre("library-copies"));
  EXPECT_THAT(findings[0].cause, HasSubstr(real.string()));
  EXPECT_THAT(findings[0].evidence, HasSubstr(other.string() + " (the loader's cache)"));
}

TEST_F(DoctorLibraries, TwoNamesOfOneFileAreNoCopies) {
  const fs::path real = put("a/libOpenCL.so.1.0.0");
  fs::create_symlink(real, folder_ / "a/libOpenCL.so.1");
  const std::vector<backend::LibraryFile> known = {{"libOpenCL.so.1", folder_ / "a/libOpenCL.so.1", "a"},
                                                   {"libOpenCL.so.1", real, "b"}};
  EXPECT_THAT(copy_findings(known, loaded({real}, known)), IsEmpty());
}

TEST_F(DoctorLibraries, ThoseThatComeAlongAreToldToo) {
  const fs::path gomp = put("x/libgomp.so.1.0.0");
  const auto found = loaded({gomp}, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].version, "1.0.0");
  EXPECT_EQ(found[0].reason, "linked, found by the loader");
}

class DoctorCache : public ::testing::Test {
 protected:
  test::TempFolder folder_;
};

TEST_F(DoctorCache, IsFineWhereItCanBeWritten) {
  backend::ProgramCache(folder_.path()).store({"source", "", "", "", ""}, "binary");
  const CacheCheckup cache = examine_cache(folder_.path());
  EXPECT_EQ(cache.programs, 1);
  EXPECT_THAT(cache.findings, IsEmpty());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 1) << "the doctor left something behind";
}

TEST_F(DoctorCache, IsMadeWhereItIsNotThere) { EXPECT_THAT(examine_cache(folder_ / "new/cache").findings, IsEmpty()); }

TEST_F(DoctorCache, MayBeSwitchedOff) {
  EXPECT_THAT(ids_of(examine_cache(std::nullopt).findings), ElementsAre("cache-off"));
}

TEST_F(DoctorCache, DamageOfProgramsAndVerdictsIsSeen) {
  backend::ProgramCache(folder_.path()).store({"source", "", "", "", ""}, "binary");
  const fs::path program = fs::directory_iterator(folder_.path())->path();
  std::fstream(program, std::ios::in | std::ios::out | std::ios::binary).seekp(-1, std::ios::end).put('X');
  auto findings = examine_cache(folder_.path()).findings;
  ASSERT_THAT(ids_of(findings), ElementsAre("cache-damaged"));
  EXPECT_THAT(findings[0].cause, HasSubstr("1 file is damaged"));
  EXPECT_EQ(findings[0].evidence, program.string());
  (void)folder_.file(std::string(32, 'a') + ".verdict", "no verdict");
  findings = examine_cache(folder_.path()).findings;
  ASSERT_THAT(ids_of(findings), ElementsAre("cache-damaged"));
  EXPECT_THAT(findings[0].cause, HasSubstr("2 files are damaged"));
  (void)folder_.file("notes.txt", "somebody else's");
  EXPECT_THAT(examine_cache(folder_.path()).findings[0].cause, HasSubstr("2 files"));
}

TEST_F(DoctorCache, AFileThatCannotBeReadIsNotDamaged) {
  const std::string name = std::string(32, 'b') + ".program";
  fs::create_symlink(name, folder_ / name);  // to itself: nobody can open it, root neither
  const auto findings = examine_cache(folder_.path()).findings;
  ASSERT_THAT(ids_of(findings), ElementsAre("cache-unreadable"));
  EXPECT_THAT(findings[0].evidence, HasSubstr(name));
  EXPECT_THAT(findings[0].evidence, HasSubstr("it belongs to the user "));
  EXPECT_THAT(findings[0].cure, HasSubstr("OVERTAKE_CACHE_DIR"));
}

TEST_F(DoctorCache, AFolderThatCannotBeMadeIsUnwritable) {
  const auto findings = examine_cache(folder_.file("file", "") / "cache").findings;
  ASSERT_THAT(ids_of(findings), ElementsAre("cache-unwritable"));
  EXPECT_THAT(findings[0].cure, HasSubstr("OVERTAKE_CACHE_DIR"));
}

}  // namespace
}  // namespace overtake::doctor
