// SPDX-License-Identifier: MIT
#include "search/journal/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "overtake/data/file.hpp"
#include "overtake/error.hpp"
#include "platform/host_limits.hpp"

namespace overtake::search_detail {

namespace {

/// How long a statement waits for another process that has the file locked for a moment.
constexpr int patience_ms = 30'000;

/// Steps of SQLite's machine between two looks at the budget.
constexpr int steps_a_look = 1000;

extern "C" int on_progress(void* budget) { return --*static_cast<std::int64_t*>(budget) < 0 ? 1 : 0; }

/// A path as SQLite's URI: everything but plain characters is percent-encoded.
std::string uri_of(const std::filesystem::path& path, std::string_view options) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::strchr("/._-", c) != nullptr;
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri + std::string(options);
}

/// A finished journal in a folder where nothing may be written: SQLite cannot set up the shared memory that readers of
/// a running one need, and must be told that nobody writes.
bool is_at_rest(const std::filesystem::path& path) {
  std::error_code ignored;
  // The log lies beside the file itself, not beside a link to it.
  return !std::filesystem::exists(std::filesystem::weakly_canonical(path, ignored).string() + "-wal", ignored);
}

}  // namespace

Statement::Statement(const Database& database, std::string_view sql) : database_(&database) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) database.fail(code);
}

void Statement::Close::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Statement& Statement::bind(int parameter, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), parameter + 1, value);
  if (code != SQLITE_OK) database_->fail(code);
  return *this;
}

