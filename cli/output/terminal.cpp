// SPDX-License-Identifier: MIT
#include "output/terminal.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <system_error>

#include "output/outputs.hpp"
#include "overtake/data/file.hpp"
#include "overtake/error.hpp"
#include "overtake/text.hpp"
#include "system.hpp"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Terminal standard_output() {
  Terminal terminal;
  terminal.interactive = system::is_terminal(system::output);
  terminal.width = terminal.interactive ? system::terminal_width(system::output) : 0;
  terminal.unicode = system::locale_is_utf8();
  return terminal;
}

void print_error(std::string_view text) { print_fixed_error(overtake::text::printable(text)); }

void print_notes(const std::vector<std::string>& sentences, std::string_view before) {
  for (const std::string& sentence : sentences) {
    print_error(fmt::format("note: {}{}\n", before, overtake::text::printable_line(sentence)));
  }
}

void print_fixed_error(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  static_cast<void>(std::fflush(stderr));
}

void print(std::string_view text) { print_drawing(overtake::text::printable(text)); }

void print_drawing(std::string_view text) {
  const std::error_code error = system::write_output(text);
  if (!error) return;
  const bool closed = error == std::errc::broken_pipe;
  throw overtake::DataError(
      "cannot write to standard output: " + (closed ? "its reader closed it before the end" : error.message()),
      closed ? "Let the reading program take everything, or write to a file."
             : overtake::limit_hint(error, "Check the file or pipe that standard output goes to."));
}

// By its name, which AtomicFile knows: what standard output holds already stays.
TableOutput::TableOutput(const std::string& path)
    : on_terminal_(is_standard_output(path) && system::is_terminal(system::output)),
      writer_(is_standard_output(path) ? "/dev/stdout" : path) {}

void TableOutput::add(const overtake::Table& part) {
  if (!on_terminal_) return writer_.add(part);
  overtake::Table shown = part;
  for (overtake::Column& column : shown.columns) {
    column.name = overtake::text::printable_line(column.name);
    for (std::string& word : column.categories) word = overtake::text::printable_line(word);
  }
  writer_.add(shown);
}

void write_output(const std::string& path, std::string_view text) {
  if (is_standard_output(path)) {
    if (system::is_terminal(system::output)) {
      print(text);
    } else {
      print_drawing(text);
    }
  } else {
    overtake::write_text_file(path, text);
  }
}

ProgressLine::ProgressLine() : interactive_(system::is_terminal(system::errors)), last_(Clock::now()) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::update(const std::string& text) {
  const double pause = interactive_ ? 0.1 : 5.0;
  const auto now = Clock::now();
  if (std::chrono::duration<double>(now - last_).count() < pause) return;
  last_ = now;
  const std::string shown = overtake::text::printable_line(text);
  if (!interactive_) {
    std::fprintf(stderr, "%s\n", shown.c_str());
    return;
  }
  const auto width = static_cast<std::size_t>(system::terminal_width(system::errors) - 1);
  std::fprintf(stderr, "\r\x1b[K%s", shown.substr(0, width).c_str());
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  if (shown_) {
    std::fprintf(stderr, "\r\x1b[K");
    std::fflush(stderr);
    shown_ = false;
  }
}

}  // namespace cli
