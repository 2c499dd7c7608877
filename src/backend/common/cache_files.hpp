// SPDX-License-Identifier: MIT
// Which files of the cache's folder are ours: those named by a digest and an ending that says what they hold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace overtake::backend {

inline constexpr std::string_view program_ending = ".program";
inline constexpr std::string_view verdict_ending = ".verdict";
inline constexpr std::string_view rates_ending = ".rates";

/// Held by the process that tries a driver; where that was killed, a file that nobody holds.
inline constexpr std::string_view trial_lock = "trial.lock";

enum class CacheFile : std::uint8_t {
  foreign,     ///< not ours
  program,     ///< a compiled program
  verdict,     ///< what the trial of a driver found
  rates,       ///< how fast a device is (src/placement)
  unfinished,  ///< being written, or left over from a process that was killed
  lock,        ///< trial_lock
};

/// What a file with this name is.
[[nodiscard]] CacheFile kind_of(const std::filesystem::path& path);

/// What a file of the cache holds: nothing where it is longer than `most` or no plain file (a pipe would be waited
/// for).
[[nodiscard]] std::optional<std::string> read_cache_file(const std::filesystem::path& path, std::uintmax_t most);

/// Writes `content` as digest + ending: under an unfinished name first, which is renamed. Makes the folder, and removes
/// what is left over in it. False where that fails; nothing stays behind then.
bool write_cache_file(const std::filesystem::path& folder, const std::string& digest, std::string_view ending,
                      std::string_view content);

/// The name, before its last six letters are chosen, of a file or folder that is not to stay.
[[nodiscard]] std::string unfinished_name(const std::string& digest);

/// Removes unfinished files and folders that are older than an hour. Never an error.
void remove_left_over(const std::filesystem::path& folder) noexcept;

}  // namespace overtake::backend
