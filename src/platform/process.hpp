// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace overtake::platform {

/// The number of this process.
[[nodiscard]] std::int64_t process_number() noexcept;

/// True if there is a process of that number, also one of another user.
[[nodiscard]] bool is_running(std::int64_t process) noexcept;

}  // namespace overtake::platform
