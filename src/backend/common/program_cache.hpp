// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace overtake::backend {

/// Everything a compiled program depends on. The dialect's version is added by the cache.
struct ProgramKey {
  std::string source;    ///< complete: prelude, defines, kernels
  std::string options;   ///< of the compiler
  std::string device;    ///< name and architecture
  std::string driver;    ///< version
  std::string compiler;  ///< name and version

  /// 32 hexadecimal digits: XXH3-128 of all fields and the dialect's version.
  [[nodiscard]] std::string digest() const;
};

/// Compiled programs on disk, one file each. Never an error: a folder that cannot be read or written means no cache, a
/// file that is truncated or altered is ignored (and overwritten by the next store). Safe between threads and
/// processes: files are written under a temporary name and renamed.
class ProgramCache {
 public:
  /// No `folder`: no cache. The oldest files go when all together exceed `limit_bytes`.
  explicit ProgramCache(std::optional<std::filesystem::path> folder, std::uint64_t limit_bytes = 256ULL << 20U);

  /// The stored binary, or nothing.
  [[nodiscard]] std::optional<std::string> load(const ProgramKey& key);
  void store(const ProgramKey& key, std::string_view binary) noexcept;
  /// True for a file that holds what store() wrote.
  [[nodiscard]] static bool is_whole(const std::filesystem::path& file);

  [[nodiscard]] std::uint64_t hits() const noexcept { return hits_; }
  [[nodiscard]] std::uint64_t misses() const noexcept { return misses_; }

 private:
  [[nodiscard]] std::filesystem::path file_of(const std::string& digest) const;
  void bound_size() const;

  std::optional<std::filesystem::path> folder_;
  std::uint64_t limit_bytes_;
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
};

}  // namespace overtake::backend
