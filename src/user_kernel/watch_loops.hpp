// SPDX-License-Identifier: MIT
// Loops that look at the clock.
#pragma once

#include <string_view>

#include "core/c_text.hpp"

namespace overtake::user_kernel {

/// Puts a look at the clock into the condition of each loop of a text, those of its macros included, and before each
/// jump backward. `sign` is that of the lines which faults name. Throws UsageError for loops that it cannot see: by a
/// goto in a macro or to an address, or where a macro is one half of a loop.
void watch_loops(std::string_view kernel, std::string_view text, int sign, c_text::Edits& edits);

}  // namespace overtake::user_kernel
