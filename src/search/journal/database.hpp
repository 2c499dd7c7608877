// SPDX-License-Identifier: MIT
// SQLite's C interface as objects that close themselves. Every failure is a DataError that names the file. The content
// is not trusted: nothing that stands in the file runs, and what it takes to read it is bounded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace overtake::search_detail {

class Database;

/// A prepared statement; columns and parameters are counted from 0.
class Statement {
 public:
  Statement(const Database& database, std::string_view sql);

  Statement& bind(int parameter, std::int64_t value);
  /// NaN is stored as NULL: SQLite has no NaN.
  Statement& bind(int parameter, double value);
  Statement& bind(int parameter, std::string_view text);
  /// True when there is a row to read; false at the end.
  [[nodiscard]] bool step();
  /// Runs a statement that gives no rows, and makes it ready for the next values.
  void run();

  /// These throw DataError where the column holds something of another kind.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double number(int column) const;  ///< NaN for NULL
  [[nodiscard]] std::string text(int column) const;

 private:
  void require(bool kind_fits, int column, std::string_view expected) const;

  struct Close {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Close> statement_;
};

class Database {
 public:
  enum class Mode : std::uint8_t {
    read,          ///< refuses statements that write
    read_at_rest,  ///< likewise, and nobody writes meanwhile: takes no lock and makes no file
    write,         ///< makes the file if there is none
    look,          ///< only head() may be called
  };
  /// Longest text or row in bytes: longer ones are neither written nor read.
  static constexpr int most_bytes = 16 << 20;

  /// Nothing is read yet, so that a foreign file shows at the first statement.
  Database(std::filesystem::path path, Mode mode);

  /// Up to `size` bytes from the beginning of the file. Never read them with a descriptor of your own: the system drops
  /// all locks of a process on a file when the process closes any descriptor of it, and SQLite's are such locks.
  [[nodiscard]] std::string head(std::size_t size) const;
  /// Runs statements that give no rows.
  void execute(const char* sql) const;
  /// The first column of the first row.
  [[nodiscard]] std::int64_t integer(const char* sql) const;
  [[nodiscard]] std::string text(const char* sql) const;
  /// From now on statements may take as much work as reading the file several times does; what takes more is refused as
  /// damaged, because the pages of a forged file can lead in circles. free_work() ends that.
  void limit_work();
  void free_work() noexcept;
  /// Ends a failed transaction, if one is open.
  void roll_back() const noexcept;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }
  /// Throws the DataError for SQLite's result `code`.
  [[noreturn]] void fail(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept;
  };
  /// SQLite's result code; `options` of the URI.
  [[nodiscard]] int open(int access, std::string_view options);
  /// Nothing in the file is trusted.
  [[nodiscard]] int harden() const;

  std::filesystem::path path_;
  std::unique_ptr<std::int64_t> work_left_;  ///< calls of the progress handler; its address must stay
  std::unique_ptr<sqlite3, Close> handle_;
};

/// Throws the DataError of a journal whose content makes no sense.
[[noreturn]] void fail_damaged(const Database& database, std::string_view what);

}  // namespace overtake::search_detail
