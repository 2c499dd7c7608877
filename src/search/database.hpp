// SPDX-License-Identifier: MIT
// SQLite's C interface as objects that close themselves. Every failure is a DataError that names the file.
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

  [[nodiscard]] std::int64_t whole(int column) const;
  [[nodiscard]] double number(int column) const;  ///< NaN for NULL
  [[nodiscard]] std::string text(int column) const;

 private:
  struct Close {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Close> statement_;
};

class Database {
 public:
  enum class Mode : std::uint8_t { read, write };

  /// `write` makes the file if there is none; `read` refuses statements that write. Nothing is read yet, so that a
  /// foreign file shows at the first statement.
  Database(std::filesystem::path path, Mode mode);

  /// Runs statements that give no rows.
  void execute(const char* sql) const;
  /// The first column of the first row.
  [[nodiscard]] std::int64_t whole(const char* sql) const;
  [[nodiscard]] std::string text(const char* sql) const;
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

  std::filesystem::path path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace overtake::search_detail
