// SPDX-License-Identifier: MIT
// Floating-point numbers in text, which not every standard library reads without asking the locale: libc++ has
// std::from_chars for them from its version 20 on.
#pragma once

#include <charconv>

namespace overtake::platform {

/// Reads as std::from_chars does in its general format. Where that is std::errc::result_out_of_range, `value` is the
/// nearest double all the same: an infinity, or what is left of a number next to 0.
[[nodiscard]] std::from_chars_result decimal_from_chars(const char* first, const char* last, double& value);

/// The same by the C library, for standard libraries that lack it. Slower.
[[nodiscard]] std::from_chars_result decimal_by_strtod(const char* first, const char* last, double& value);

}  // namespace overtake::platform
