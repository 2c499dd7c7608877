// SPDX-License-Identifier: MIT
// Records of a CSV file through libcsv, with the line each one begins at.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/source/line_source.hpp"

namespace overtake::data {

/// One record. The cells lie one after the other in `bytes`; cell i ends before `ends[i]`.
struct Record {
  std::int64_t line = 0;  ///< 1-based line at which it begins
  std::string bytes;
  std::vector<std::size_t> ends;
  std::vector<bool> quotes;  ///< cell i stood in quotes; shorter than `ends` where the rest did not

  [[nodiscard]] std::size_t size() const noexcept { return ends.size(); }
  [[nodiscard]] std::string_view cell(std::size_t i) const noexcept {
    const std::size_t begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(bytes).substr(begin, ends[i] - begin);
  }
  [[nodiscard]] bool quoted(std::size_t i) const noexcept { return i < quotes.size() && quotes[i]; }
};

/// How the bytes of a file become records.
struct RecordFormat {
  std::optional<char> delimiter;  ///< unset: detected
  std::string encoding = "utf-8";
  std::size_t longest_line = 0;
};

/// Reads a file record by record.
class RecordReader {
 public:
  /// Throws DataError for a file that cannot be opened or begins as one of another kind. `on_record` gets each record
  /// in order; what it throws passes through step().
  RecordReader(const std::filesystem::path& path, const RecordFormat& format,
               std::function<void(const Record&)> on_record);
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  /// Reads one physical line, which may end a record; false at the end of the file. Throws DataError as read_table says
  /// for everything that is wrong below the level of cells.
  bool step();
  [[nodiscard]] char delimiter() const noexcept { return delimiter_; }
  /// Bytes of the text that step() has read.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// Bytes of the file itself, compressed or not, that those are.
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return source_.file_bytes(); }

 private:
  class Parser;

  LineSource source_;
  char delimiter_ = ',';
  std::function<void(const Record&)> on_record_;
  std::unique_ptr<Parser> parser_;
  std::deque<std::string> ahead_;  // lines that were read to detect the delimiter
  std::int64_t line_ = 0;          // of those
  std::uint64_t bytes_ = 0;
  bool finished_ = false;
};

/// The delimiter of a table from its first lines: the first of tab, semicolon, pipe and comma that occurs, outside
/// quotes, equally often (and at least once) in every line; else the one that occurs most often in the first line; else
/// comma.
[[nodiscard]] char detect_delimiter(const std::vector<std::string>& lines);

}  // namespace overtake::data
