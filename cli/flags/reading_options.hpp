// SPDX-License-Identifier: MIT
// The flags that say how a CSV file is read: the same for train, search, predict and describe.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "overtake/data/description.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/data/table.hpp"

namespace cli {

/// How cells are written, and what columns are.
struct ReadingFlags {
  std::string data;
  std::string task = "auto";
  std::string drop, text;                                             ///< comma-separated column names
  std::string delimiter, decimal, thousands, units, dates, encoding;  ///< "": not given
  std::optional<std::string> missing;                                 ///< comma-separated words
  bool header = false, no_header = false;
};

/// Adds the flags of the notation and the header: what any reader of a file takes.
void add_notation_flags(CLI::App& app, ReadingFlags& flags);
/// Adds DATA, --task, --drop and --text, and the flags above.
void add_reading_flags(CLI::App& app, ReadingFlags& flags);

/// Puts what was given over `options`. Throws UsageError naming the flag.
void apply_notation(const ReadingFlags& flags, overtake::TableOptions& options);

/// How a file is read to learn `target` from it. Throws UsageError.
[[nodiscard]] overtake::TableOptions training_options(const ReadingFlags& flags, const std::string& target);

/// Unset for "auto". Throws UsageError for an unknown task.
[[nodiscard]] std::optional<overtake::Task> task_of(const ReadingFlags& flags);

/// The decisions of reading, for `train` and `search`: the columns line, and the task with its reason where the tool
/// chose it.
[[nodiscard]] std::string decisions_text(const overtake::Table& table, const overtake::TableDescription& description,
                                         const overtake::Preprocessing& preprocessing, bool task_given);

/// Notes on the columns that a model uses (the target's included), one a line: "note: column x: ...".
[[nodiscard]] std::string notes_text(const overtake::TableDescription& description,
                                     const overtake::Preprocessing& preprocessing);
/// What was unseen or out of range, likewise.
[[nodiscard]] std::string notes_text(const overtake::TransformReport& report);

}  // namespace cli
