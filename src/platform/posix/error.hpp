// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <system_error>

namespace overtake::platform {

/// Why the last call of the system failed.
[[nodiscard]] inline std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

}  // namespace overtake::platform
