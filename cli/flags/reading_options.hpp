// SPDX-License-Identifier: MIT
// The flags that say how a CSV file is read: the same for all subcommands.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "overtake/data/preprocessing.hpp"
#include "overtake/data/table.hpp"

namespace cli {

/// How a file is read.
struct ReadingFlags {
  std::string data;  ///< the file
  /// What was given: each sets its option of the library.
  std::vector<std::function<void(overtake::TableOptions&)>> given;

  /// Puts what was given over `options`. Throws UsageError naming the flag.
  [[nodiscard]] overtake::TableOptions over(overtake::TableOptions options = {}) const;
};

/// What is learnt from which columns.
struct DataFlags : ReadingFlags {
  std::optional<overtake::Task> task;  ///< unset: auto
  overtake::ColumnRoles roles;

  /// How the file is read to learn from it. Throws UsageError.
  [[nodiscard]] overtake::TableOptions training_options() const;
};

/// The flags of the notation and the header.
void add_notation_flags(CLI::App& app, ReadingFlags& flags);
/// --text: columns that are text.
void add_text_flag(CLI::App& app, ReadingFlags& flags);
/// --task.
void add_task_flag(CLI::App& app, std::optional<overtake::Task>& task);
/// DATA, --target, --task, --drop and --text, and the flags of the notation.
void add_data_flags(CLI::App& app, DataFlags& flags);

}  // namespace cli
