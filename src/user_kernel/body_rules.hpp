// SPDX-License-Identifier: MIT
// What a kernel's text must not do, said before anything is compiled.
#pragma once

#include <span>
#include <string_view>

#include "core/c_text.hpp"

namespace overtake::user_kernel {

/// Of a body that is put into a loop over elements: no `return`, no SYNC, no LOCAL memory. Throws UsageError with the
/// line.
void check_element_body(std::string_view kernel, std::string_view body);

/// Throws UsageError with the line of a brace that has no other one.
void check_braces(std::string_view kernel, std::string_view text, std::string_view what = "");

/// Throws UsageError for what is no number of seconds.
void check_time_limit(std::string_view kernel, double seconds);

/// Of a kernel of work-items: no SYNC in a branch, and none behind a `return` (docs/dialect.md says why); no values in
/// declarations of LOCAL memory.
void check_raw_body(std::string_view kernel, std::string_view body);

/// The place behind the last token of the statement that begins at `at`; an `else` that follows is no part of it.
[[nodiscard]] std::size_t statement_end(std::span<const c_text::Token> tokens, std::size_t at);

}  // namespace overtake::user_kernel
