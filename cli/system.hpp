// SPDX-License-Identifier: MIT
// What the tool asks of the operating system and the library does not: terminals, standard streams, signals, and which
// names are one file. system.cpp is the only file of the tool that another operating system needs anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "overtake/stop.hpp"

namespace cli::system {

// Numbers of the standard streams.
inline constexpr int output = 1;
inline constexpr int errors = 2;

[[nodiscard]] bool is_terminal(int stream);
/// Columns; 80 where the system does not say.
[[nodiscard]] int terminal_width(int stream);
/// Takes over the user's character set and says whether it is UTF-8.
[[nodiscard]] bool locale_is_utf8();

/// Opens /dev/null in place of standard streams that are closed, so that no file gets their numbers and then the text
/// that is meant for them; reading and writing there fails as before. A closed pipe and the limit of file sizes are
/// errors from now on, not the end of the process. To be called first.
void guard_standard_streams();

/// Writes all of a text to standard output, waiting where it is full.
[[nodiscard]] std::error_code write_output(std::string_view text);

/// From now on the first Ctrl-C (or SIGTERM, or SIGHUP unless nohup has it ignored) sets the token, and the second ends
/// the process. The first one writes `said`, which lives on, to standard error at once, for work that does not end at
/// once.
[[nodiscard]] overtake::StopToken& stop_on_interrupt(std::string_view said = {});
/// True after the first such signal.
[[nodiscard]] bool is_interrupted() noexcept;

/// What is the same for all names of one file, and differs between files.
struct FileNumber {
  std::uint64_t device = 0;
  std::uint64_t file = 0;
  bool operator==(const FileNumber&) const = default;
};
struct FoundFile {
  FileNumber number;
  bool is_character_device = false;  ///< a terminal, /dev/null
};
/// Nothing for a stream that is closed, or a name that leads to no file.
[[nodiscard]] std::optional<FoundFile> find_file(int stream);
[[nodiscard]] std::optional<FoundFile> find_file(const std::string& path);

}  // namespace cli::system
