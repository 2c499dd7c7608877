// SPDX-License-Identifier: MIT
// What the tool needs of the terminal: its size, a progress line, and output that is whole or not there.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/table_parts.hpp"

namespace cli {

struct Terminal {
  bool interactive = false;
  int width = 0;  ///< 0: not a terminal, no limit
  bool unicode = true;
};
[[nodiscard]] Terminal standard_output();

// Names and texts from files reach people through these functions alone. What a terminal would obey is spelt out there
// (overtake::text::printable), wherever the output goes: pipes end at terminals, too.

/// Writes to standard error. What cannot be written there is lost.
void print_error(std::string_view text);

/// Likewise for text that holds nothing from files. Takes no memory.
void print_fixed_error(std::string_view text);

/// Sentences as notes, a line each on standard error: "note: ", `before`, and the sentence.
void print_notes(const std::vector<std::string>& sentences, std::string_view before = "");

/// Writes to standard output. Throws overtake::DataError when that fails (a full disk, a closed pipe).
void print(std::string_view text);

/// Likewise for text with colours of its own, which holds nothing from files.
void print_drawing(std::string_view text);

/// A table that is written as CSV part by part, to standard output behind what was written before: as it is, but on a
/// terminal as people can read it; or to a file that appears whole or not at all. Throws overtake::DataError.
class TableOutput {
 public:
  explicit TableOutput(const std::string& path);
  void add(const overtake::Table& part);
  void commit() { writer_.commit(); }

 private:
  bool on_terminal_;
  overtake::TableWriter writer_;
};

/// "-" is standard output, which gets the text as it is, unless it is a terminal; other files appear whole or not at
/// all.
void write_output(const std::string& path, std::string_view text);

/// One line on standard error that says how far the work is: rewritten in place on a terminal, else a new line every
/// few seconds.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void update(const std::string& text);
  /// Removes the line, for output that follows.
  void clear();

 private:
  bool interactive_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace cli
