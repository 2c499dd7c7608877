// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

/// Small help for programs that talk to people.
namespace overtake::text {

/// The entry of `names` that `word` most likely misspells, by edit distance; empty when none is near.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> names);

}  // namespace overtake::text
