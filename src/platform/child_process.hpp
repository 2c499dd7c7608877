// SPDX-License-Identifier: MIT
// A program that is run aside and watched: what may crash or hang does it there.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace overtake::platform {

/// The descriptor on which a child of run_child() reports lines. Standard output is for the libraries it loads.
inline constexpr int report_descriptor = 3;

struct ChildCommand {
  std::filesystem::path program;
  std::vector<std::string> arguments;    ///< behind the program's name
  std::vector<std::string> environment;  ///< all of it, as "NAME=VALUE"
  bool errors_are_reports = false;       ///< what it writes to standard error are lines of report_descriptor, too
};

/// How a child ended.
struct ChildEnd {
  enum class Kind : std::uint8_t {
    exited,     ///< by itself; `code` is its exit code
    crashed,    ///< by a signal; `signal` names it
    destroyed,  ///< by a signal of somebody else's; the system takes back memory like that
    timed_out,  ///< it reported nothing for too long, and was killed
    stopped,    ///< `stop` said so, and it was killed
  };
  Kind kind = Kind::exited;
  int code = 0;
  std::string signal;      ///< "SIGABRT", or "signal 64"
  std::string last_error;  ///< the last line it wrote to standard error
};

/// Runs a program to its end and calls `on_line` for each line it writes to report_descriptor. It has no standard
/// input, its standard output goes nowhere, it inherits no other files and is the first of a process group of its own,
/// which is killed as a whole: when it reports no line for `timeout`, when `stop` (asked ten times a second) gives
/// true, or when `on_line` throws. The program itself sees to it that it does not outlive this process
/// (end_with_parent()). Throws std::system_error when the program cannot be started.
[[nodiscard]] ChildEnd run_child(const ChildCommand& command, std::chrono::milliseconds timeout,
                                 const std::function<void(std::string_view)>& on_line,
                                 const std::function<bool()>& stop);

/// For the child: from now on the system kills this process when the thread that started it ends, and a crash leaves no
/// core file. False if `parent`, the number of the process that started it, is gone already.
[[nodiscard]] bool end_with_parent(std::int64_t parent) noexcept;

/// For the child: writes a line to report_descriptor. Lost where nobody reads it.
void report_to_parent(std::string_view line) noexcept;

}  // namespace overtake::platform
