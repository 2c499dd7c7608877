// SPDX-License-Identifier: MIT
// JSON of strangers: how deep it may nest.
#pragma once

#include <string_view>

namespace overtake {

/// Lists and objects that JSON text may nest in one another. Overtake's own files need less than 80.
inline constexpr int deepest_json = 100;

/// The text itself, or "" (which no parser takes for JSON) where it nests deeper than deepest_json. Whatever parses
/// JSON parses this: a value that nests 80,000 deep overflows the stack when it is copied, written or freed.
[[nodiscard]] std::string_view shallow_json(std::string_view text) noexcept;

/// Whether that is the case, for messages.
[[nodiscard]] inline bool is_deep_json(std::string_view text) noexcept {
  return !text.empty() && shallow_json(text).empty();
}

}  // namespace overtake
