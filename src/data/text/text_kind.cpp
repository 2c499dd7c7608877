// SPDX-License-Identifier: MIT
#include "data/text/text_kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

namespace overtake::data {

namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

/// The first lines, without line ends and blank lines.
std::vector<std::string_view> lines_of(std::string_view head, bool whole, std::size_t most) {
  std::vector<std::string_view> lines;
  while (!head.empty() && lines.size() < most) {
    const std::size_t end = head.find_first_of("\r\n");
    if (end == std::string_view::npos && !whole) break;
    const std::string_view line = head.substr(0, end);
    if (!without_blanks(line).empty()) lines.push_back(line);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 1);
  }
  return lines;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) {
           return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
         });
}

std::optional<FileKind> json_kind(std::string_view text) {
  constexpr FileKind json = {
      "JSON",
      "Write it as CSV: python3 -c \"import pandas, sys; pandas.read_json(sys.argv[1]).to_csv(sys.argv[2], "
      "index=False)\" FILE FILE.csv"};
  constexpr FileKind lines = {"JSON lines",
                              "Write it as CSV: python3 -c \"import pandas, sys; pandas.read_json(sys.argv[1], "
                              "lines=True).to_csv(sys.argv[2], index=False)\" FILE FILE.csv"};
  const std::string_view inside = without_blanks(text.substr(1));
  const char next = inside.empty() ? '\0' : inside.front();
  if (text.front() == '{') {
    if (next != '"' && next != '}') return {};
    const std::size_t end = text.find_first_of("\r\n");
    if (end == std::string_view::npos) return json;
    const bool closed = without_blanks(text.substr(0, end)).ends_with('}');
    return closed && without_blanks(text.substr(end)).starts_with('{') ? lines : json;
  }
  // "[1,2]" may be a table of odd cells; a list of objects, lists or texts, or one that begins on a line of its own,
  // is none.
  const bool own_line = text.size() > 1 && (text[1] == '\n' || text[1] == '\r');
  if (next == '{' || next == '[' || next == '"' || (own_line && next != '\0')) return json;
  return {};
}

std::optional<FileKind> markup_kind(std::string_view text) {
  for (const std::string_view word : {"<!doctype html", "<html", "<head", "<body", "<table", "<script"}) {
    if (starts_with_word(text, word)) {
      return FileKind{"a web page", "Download the file itself: the link led to a page about it, or to an error."};
    }
  }
  if (starts_with_word(text, "<?xml") || starts_with_word(text, "<!--") || starts_with_word(text, "<!doctype")) {
    return FileKind{"XML", "Export it as CSV from the program that wrote it."};
  }
  return {};
}

/// "LABEL INDEX:VALUE INDEX:VALUE ..."
bool is_libsvm(std::string_view line) {
  std::size_t pairs = 0;
  std::size_t words = 0;
  while (!(line = without_blanks(line)).empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    const std::size_t colon = word.find(':');
    const bool pair = colon != std::string_view::npos && colon > 0 && word.find_first_not_of("0123456789") == colon &&
                      word.find_first_not_of("0123456789.eE+-", colon + 1) == std::string_view::npos;
    if (words > 0 && !pair) return false;
    if (words == 0 && word.find_first_not_of("0123456789.eE+-,") != std::string_view::npos) return false;
    pairs += pair ? 1U : 0U;
    ++words;
    line.remove_prefix(end);
  }
  return pairs >= 2;
}

std::size_t count_cells(std::string_view line, char delimiter) {
  std::size_t count = 1;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == delimiter && !quoted) ++count;
  }
  return count;
}

/// The delimiter of most cells in a line; 0 where there is but one cell.
char delimiter_of(std::string_view line) {
  char best = '\0';
  std::size_t most = 1;
  for (const char candidate : {'\t', ';', ',', '|'}) {
    const std::size_t count = count_cells(line, candidate);
    if (count > most) {
      most = count;
      best = candidate;
    }
  }
  // R's write.table puts blanks between quoted names.
  if (best == '\0' && line.find("\" \"") != std::string_view::npos) best = ' ';
  return best;
}

std::optional<FileKind> comment_kind(const std::vector<std::string_view>& lines) {
  if (lines.empty() || lines[0].front() != '#') return {};
  const auto first = std::find_if(lines.begin(), lines.end(), [](std::string_view line) { return line[0] != '#'; });
  if (first == lines.end()) return {};
  const auto comments = first - lines.begin();
  const char delimiter = delimiter_of(*first);
  // "#id,a,b" over cells of that number is a header.
  if (comments == 1 && count_cells(lines[0], delimiter) == count_cells(*first, delimiter)) return {};
  return FileKind{"a table with comment lines before it", "Remove them: grep -v '^#' FILE > FILE.plain"};
}

