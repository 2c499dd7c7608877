// SPDX-License-Identifier: MIT
#include "backend/cuda/vendor_libraries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "core/config.hpp"

namespace overtake::backend::cuda {

std::vector<std::string> vendor_library_candidates(std::string_view name, int driver_cuda_version) {
  constexpr int newest_known = 13;
  constexpr int oldest_supported = 12;
  std::vector<std::string> files;
  for (int major = std::min(newest_known, driver_cuda_version / 1000); major >= oldest_supported; --major) {
    files.push_back(fmt::format("{}.so.{}", name, major));
  }
  std::vector<std::string> candidates;
  for (const auto& folder : config::library_paths()) {
    for (const std::string& file : files) candidates.push_back((folder / file).string());
  }
  candidates.insert(candidates.end(), files.begin(), files.end());
  for (const char* folder : {"/usr/local/cuda/lib64", "/opt/cuda/lib64"}) {
    for (const std::string& file : files) candidates.push_back(fmt::format("{}/{}", folder, file));
  }
  return candidates;
}

void keep_open(Library library) {
  static std::mutex mutex;
  static auto& kept = *std::make_unique<std::vector<Library>>().release();
  const std::lock_guard lock(mutex);
  kept.push_back(std::move(library));
}

}  // namespace overtake::backend::cuda
