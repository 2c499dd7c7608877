// SPDX-License-Identifier: MIT
#include "search/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "overtake/error.hpp"

namespace overtake::search_detail {

namespace {

/// How long a statement waits for another process that has the file locked for a moment.
constexpr int patience_ms = 10'000;

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
  return !std::filesystem::exists(path.string() + "-wal", ignored);
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

std::int64_t Statement::whole(int column) const { return sqlite3_column_int64(statement_.get(), column); }

double Statement::number(int column) const {
  const bool none = sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
  return none ? std::numeric_limits<double>::quiet_NaN() : sqlite3_column_double(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return bytes == nullptr
             ? std::string()
             : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

Database::Database(std::filesystem::path path, Mode mode) : path_(std::move(path)) {
  if (mode == Mode::write) {
    const int code = open(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
    if (code != SQLITE_OK) fail(code);
    return;
  }
  // With the right to write, so that the last reader of a journal whose writer was killed leaves no -wal and -shm
  // files.
  int code = open(SQLITE_OPEN_READWRITE, "");
  if (code == SQLITE_OK) {
    code = sqlite3_exec(handle_.get(), "PRAGMA query_only=1; SELECT count(*) FROM sqlite_schema", nullptr, nullptr,
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
  if (code == SQLITE_OK) sqlite3_busy_timeout(handle, patience_ms);
  return code;
}

void Database::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

void Database::execute(const char* sql) const {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t Database::whole(const char* sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.whole(0) : 0;
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
    case SQLITE_CORRUPT:
      throw DataError(fmt::format("the journal {} is damaged: {}", name, reason),
                      "Move it away and run the search anew.");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw DataError(fmt::format("the journal {} is in use by another process", name),
                      "Wait until it has ended, or give another journal.");
    case SQLITE_FULL:
      throw DataError(fmt::format("cannot write the journal {}: the disk is full", name),
                      "Free some space and run the same command again; what was written is kept.");
    case SQLITE_NOMEM: throw std::bad_alloc();
    default: break;
  }
  if (number != 0) reason += fmt::format(" ({})", std::generic_category().message(number));
  throw DataError(fmt::format("cannot use the journal {}: {}", name, reason),
                  "Check that the file and its folder exist and that you may read and write there.");
}

}  // namespace overtake::search_detail
