// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace overtake::platform {

/// The number of this process.
[[nodiscard]] std::int64_t process_number() noexcept;

/// How many forks lie between the first call in a process and this one, which is a child of it where that is not 0: a
/// child has no thread but one, and no driver that its parent used works there. (A program that is started anew counts
/// anew.)
[[nodiscard]] int forks() noexcept;

/// True if there is a process of that number, also one of another user.
[[nodiscard]] bool is_running(std::int64_t process) noexcept;

/// Seconds of a processor that the calling thread has taken.
[[nodiscard]] double thread_seconds() noexcept;

/// The environment of this process, as "NAME=VALUE".
[[nodiscard]] std::vector<std::string> environment();

}  // namespace overtake::platform
