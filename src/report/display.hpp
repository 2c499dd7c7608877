// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace overtake::report {

/// Columns a UTF-8 text takes in a terminal, one for each code point.
[[nodiscard]] std::size_t display_width(std::string_view text);

}  // namespace overtake::report