/// "| a | b |" over "|---|:-:|".
std::optional<FileKind> markdown_kind(const std::vector<std::string_view>& lines) {
  if (lines.size() < 2 || without_blanks(lines[0]).find('|') == std::string_view::npos) return {};
  const std::string_view rule = without_blanks(lines[1]);
  const bool rules =
      rule.find_first_not_of("|-: ") == std::string_view::npos && rule.find('|') != std::string_view::npos;
  if (!rules || rule.find("--") == std::string_view::npos) return {};
  return FileKind{"a Markdown table", "Remove its second line and the bars at both ends of each line."};
}

/// A title or a note above the header: one cell, under which all lines have as many cells as each other.
std::optional<FileKind> title_kind(const std::vector<std::string_view>& lines) {
  constexpr std::size_t least_lines = 4;
  if (lines.size() < least_lines) return {};
  const char delimiter = delimiter_of(lines[2]);
  if (delimiter == '\0' || delimiter == ' ') return {};
  const std::size_t cells = count_cells(lines[2], delimiter);
  const auto filled = [&](std::string_view line) {
    return std::count_if(line.begin(), line.end(), [&](char c) { return c != delimiter && c != ' ' && c != '"'; }) > 0;
  };
  // "Sales 2024,,," is what a spreadsheet makes of a title.
  const std::size_t first_end = std::min(lines[0].find(delimiter), lines[0].size());
  const bool one_cell = filled(lines[0].substr(0, first_end)) && !filled(lines[0].substr(first_end));
  if (!one_cell || cells < 2) return {};
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (count_cells(lines[i], delimiter) != cells) return {};
  }
  return FileKind{"a table with a title above its header", "Remove the first line: tail -n +2 FILE > FILE.plain"};
}

std::optional<FileKind> row_names_kind(const std::vector<std::string_view>& lines) {
  if (lines.size() < 2) return {};
  char delimiter = delimiter_of(lines[1]);
  if (delimiter == '\0' && count_cells(lines[1], ' ') > 1 && count_cells(lines[1], '"') > 1) delimiter = ' ';
  if (delimiter == '\0' || (delimiter == ' ' && lines[0].find('"') == std::string_view::npos)) return {};
  const std::size_t names = count_cells(lines[0], delimiter);
  bool trailing = true;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (count_cells(lines[i], delimiter) != names + 1) return {};
    trailing = trailing && lines[i].back() == delimiter;
  }
  if (trailing) {
    return FileKind{"a table with a delimiter at the end of each row, but not of its header",
                    "Remove those delimiters, or write one at the end of the first line, too."};
  }
  return FileKind{
      "a table with row names: its header has one name less than the rows have cells",
      "In R: write.csv(x, \"FILE\", row.names = FALSE); or put a name before the others in the first line."};
}

}  // namespace

std::optional<FileKind> structured_text(std::string_view head) {
  if (head.starts_with(byte_order_mark)) head.remove_prefix(byte_order_mark.size());
  const std::string_view text = without_blanks(head);
  if (text.empty()) return {};
  if (text.front() == '{' || text.front() == '[') return json_kind(text);
  if (text.front() == '<') return markup_kind(text);
  if (text.starts_with("version https://git-lfs.github.com/")) {
    return FileKind{"a pointer of Git LFS, not the file itself", "Fetch the file: git lfs pull"};
  }
  if (starts_with_word(text, "@relation")) {
    return FileKind{"an ARFF file (Weka)", "Remove the lines that begin with @ and write the names as first line."};
  }
  const std::vector<std::string_view> lines = lines_of(head, false, 3);
  if (lines.size() > 1 && std::all_of(lines.begin(), lines.end(), is_libsvm)) {
    return FileKind{"a LIBSVM file",
                    "Write it as CSV: python3 -c \"import sys, numpy, sklearn.datasets as d; x, y = "
                    "d.load_svmlight_file(sys.argv[1]); numpy.savetxt(sys.argv[2], numpy.c_[x.toarray(), y], "
                    "delimiter=',')\" FILE FILE.csv"};
  }
  return {};
}

std::optional<FileKind> odd_table(std::string_view head, bool whole) {
  constexpr std::size_t most_lines = 20;
  if (whole && !head.empty() && without_blanks(head).empty()) {
    return FileKind{"empty but for blank lines", "Check that the file was written completely."};
  }
  const std::vector<std::string_view> lines = lines_of(head, whole, most_lines);
  for (const auto kind_of : {comment_kind, markdown_kind, title_kind}) {
    if (const std::optional<FileKind> kind = kind_of(lines)) return kind;
  }
  return row_names_kind(lines);
}

std::optional<char> declared_delimiter(std::string_view first_line) {
  while (!first_line.empty() && (first_line.back() == '\n' || first_line.back() == '\r')) first_line.remove_suffix(1);
  if (first_line.size() >= 2 && first_line.front() == '"' && first_line.back() == '"') {
    first_line = first_line.substr(1, first_line.size() - 2);
  }
  constexpr std::string_view word = "sep=";
  if (first_line.size() != word.size() + 1 || !starts_with_word(first_line, word)) return {};
  const char delimiter = first_line.back();
  if (delimiter == '"' || std::isalnum(static_cast<unsigned char>(delimiter)) != 0) return {};
  return delimiter;
}

}  // namespace overtake::data
