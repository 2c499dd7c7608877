// SPDX-License-Identifier: MIT
#include "search/journal_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "overtake/error.hpp"

namespace overtake::search_detail {

namespace {

namespace fs = std::filesystem;

/// Sources of the numbers: statfs(2), <linux/magic.h>, and the headers of the file systems themselves.
struct SharedFileSystem {
  std::uint32_t number;
  std::string_view name;
};
constexpr std::array<SharedFileSystem, 19> shared_file_systems = {{{0x6969, "nfs"},
                                                                   {0x517B, "smb"},
                                                                   {0xFF534D42, "cifs"},
                                                                   {0xFE534D42, "smb2"},
                                                                   {0x65735546, "fuse"},
                                                                   {0x01021997, "9p"},
                                                                   {0x0BD00BD0, "lustre"},
                                                                   {0x00C36400, "ceph"},
                                                                   {0x47504653, "gpfs"},
                                                                   {0x5346414F, "afs"},
                                                                   {0x6B414653, "afs"},
                                                                   {0x73757245, "coda"},
                                                                   {0x0000564C, "ncp"},
                                                                   {0x7461636F, "ocfs2"},
                                                                   {0x01161970, "gfs2"},
                                                                   {0x19830326, "beegfs"},
                                                                   {0x20030528, "orangefs"},
                                                                   {0x786F4256, "vboxsf"},
                                                                   {0xBACBACBC, "vmhgfs"}}};

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

/// False where there is nothing of this name.
bool require_file(const std::string& path, std::string_view what) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw DataError(fmt::format("cannot use the {} {}: {}", what, path, std::generic_category().message(errno)),
                    "Check that the file and its folder exist and that you may read and write there.");
  }
  if (S_ISREG(status.st_mode)) return true;
  throw DataError(fmt::format("the {} {} is {}, no file", what, path, kind_of(status.st_mode)),
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
  // Without waiting, should another process have put a pipe there since.
  const int descriptor = ::open(rollback_journal.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return;  // what SQLite cannot read either, or is gone by now
  std::string end(magic.size(), '\0');
  const bool placed = ::lseek(descriptor, -static_cast<off_t>(end.size()), SEEK_END) >= 0;
  const bool read = placed && ::read(descriptor, end.data(), end.size()) == static_cast<ssize_t>(end.size());
  ::close(descriptor);
  if (!read || end != magic) return;
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

std::int64_t file_system_of(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  struct statfs status {};
  if (::statfs(path.c_str(), &status) != 0 && ::statfs(folder.c_str(), &status) != 0) return 0;
  return static_cast<std::int64_t>(status.f_type);
}

std::string_view shared_file_system(std::int64_t number) noexcept {
  // 32 bits wherever it comes from: some systems extend its sign.
  const auto low = static_cast<std::uint32_t>(number);
  const auto* found = std::find_if(shared_file_systems.begin(), shared_file_systems.end(),
                                   [&](const SharedFileSystem& system) { return system.number == low; });
  return found == shared_file_systems.end() ? std::string_view() : found->name;
}

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
  place.shared = shared_file_system(probe(real));
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

}  // namespace overtake::search_detail
