// SPDX-License-Identifier: MIT
#include "doctor/cache.hpp"

#include <fmt/format.h>

#include <array>
#include <span>
#include <system_error>

#include "backend/common/cache_files.hpp"
#include "backend/common/program_cache.hpp"
#include "backend/common/trial/verdict_store.hpp"
#include "core/config.hpp"
#include "overtake/report.hpp"
#include "platform/file.hpp"
#include "platform/permissions.hpp"

namespace overtake::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t probe_bytes = 64 * 1024;  // of a compiled program

/// Why a file of the size of a compiled program cannot be written there.
std::error_code try_to_write(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return error;
  std::string name = (folder / "doctor-XXXXXX").string();
  platform::File file = platform::create_private(name, error);
  if (error) return error;
  const std::array<std::byte, probe_bytes> nothing{};
  error = file.write(std::as_bytes(std::span(nothing)));
  if (const std::error_code closing = file.close(); !error) error = closing;
  std::error_code ignored;
  fs::remove(name, ignored);
  return error;
}

Finding unwritable(const fs::path& folder, const std::error_code& error) {
  const std::string where = folder.string();
  if (platform::is_out_of_space(error)) {
    return {"cache-full",
            Severity::warning,
            "",
            "the cache's folder has no room: kernels are compiled at every start",
            fmt::format("{}: {}", where, error.message()),
            "make room there, or choose another folder with OVERTAKE_CACHE_DIR; \"overtake cache clear\" empties it"};
  }
  if (error == std::errc::file_too_large) {
    return {"tight-limits",
            Severity::warning,
            "",
            "the limit of the size of files leaves no room for compiled kernels: they are compiled at every start",
            fmt::format("{}: {}", where, error.message()),
            "raise the limit: ulimit -f unlimited"};
  }
  return {"cache-unwritable",
          Severity::warning,
          "",
          "the cache's folder cannot be written: kernels are compiled, and drivers tried, at every start",
          fmt::format("{}: {}", where, error.message()),
          fmt::format("give yourself the right to write there (ls -ld {}), or choose another folder with "
                      "OVERTAKE_CACHE_DIR",
                      where)};
}

/// Files of ours that this user may not read.
struct Closed {
  std::int64_t count = 0;
  fs::path first;
  std::error_code error;
};

Finding unreadable(const Closed& closed) {
  const std::string owner = platform::owner_of(closed.first);
  return {"cache-unreadable",
          Severity::warning,
          "",
          fmt::format("{} in the cache cannot be read by this user: {}",
                      closed.count == 1 ? "1 file" : report::count(closed.count) + " files",
                      "what they hold is made anew at every start"),
          fmt::format("{}: {}{}", closed.first.string(), closed.error.message(),
                      owner.empty() ? "" : "; it belongs to the user " + owner),
          fmt::format("name a folder of your own in OVERTAKE_CACHE_DIR, or have the owner clear {}",
                      closed.first.parent_path().string())};
}

/// A folder, pipe, socket or device that has the name of one of our files and is not ours to remove. Nobody can write
/// a file where a folder is.
Finding in_the_way(const fs::path& path) {
  std::error_code error;
  const bool is_folder = fs::is_directory(path, error);
  return {"cache-damaged",
          Severity::warning,
          "",
          is_folder ? "a folder in the cache has the name of a file of the cache, which is made anew at every start"
                    : "what has the name of a file of the cache is none (but a pipe, a socket or a device), and is "
                      "not read",
          path.string(),
          fmt::format("remove it: rm {}{}", is_folder ? "-r " : "", path.string())};
}

bool is_in_the_way(const fs::directory_entry& entry) {
  const backend::CacheFile kind = backend::kind_of(entry.path());
  if (kind == backend::CacheFile::foreign || kind == backend::CacheFile::unfinished) return false;
  std::error_code error;
  const fs::file_status status = entry.status(error);
  return !error && fs::exists(status) && !fs::is_regular_file(status);
}

/// True for a file of ours that is not what was written.
bool is_damaged(const fs::path& path) {
  switch (backend::kind_of(path)) {
    case backend::CacheFile::program: return !backend::ProgramCache::is_whole(path);
    case backend::CacheFile::verdict: return !backend::read_verdict(path);
    case backend::CacheFile::rates:  // a damaged one is said when it is read, and measured anew
    case backend::CacheFile::unfinished:
    case backend::CacheFile::lock:
    case backend::CacheFile::foreign: break;
  }
  return false;
}

}  // namespace

CacheCheckup examine_cache() { return examine_cache(config::cache_directory()); }

CacheCheckup examine_cache(const std::optional<fs::path>& folder) {
  CacheCheckup result;
  if (!folder) {
    result.findings.push_back({"cache-off", Severity::note, "",
                               "nothing is kept between runs: kernels are compiled, and drivers tried, at every start",
                               "OVERTAKE_CACHE_DIR is empty, or no home folder is known",
                               "unset OVERTAKE_CACHE_DIR, or name a folder in it"});
    return result;
  }
  result.folder = folder->string();
  if (const std::error_code error = try_to_write(*folder)) result.findings.push_back(unwritable(*folder, error));
  std::int64_t damaged = 0;
  std::string first;
  Closed closed;
  std::error_code error;
  for (fs::directory_iterator it(*folder, error), end; !error && it != end; it.increment(error)) {
    if (is_in_the_way(*it)) {
      result.findings.push_back(in_the_way(it->path()));
      continue;
    }
    if (backend::kind_of(it->path()) == backend::CacheFile::program) ++result.programs;
    const backend::CacheFile kind = backend::kind_of(it->path());
    std::error_code refused;
    const bool is_content = kind == backend::CacheFile::program || kind == backend::CacheFile::verdict;
    if (is_content && !platform::open_plain_to_read(it->path(), refused).is_open()) {
      if (refused != std::errc::no_such_file_or_directory && closed.count++ == 0) {  // else removed meanwhile
        closed.first = it->path();
        closed.error = refused;
      }
      continue;
    }
    if (!is_damaged(it->path())) continue;
    if (damaged++ == 0) first = it->path().string();
  }
  if (damaged > 0) {
    result.findings.push_back({"cache-damaged", Severity::warning, "",
                               fmt::format("{} damaged in the cache; what is lost is made anew when it is needed",
                                           damaged == 1 ? "1 file is" : report::count(damaged) + " files are"),
                               first, "overtake cache clear; if it comes back, check the disk"});
  }
  if (closed.count > 0) result.findings.push_back(unreadable(closed));
  return result;
}

}  // namespace overtake::doctor
