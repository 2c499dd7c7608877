// SPDX-License-Identifier: MIT
// The public view of the cache (overtake/device/cache.hpp).
#include "overtake/device/cache.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "backend/common/cache_files.hpp"
#include "backend/common/trial/verdict_store.hpp"
#include "core/config.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

namespace fs = std::filesystem;

/// Counts the files that are ours and calls `visit` for each.
CacheContents walk(const std::function<void(const fs::path&)>& visit) {
  using backend::CacheFile;
  CacheContents contents;
  contents.folder = config::cache_directory();
  std::error_code error;
  if (!contents.folder || !fs::exists(*contents.folder, error)) return contents;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(*contents.folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;  // another process may remove files meanwhile
    const CacheFile kind = backend::kind_of(it->path());
    if (kind == CacheFile::foreign || kind == CacheFile::lock) continue;
    const bool is_folder = kind == CacheFile::unfinished && it->is_directory(gone);  // of a compiler that was killed
    if (is_folder || it->is_regular_file(gone)) files.push_back(it->path());
  }
  if (error) {
    throw DataError(fmt::format("the cache in {} cannot be read: {}", contents.folder->string(), error.message()),
                    "Check its permissions, or choose another folder with OVERTAKE_CACHE_DIR.");
  }
  for (const fs::path& path : files) {
    switch (backend::kind_of(path)) {
      case CacheFile::program: {
        std::error_code gone;
        const auto bytes = fs::file_size(path, gone);
        ++contents.programs;
        contents.program_bytes += gone ? 0 : bytes;
        break;
      }
      case CacheFile::verdict:
        if (const auto kept = backend::read_verdict(path)) {
          contents.verdicts.push_back(kept->verdict);
        } else {
          ++contents.damaged;  // as good as none
        }
        break;
      case CacheFile::rates: ++contents.rates; break;
      case CacheFile::unfinished: ++contents.unfinished; break;
      case CacheFile::lock:
      case CacheFile::foreign: break;
    }
    visit(path);
  }
  std::sort(contents.verdicts.begin(), contents.verdicts.end(),
            [](const DriverVerdict& a, const DriverVerdict& b) { return a.tried_at > b.tried_at; });
  return contents;
}

}  // namespace

std::string DriverVerdict::day() const {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(tried_at)));
}

CacheContents cache_contents() {
  return walk([](const fs::path&) {});
}

CacheContents clear_cache() {
  return walk([](const fs::path& path) {
    std::error_code error;
    fs::remove_all(path, error);
    if (!error) return;
    throw DataError(fmt::format("{} cannot be removed: {}", path.string(), error.message()),
                    "Check the permissions of the cache's folder.");
  });
}

}  // namespace overtake
