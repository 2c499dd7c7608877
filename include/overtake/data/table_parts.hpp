// SPDX-License-Identifier: MIT
/// Tables that are read, encoded and written some rows at a time, in memory that does not grow with the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "overtake/data/preprocessing.hpp"
#include "overtake/data/table.hpp"

namespace overtake {

/// How much of a file is in memory at once.
struct PartSize {
  std::uint64_t bytes = std::uint64_t{64} << 20;  ///< about what a part takes: texts, numbers, and what each row needs
  std::uint64_t bytes_beside_each_row = 0;        ///< that the caller needs for each row
};

/// Reads a CSV file part by part. The parts, one behind the other, are the table that read_table() gives, but for
/// columns that are ignored, which hold nothing, and the places of texts in Column::categories, which differ from part
/// to part. Parts have a multiple of 4096 rows, except for the last, and for rows of more than about 16 KiB. With
/// Notation::date_format the whole file is one part.
class TableReader {
 public:
  /// Throws UsageError unless the options say what each column is (as Preprocessing::table_options() do) and whether
  /// there is a header, and what read_table() throws of a file that cannot be opened.
  explicit TableReader(const std::filesystem::path& path, TableOptions options, PartSize size = {});
  ~TableReader();
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  /// The next rows, at least one; nothing behind the last. Throws as read_table(), as soon as a part shows what is
  /// wrong; TableOptions::memory_limit is for one part.
  [[nodiscard]] std::optional<Table> next();
  /// True once next() gave the last part.
  [[nodiscard]] bool at_end() const noexcept;
  /// Bytes of the file, compressed or not, that the parts so far took; about, where it is not plain text.
  [[nodiscard]] std::uint64_t file_bytes() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Encodes a table that comes in parts as Preprocessing::transform_features() does the whole.
class PartEncoder {
 public:
  /// `how` must outlive it.
  explicit PartEncoder(const Preprocessing& how);

  /// The inputs of some rows. `last`: no more come, and what only the whole tells is judged. Throws as
  /// transform_features().
  [[nodiscard]] Dataset add(const Table& part, bool last);
  /// What was met; complete after the last part.
  [[nodiscard]] const TransformReport& report() const noexcept { return report_; }

 private:
  /// What is known of a feature so far.
  struct Found {
    UnseenCells unseen;
    std::string first_unseen;  ///< where
    std::int64_t present = 0, outside = 0;
    double example = 0;  ///< the first outside
  };
  void encode_text(std::size_t feature, const Table& part, std::size_t column, std::size_t offset, Dataset& data);
  void count_outside(std::size_t feature, const Table& part, std::size_t column);
  void judge_unseen(const Found& found, bool last);
  void judge_range(const Feature& feature, const Found& found, const Table& part);

  const Preprocessing& how_;
  std::vector<Found> found_;  ///< of each feature
  TransformReport report_;
};

/// Writes a table as write_table() does, some rows at a time. The file appears with commit(), whole, or not at all;
/// pipes and devices get each part at once.
class TableWriter {
 public:
  /// Throws as AtomicFile.
  explicit TableWriter(const std::filesystem::path& path);
  ~TableWriter();
  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;

  /// Appends rows; every part has the columns of the first. Throws DataError if they cannot be written.
  void add(const Table& part);
  /// Makes the file visible under its name; call it once, last.
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace overtake
