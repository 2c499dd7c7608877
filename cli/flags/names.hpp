// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "overtake/image.hpp"

namespace overtake {
struct Placement;
}

namespace cli {

/// Looks for unknown subcommands and flags before parsing, to name the one that was probably meant. Throws
/// overtake::UsageError.
void check_names(const CLI::App& root, int argc, const char* const* argv);

/// "2..8", "2,4,8" or "2..4,8" as numbers. Throws overtake::UsageError naming `flag`.
[[nodiscard]] std::vector<int> parse_ranges(const std::string& text, const std::string& flag);
/// Comma-separated words; empty ones are left out. Double quotes round a word hold a comma, and two of them a quote:
/// '"weight, kg",age'.
[[nodiscard]] std::vector<std::string> parse_words(const std::string& text);
/// Comma-separated whole numbers. Throws overtake::UsageError naming `flag`.
[[nodiscard]] std::vector<std::int64_t> parse_sizes(const std::string& text, const std::string& flag);
/// What --device says, opened: throws what opening it throws. Nothing for "auto".
[[nodiscard]] std::optional<overtake::Placement> asked_for(const std::string& device);

/// What --on-broken says: refuse or skip. Throws overtake::UsageError.
[[nodiscard]] overtake::OnBroken parse_broken_rule(const std::string& name);

/// Throws overtake::UsageError unless it holds.
void require(bool holds, const std::string& message, const std::string& hint = {});

}  // namespace cli
