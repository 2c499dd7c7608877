// SPDX-License-Identifier: MIT
// Temporary files and error checks for every test here.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/error.hpp"

namespace overtake::test {

/// A folder of its own for one test, removed at its end.
class TempFolder {
 public:
  TempFolder() {
    static std::atomic<int> counter{0};
    path_ = std::filesystem::temp_directory_path() /
            ("overtake-test-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1)));
    std::filesystem::create_directories(path_);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Writes a file into the folder and returns its path.
  [[nodiscard]] std::filesystem::path file(const std::string& name, std::string_view content) const {
    std::filesystem::remove(path_ / name);  // some file systems write to the disk at once when a file is overwritten
    std::ofstream stream(path_ / name, std::ios::binary);
    stream.write(content.data(), static_cast<std::streamsize>(content.size()));
    return path_ / name;
  }

  /// Names of the files in the folder.
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

[[nodiscard]] inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Runs `action`, which must throw an E, and returns "message\nhint" after checking that it holds every fragment.
template <typename E, typename Action>
std::string expect_error(Action action, const std::vector<std::string>& fragments) {
  std::string text;
  try {
    action();
    ADD_FAILURE() << "no error was thrown; expected one about: " << (fragments.empty() ? "" : fragments[0]);
  } catch (const E& error) {
    text = std::string(error.what()) + "\n" + error.hint();
    for (const std::string& fragment : fragments) {
      EXPECT_NE(text.find(fragment), std::string::npos) << "no \"" << fragment << "\" in: " << text;
    }
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another error: " << error.what();
  }
  return text;
}

}  // namespace overtake::test