Statement& Statement::bind(int parameter, double value) {
  const int code = std::isnan(value) ? sqlite3_bind_null(statement_.get(), parameter + 1)
                                     : sqlite3_bind_double(statement_.get(), parameter + 1, value);
  if (code != SQLITE_OK) database_->fail(code);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  const int code =
      sqlite3_bind_text64(statement_.get(), parameter + 1, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) database_->fail(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_->fail(code);
  return false;
}

void Statement::run() {
  while (step()) {
  }
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

void Statement::require(bool kind_fits, int column, std::string_view expected) const {
  if (kind_fits) return;
  const char* table = sqlite3_column_name(statement_.get(), column);
  fail_damaged(*database_, fmt::format("a value of {} is no {}", table != nullptr ? table : "a column", expected));
}

std::int64_t Statement::integer(int column) const {
  require(sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER, column, "whole number");
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::number(int column) const {
  const int type = sqlite3_column_type(statement_.get(), column);
  if (type == SQLITE_NULL) return std::numeric_limits<double>::quiet_NaN();
  require(type == SQLITE_FLOAT || type == SQLITE_INTEGER, column, "number");
  return sqlite3_column_double(statement_.get(), column);
}

std::string Statement::text(int column) const {
  require(sqlite3_column_type(statement_.get(), column) == SQLITE_TEXT, column, "text");
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (bytes == nullptr) throw std::bad_alloc();
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Database::Database(std::filesystem::path path, Mode mode) : path_(std::move(path)) {
  if (mode == Mode::write) {
    const int code = open(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
    if (code != SQLITE_OK) fail(code);
    return;
  }
  if (mode == Mode::read_at_rest || mode == Mode::look) {
    const int code = open(SQLITE_OPEN_READONLY, mode == Mode::look ? "" : "?immutable=1");
    if (code != SQLITE_OK) fail(code);
    return;
  }
  // With the right to write, so that the last reader of a journal whose writer was killed leaves no -wal and -shm
  // files.
  int code = open(SQLITE_OPEN_READWRITE, "");
  // SQLite takes less than it was asked for, and would leave files beside a journal that only its owner can remove.
  if (code == SQLITE_OK && sqlite3_db_readonly(handle_.get(), "main") == 1) code = SQLITE_READONLY;
  if (code == SQLITE_OK) {
    limit_work();
    code = sqlite3_exec(handle_.get(), "PRAGMA query_only=1; SELECT 1 FROM sqlite_schema LIMIT 1", nullptr, nullptr,
                        nullptr);
  }
  const int primary = code & 0xFF;
  if (primary != SQLITE_CANTOPEN && primary != SQLITE_READONLY) return;  // other failures show at the first statement
  code = open(SQLITE_OPEN_READONLY, is_at_rest(path_) ? "?immutable=1" : "");
  if (code != SQLITE_OK) fail(code);
}

int Database::open(int access, std::string_view options) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(uri_of(path_, options).c_str(), &handle,
                                   access | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE, nullptr);
  handle_.reset(handle);  // SQLite gives a handle, which knows the reason, when it fails too
  if (code != SQLITE_OK) return code;
  sqlite3_busy_timeout(handle, patience_ms);
  return harden();
}

int Database::harden() const {
  sqlite3* handle = handle_.get();
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, most_bytes);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(handle, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
  for (const auto& [option, value] : {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                      {SQLITE_DBCONFIG_ENABLE_VIEW, 0}}) {
    const int code = sqlite3_db_config(handle, option, value, nullptr);
    if (code != SQLITE_OK) return code;
  }
  return sqlite3_exec(handle, "PRAGMA cell_size_check=1; PRAGMA mmap_size=0", nullptr, nullptr, nullptr);
}

void Database::limit_work() {
  // A row takes some thirty steps and ten bytes at least; tables and their check read it two or three times.
  constexpr std::int64_t steps_anyway = 20'000'000;
  constexpr std::int64_t steps_a_byte = 20;
  std::int64_t bytes = 0;
  for (const char* part : {"", "-wal"}) {
    std::error_code missing;
    const std::uintmax_t size = std::filesystem::file_size(path_.string() + part, missing);
    if (!missing) bytes += static_cast<std::int64_t>(size);
  }
  work_left_ = std::make_unique<std::int64_t>((steps_anyway + steps_a_byte * bytes) / steps_a_look);
  sqlite3_progress_handler(handle_.get(), steps_a_look, on_progress, work_left_.get());
}

void Database::free_work() noexcept { sqlite3_progress_handler(handle_.get(), 0, nullptr, nullptr); }

void Database::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

std::string Database::head(std::size_t size) const {
  sqlite3_file* file = nullptr;
  int code = sqlite3_file_control(handle_.get(), nullptr, SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
  sqlite3_int64 there = 0;
  if (code == SQLITE_OK) code = file->pMethods->xFileSize(file, &there);
  std::string bytes(static_cast<std::size_t>(std::clamp<sqlite3_int64>(there, 0, static_cast<sqlite3_int64>(size))),
                    '\0');
  if (code == SQLITE_OK && !bytes.empty()) {
    code = file->pMethods->xRead(file, bytes.data(), static_cast<int>(bytes.size()), 0);
  }
  if (code != SQLITE_OK) fail(code);
  return bytes;
}

void Database::execute(const char* sql) const {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t Database::integer(const char* sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string Database::text(const char* sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.text(0) : std::string();
}

void Database::roll_back() const noexcept {
  if (sqlite3_get_autocommit(handle_.get()) == 0) {
    sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Database::fail(int code) const {
  const std::string name = path_.string();
  std::string reason = handle_ != nullptr ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  const int number = handle_ != nullptr ? sqlite3_system_errno(handle_.get()) : 0;
  switch (code & 0xFF) {
    case SQLITE_NOTADB:
      throw DataError(fmt::format("{} is no journal of Overtake: it is no SQLite database", name),
                      "Give the name of a journal, or of a file that does not exist yet.");
    case SQLITE_CORRUPT: fail_damaged(*this, reason);
    case SQLITE_INTERRUPT: fail_damaged(*this, "reading it takes far more work than its size accounts for");
    case SQLITE_TOOBIG:
      throw DataError(fmt::format("the journal {}: a text of more than {} bytes", name, most_bytes),
                      "A journal holds no longer names and values; a file with longer ones is damaged.");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      throw DataError(fmt::format("the journal {} is in use by another process", name),
                      "Wait until it has ended, or give another journal.");
    case SQLITE_FULL:
      throw DataError(fmt::format("cannot write the journal {}: the disk is full", name),
                      "Free some space and run the same command again; what was written is kept.");
    case SQLITE_NOMEM: throw std::bad_alloc();
    default: break;
  }
  std::error_code cause(number, std::generic_category());
  // Of a write that a limit of file sizes cut short SQLite keeps no number.
  const bool is_failed_access = (code & 0xFF) == SQLITE_IOERR && number == 0;
  if (is_failed_access && platform::tight_limits().find("ulimit -f") != std::string::npos) {
    cause = std::make_error_code(std::errc::file_too_large);
  }
  if (cause) reason += fmt::format(" ({})", cause.message());
  throw DataError(fmt::format("cannot use the journal {}: {}", name, reason),
                  limit_hint(cause, "Check that the file and its folder exist and that you may read and write there."));
}

void fail_damaged(const Database& database, std::string_view what) {
  throw DataError(fmt::format("the journal {} is damaged: {}", database.path().string(), what),
                  "Move it away and run the search anew.");
}

}  // namespace overtake::search_detail
