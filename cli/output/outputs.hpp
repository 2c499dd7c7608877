// SPDX-License-Identifier: MIT
// What a command is about to write, checked before it works for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// What goes into an output decides where it may go.
enum class Content {
  text,      ///< anywhere, standard output included
  binary,    ///< a model: a file or a pipe, not standard output, where text goes
  in_place,  ///< a checkpoint, which is read and written again and again: a file
  journal,   ///< likewise; SQLite and the lock have files of their own beside it
};

/// An output as the command line has it; an empty path was not asked for.
struct Output {
  std::string_view flag;
  std::string path;
  Content content = Content::text;
  std::string_view replaces = {};  ///< the flag of an input that it may replace, as that is read as a whole before
};

/// An input as the command line has it.
struct Input {
  std::string_view flag;
  std::string path;
  bool is_journal = false;  ///< as Content::journal
};

/// True for "-", /dev/stdout and every other name of standard output: what is meant for people stays away then.
[[nodiscard]] bool is_standard_output(const std::string& path);

/// Before any work: no output is an input or another output, however the paths are spelt (links of both kinds
/// included), or a file that belongs to a journal, at most one goes to standard output and none of those that cannot,
/// and each can be written. Nothing stays behind. Named pipes are opened, which waits some seconds for their readers,
/// and stay open until the process ends, unless an input is a pipe, too. Throws overtake::UsageError naming both flags
/// and the file, or DataError for a file that cannot be written.
void check_outputs(const std::vector<Output>& outputs, const std::vector<Input>& inputs = {});

}  // namespace cli
