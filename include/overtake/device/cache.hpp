// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What Overtake keeps on disk between processes: compiled kernels, the verdicts on drivers
/// that were tried, and how fast devices are.
namespace overtake {

/// What the trial of a driver found.
struct DriverVerdict {
  std::string subject;        ///< what was tried: "opencl:0 (AMD EPYC, PoCL 3.1)"
  bool passed = false;        ///< false: it is not used, because of `reason`
  std::string reason;         ///< empty if it passed
  std::int64_t tried_at = 0;  ///< seconds since 1970, UTC

  /// "2026-11-26", in UTC.
  [[nodiscard]] std::string day() const;
};

/// What there is in the cache, or what was removed from it.
struct CacheContents {
  std::optional<std::filesystem::path> folder;  ///< nothing: OVERTAKE_CACHE_DIR is empty, or there is no home
  std::int64_t programs = 0;                    ///< compiled kernels
  std::uint64_t program_bytes = 0;
  std::vector<DriverVerdict> verdicts;  ///< the newest first
  std::int64_t rates = 0;               ///< devices whose speed was measured
  std::int64_t unfinished = 0;          ///< files of processes that were killed while they wrote
  std::int64_t damaged = 0;             ///< verdicts that cannot be read, or are not what was written
};

/// Looks at the folder. One that does not exist is empty. Throws DataError for one that cannot be read.
[[nodiscard]] CacheContents cache_contents();

/// Removes compiled kernels, verdicts, measured rates and unfinished files, and nothing else; the folder stays. Gives
/// what was removed. Throws DataError, naming the file, for one that cannot be removed.
CacheContents clear_cache();

}  // namespace overtake
