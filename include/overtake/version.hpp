// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace overtake {

/// "0.1.0"
[[nodiscard]] std::string_view version() noexcept;

}  // namespace overtake
