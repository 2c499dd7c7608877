// SPDX-License-Identifier: MIT
// What the environment's variables mean.
#include "core/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "overtake/error.hpp"

namespace overtake::config {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Variables for one test; what they were before comes back.
class Config : public ::testing::Test {
 protected:
  ~Config() override {
    for (const auto& [name, value] : before_) value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
  }
  void set(const std::string& name, const std::string& value) {
    remember(name);
    setenv(name.c_str(), value.c_str(), 1);
  }
  void unset(const std::string& name) {
    remember(name);
    unsetenv(name.c_str());
  }

 private:
  void remember(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    before_.try_emplace(name, value != nullptr ? std::optional<std::string>(value) : std::nullopt);
  }
  std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(Config, FoldersAreSeparatedByColons) {
  set("OVERTAKE_LIBRARY_PATH", ":/a/b::/c:");
  EXPECT_THAT(library_paths(), ElementsAre("/a/b", "/c"));
  unset("OVERTAKE_LIBRARY_PATH");
  EXPECT_TRUE(library_paths().empty());
}

TEST_F(Config, VendorLibrariesAreLookedForUnlessToldNot) {
  unset("OVERTAKE_VENDOR_LIBRARIES");
  EXPECT_TRUE(vendor_libraries());
  for (const char* yes : {"", "yes"}) {
    set("OVERTAKE_VENDOR_LIBRARIES", yes);
    EXPECT_TRUE(vendor_libraries());
    EXPECT_NO_THROW(check());
  }
  set("OVERTAKE_VENDOR_LIBRARIES", "no");
  EXPECT_FALSE(vendor_libraries());
  EXPECT_NO_THROW(check());
  set("OVERTAKE_VENDOR_LIBRARIES", "none");
  try {
    check();
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"none\""));
  }
}

TEST_F(Config, ToolkitsAreWhatTheirVariablesName) {
  set("CUDA_PATH", "/t/cuda");
  set("CUDA_HOME", "/t/cuda");
  EXPECT_THAT(cuda_toolkits(), ElementsAre("/t/cuda"));
  set("CUDA_PATH", "relative");
  set("CUDA_HOME", "");
  EXPECT_TRUE(cuda_toolkits().empty());
}

TEST_F(Config, PythonEnvironmentsAreTheActiveOnesNearestFirst) {
  std::string name = (fs::temp_directory_path() / "overtake-config-XXXXXX").string();
  const fs::path root = ::mkdtemp(name.data());
  fs::create_directories(root / "one/bin");
  fs::create_directories(root / "two/bin");
  fs::create_directories(root / "three/bin");
  for (const char* python : {"one/bin/python3", "two/bin/python3"}) std::ofstream(root / python).put(' ');
  set("VIRTUAL_ENV", (root / "two").string());
  unset("CONDA_PREFIX");
  set("HOME", "/h");
  const std::string path = root.string();
  set("PATH", path + "/three/bin:relative/bin:" + path + "/one/bin/:" + path + "/two/bin:" + path + "/one/bin");
  EXPECT_THAT(python_prefixes(), ElementsAre(root / "two", root / "one", "/h/.local"));
  set("CONDA_PREFIX", "/c");
  unset("HOME");
  EXPECT_THAT(python_prefixes(), ElementsAre(root / "two", "/c", root / "one"));
  fs::remove_all(root);
}

}  // namespace
}  // namespace overtake::config
