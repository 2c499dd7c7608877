// SPDX-License-Identifier: MIT
#include "data/table/csv_records.hpp"

#include <csv.h>
#include <fmt/format.h>

#include <exception>
#include <utility>

#include "overtake/error.hpp"

namespace overtake::data {

namespace {

constexpr std::size_t most_cells = 1'000'000;

/// Follows the quotes of a record beside libcsv, which does not tell whether a cell had any.
class QuoteTracker {
 public:
  explicit QuoteTracker(char delimiter) : delimiter_(delimiter) {}

  /// Looks at a physical line of the record.
  void feed(std::string_view text) {
    if (!inside_ && text.find('"') == std::string_view::npos) return;  // such a line ends the record
    for (const char c : text) {
      if (inside_) {
        inside_ = c != '"';  // a doubled quote leaves and comes back at once
      } else if (c == '"') {
        if (quotes_.size() <= cell_) quotes_.resize(cell_ + 1);
        quotes_[cell_] = true;
        inside_ = true;
      } else if (c == delimiter_) {
        ++cell_;
      }
    }
  }
  [[nodiscard]] std::vector<bool>& quotes() { return quotes_; }
  void restart() {
    quotes_.clear();
    cell_ = 0;
    inside_ = false;
  }

 private:
  char delimiter_;
  std::vector<bool> quotes_;
  std::size_t cell_ = 0;
  bool inside_ = false;
};

}  // namespace

/// libcsv's parser with the state that its C callbacks need. Exceptions may not cross C code: they wait in `failure`.
class RecordReader::Parser {
 public:
  Parser(std::string name, char delimiter, std::size_t longest, const std::function<void(const Record&)>& on_record)
      : name_(std::move(name)), longest_(longest), on_record_(on_record), quotes_(delimiter) {
    csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
    csv_set_blk_size(&parser_, std::size_t{1} << 16);
  }
  ~Parser() { csv_free(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  /// Parses one physical line.
  void feed(std::string_view text, std::int64_t line) {
    if (!inside_record_) {
      record_.line = line;
      cell_line_ = line;
      record_bytes_ = 0;
    }
    line_ = line;
    quotes_.feed(text);
    record_bytes_ += text.size();
    if (record_bytes_ > longest_ + 2) fail_long_record();  // two bytes of line end do not count
    const std::size_t count = csv_parse(&parser_, text.data(), text.size(), &Parser::on_cell, &Parser::on_row, this);
    if (failure_) std::rethrow_exception(failure_);
    if (count != text.size()) fail_quote(count);
    const bool blank = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (row_ended_ || (blank && !inside_record_)) quotes_.restart();
    if (row_ended_) {
      inside_record_ = false;
      row_ended_ = false;
    } else if (!blank) {
      inside_record_ = true;
    }
  }

  /// Ends the file: its last record may lack a line end.
  void finish() {
    const int status = csv_fini(&parser_, &Parser::on_cell, &Parser::on_row, this);
    if (failure_) std::rethrow_exception(failure_);
    if (status == 0) return;
    throw DataError(fmt::format("{}, line {}, column {}: this cell's quote is never closed, expected a closing quote",
                                name_, cell_line_, record_.size() + 1),
                    "Close the quote; a quote inside a quoted cell is written twice.");
  }

 private:
  static void on_cell(void* text, std::size_t size, void* self) noexcept {
    static_cast<Parser*>(self)->add_cell(static_cast<const char*>(text), size);
  }
  static void on_row(int, void* self) noexcept { static_cast<Parser*>(self)->end_row(); }

  void add_cell(const char* text, std::size_t size) noexcept {
    if (failure_) return;
    cell_line_ = line_;
    row_ended_ = false;
    try {
      if (record_.size() >= most_cells) {
        throw DataError(fmt::format("{}, line {}, column {}: expected at most {} columns", name_, record_.line,
                                    record_.size() + 1, most_cells),
                        "Check the delimiter.");
      }
      record_.bytes.append(text, size);
      record_.ends.push_back(record_.bytes.size());
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void end_row() noexcept {
    if (failure_) return;
    row_ended_ = true;
    try {
      record_.quotes = quotes_.quotes();
      on_record_(record_);
    } catch (...) {
      failure_ = std::current_exception();
    }
    record_.bytes.clear();
    record_.ends.clear();
  }

  [[noreturn]] void fail_quote(std::size_t byte) {
    if (csv_error(&parser_) != CSV_EPARSE) throw std::bad_alloc();
    throw DataError(
        fmt::format("{}, line {}, column {}, byte {}: a quote in the wrong place; expected quotes only round "
                    "a whole cell",
                    name_, line_, record_.size() + 1, byte + 1),
        "Put the whole cell in quotes and write each quote inside it twice.");
  }

  [[noreturn]] void fail_long_record() const {
    throw DataError(fmt::format("{}, line {}, column {}: the record that begins at line {} is longer than {} bytes; "
                                "expected it to end before",
                                name_, cell_line_, record_.size() + 1, record_.line, longest_),
                    "Look for a quote that is opened and never closed.");
  }

  std::string name_;
  std::size_t longest_;
  const std::function<void(const Record&)>& on_record_;
  csv_parser parser_{};
  Record record_;
  QuoteTracker quotes_;
  std::int64_t line_ = 0;
  std::int64_t cell_line_ = 0;  // line at which the cell being read begins
  std::size_t record_bytes_ = 0;
  bool inside_record_ = false;
  bool row_ended_ = false;
  std::exception_ptr failure_;
};

namespace {

std::size_t count_outside_quotes(std::string_view line, char wanted) {
  std::size_t count = 0;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == wanted && !quoted) ++count;
  }
  return count;
}

}  // namespace

char detect_delimiter(const std::vector<std::string>& lines) {
  constexpr char candidates[] = {'\t', ';', '|', ','};
  char most_frequent = ',';
  std::size_t most = 0;
  for (const char candidate : candidates) {
    const std::size_t first = lines.empty() ? 0 : count_outside_quotes(lines[0], candidate);
    bool same = first > 0;
    for (const std::string& line : lines) same = same && count_outside_quotes(line, candidate) == first;
    if (same) return candidate;
    if (first > most) {
      most = first;
      most_frequent = candidate;
    }
  }
  return most_frequent;
}

RecordReader::RecordReader(const std::filesystem::path& path, const RecordFormat& format,
                           std::function<void(const Record&)> on_record)
    : source_(path, format.longest_line, format.encoding), on_record_(std::move(on_record)) {
  constexpr std::size_t sample_lines = 10;
  constexpr std::size_t sample_bytes = std::size_t{1} << 16;
  // Lines read ahead to detect the delimiter; blank ones stay, so that line numbers stay right.
  std::vector<std::string> sample;
  std::size_t bytes = 0;
  while (!format.delimiter && sample.size() < sample_lines && bytes < sample_bytes) {
    const std::optional<std::string_view> line = source_.next();
    if (!line) break;
    ahead_.emplace_back(*line);
    bytes += line->size() + 1;
    if (line->find_first_not_of(" \r\n") != std::string_view::npos) sample.emplace_back(*line);
  }
  const std::optional<char> known = format.delimiter ? format.delimiter : source_.declared_delimiter();
  delimiter_ = known ? *known : detect_delimiter(sample);
  line_ = source_.declared_delimiter() ? 1 : 0;
  parser_ = std::make_unique<Parser>(source_.name(), delimiter_, format.longest_line, on_record_);
}

RecordReader::~RecordReader() = default;

bool RecordReader::step() {
  if (finished_) return false;
  if (!ahead_.empty()) {
    bytes_ += ahead_.front().size();
    parser_->feed(ahead_.front(), ++line_);
    ahead_.pop_front();
    return true;
  }
  if (const std::optional<std::string_view> line = source_.next()) {
    bytes_ += line->size();
    parser_->feed(*line, source_.line());
    return true;
  }
  finished_ = true;
  parser_->finish();
  return false;
}

}  // namespace overtake::data
