// SPDX-License-Identifier: MIT
#include "search/journal/journal_file.hpp"

#include <fmt/format.h>

#include <string>
#include <system_error>

#include "overtake/data/file.hpp"
#include "overtake/error.hpp"
#include "platform/file.hpp"

namespace overtake::search_detail {

namespace {

namespace fs = std::filesystem;

const char* kind_of(fs::file_type type) {
  if (type == fs::file_type::directory) return "a folder";
  if (type == fs::file_type::fifo) return "a pipe";
  if (type == fs::file_type::socket) return "a socket";
  return "a device";
}

/// False where there is nothing of this name.
bool require_file(const std::string& path, std::string_view what) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return false;
  if (error) {
    throw DataError(fmt::format("cannot use the {} {}: {}", what, path, error.message()),
                    "Check that the file and its folder exist and that you may read and write there.");
  }
  if (fs::is_regular_file(status)) return true;
  throw DataError(fmt::format("the {} {} is {}, no file", what, path, kind_of(status.type())),
                  "Give a journal the name of a file in a folder of your own.");
}

/// The first bytes of an SQLite database: its name, page size and how it is written.
constexpr std::size_t header_bytes = 20;
struct Header {
  std::string bytes;

  [[nodiscard]] bool is_database() const {
    constexpr std::string_view magic("SQLite format 3\0", 16);
    return bytes.starts_with(magic);
  }
  [[nodiscard]] bool has_log() const { return bytes.size() == header_bytes && bytes.back() == 2; }
};

/// A rollback journal that ends so names another file, which SQLite removes in the end: one that many databases share.
/// Overtake has no such transactions, so somebody made it up.
void refuse_shared_rollback(const std::string& rollback_journal) {
  constexpr std::string_view magic("\xD9\xD5\x05\xF9\x20\xA1\x63\xD7", 8);
  // Without waiting, should another process have put a pipe there since. What cannot be read SQLite cannot read either.
  if (platform::last_bytes(rollback_journal, magic.size()) != magic) return;
  throw DataError(
      fmt::format("{} is no rollback journal of Overtake: it names a file that SQLite would remove", rollback_journal),
      "It may have been forged; do not use the journal it lies beside.");
}

/// Where SQLite keeps the files beside the journal: those of a link lie beside what it points to.
std::string resolved(const fs::path& path) {
  std::error_code ignored;
  const fs::path target = fs::weakly_canonical(path, ignored);
  return (target.empty() ? path : target).string();
}

}  // namespace

JournalPlace look_at_journal(const fs::path& path, FileSystemProbe probe) {
  if (path.empty()) throw UsageError("the journal has no name");
  JournalPlace place;
  const std::string real = resolved(path);
  place.exists = require_file(path.string(), "journal");
  bool log = false;
  for (const char* suffix : {"-wal", "-shm", "-journal", "-lock"}) {
    const bool exists = require_file(real + suffix, "file beside the journal");
    log = log || (exists && std::string_view(suffix) == "-wal");
    if (exists && std::string_view(suffix) == "-journal") refuse_shared_rollback(real + suffix);
  }
  place.shared = platform::shared_file_system(probe(real));
  if (!place.exists) return place;
  const Header header{Database(path, Database::Mode::look).head(header_bytes)};
  // SQLite would take a short text file for a database without content, and overwrite it.
  if (!header.bytes.empty() && !header.is_database()) {
    throw DataError(fmt::format("{} is no journal of Overtake: it is no SQLite database", path.string()),
                    "Give the name of a journal, or of a file that does not exist yet.");
  }
  if (place.shared.empty() || !header.has_log()) return place;
  if (log) {
    throw DataError(fmt::format("the journal {} lies on a shared file system ({}) and is open or was not closed: its "
                                "write-ahead log can be read safely only on the computer that wrote it",
                                path.string(), place.shared),
                    "Run the command there, or copy the journal and its -wal file together to a local disk.");
  }
  place.read_mode = Database::Mode::read_at_rest;
  return place;
}

NewJournal::NewJournal(const fs::path& path)
    : main_(link_target(path)), log_(main_.string() + "-wal"), shared_(main_.string() + "-shm") {
  std::error_code unknown;
  is_kept_ = fs::exists(main_, unknown) || unknown;
}

NewJournal::~NewJournal() {
  if (is_kept_) return;
  std::error_code ignored;
  for (const fs::path* file : {&log_, &shared_, &main_}) fs::remove(*file, ignored);
}

}  // namespace overtake::search_detail
