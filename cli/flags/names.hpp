// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <optional>
#include <string>
#include <vector>

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
/// Comma-separated positive whole numbers. Throws overtake::UsageError naming `flag`.
[[nodiscard]] std::vector<std::int64_t> parse_sizes(const std::string& text, const std::string& flag);
/// What --device says, opened: throws what opening it throws. Nothing for "auto".
std::optional<overtake::Placement> asked_for(const std::string& device);

/// Throws overtake::UsageError, naming the nearest, unless `value` is one of `choices`.
void check_choice(const std::string& value, const std::vector<std::string>& choices, const std::string& flag);

/// What --seed takes: whole numbers from 0 to 9223372036854775807, the largest that a model file's random_state holds.
[[nodiscard]] CLI::Validator seed_check();

/// Makes an option take sizes in bytes above 0 such as 512MiB.
void read_as_size(CLI::Option& option);

}  // namespace cli
