// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "data/message.hpp"
#include "data/temporary_file.hpp"
#include "overtake/data_file.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

namespace fs = std::filesystem;

std::string name_of(const fs::path& path) { return path == "/dev/stdout" ? "standard output" : path.string(); }

[[noreturn]] void fail(const fs::path& path, int number) {
  if (number == EPIPE) {
    throw DataError(fmt::format("cannot write {}: its reader closed it before the end", name_of(path)),
                    "Let the reading program take everything, or write to a file.");
  }
  std::string hint = "Check that the folder exists and that you may write there.";
  if (number == ENOSPC || number == EDQUOT) hint = "Free some space or choose another folder.";
  if (number == EFBIG) hint = "Raise the limit of file sizes (ulimit -f), or choose a folder that takes large files.";
  throw DataError(fmt::format("cannot write {}: {}", name_of(path), data::os_error(number)), hint);
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

/// Opens a named pipe, waiting a while for its reader: for ever would be a command that hangs without a word.
int open_pipe(const fs::path& path) {
  constexpr auto patience = std::chrono::seconds(10);
  constexpr auto pause = std::chrono::milliseconds(5);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor >= 0) {
      static_cast<void>(::fcntl(descriptor, F_SETFL, O_WRONLY));  // a full pipe is waited for
      return descriptor;
    }
    if (errno != ENXIO) fail(path, errno);
    if (std::chrono::steady_clock::now() >= end) {
      throw DataError(fmt::format("cannot write {}: it is a pipe that no program reads; waited {} s", path.string(),
                                  patience.count()),
                      "Start the reading program first, or write to a file.");
    }
    std::this_thread::sleep_for(pause);
  }
}

/// After a rename, makes the new directory entry itself durable. Not every file system can; then there is no more to
/// do.
void sync_folder(const fs::path& file) noexcept {
  try {
    const int descriptor = ::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
  } catch (const std::exception&) {
    return;  // out of memory for a path: the file is complete all the same
  }
}

/// True where only owners may replace a file (a sticky folder, as /tmp), and we are none: the rename would fail, when
/// the work is done.
bool only_owners_replace(const fs::path& path) noexcept {
  struct stat file {};
  struct stat folder {};
  try {
    const fs::path target = link_target(path);
    if (::stat(target.c_str(), &file) != 0 || ::stat(folder_of(target).c_str(), &folder) != 0) return false;
  } catch (const std::exception&) {
    return false;
  }
  const uid_t user = ::geteuid();
  return (folder.st_mode & S_ISVTX) != 0 && user != 0 && user != file.st_uid && user != folder.st_uid;
}

/// What stands under a name before it is written.
fs::file_status status_of(const fs::path& path) {
  if (path.empty()) throw DataError("cannot write a file without a name", "Give a file name.");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) {
    throw DataError(fmt::format("cannot write {}: it is a folder", path.string()), "Give a file name.");
  }
  if (fs::is_socket(status)) {
    throw DataError(fmt::format("cannot write {}: it is a socket", path.string()),
                    "Give the name of a file or a pipe.");
  }
  if (error == std::errc::filename_too_long) fail(path, ENAMETOOLONG);
  // A rename asks for the permission of the folder alone, so a file would not be safe by being write-protected.
  if (fs::exists(status) && ::access(path.c_str(), W_OK) != 0) {
    if (errno != EACCES) fail(path, errno);
    throw DataError(fmt::format("cannot write {}: it is write-protected", path.string()),
                    "Give another name, or allow writing: chmod u+w.");
  }
  if (fs::is_regular_file(status) && only_owners_replace(path)) {
    throw DataError(
        fmt::format("cannot write {}: it belongs to another user, in a folder where only owners replace files",
                    path.string()),
        "Give another name or folder.");
  }
  return status;
}

/// The owner, group and permissions of the file that `descriptor` is going to replace, as far as we may and the file
/// system can. Without the old group its permissions would open the file to another one.
void keep_permissions(int descriptor, const fs::path& old) noexcept {
  struct stat before {};
  struct stat now {};
  if (::stat(old.c_str(), &before) != 0 || ::fstat(descriptor, &now) != 0) return;
  mode_t mode = before.st_mode & 0777U;
  const bool same = before.st_uid == now.st_uid && before.st_gid == now.st_gid;
  if (!same && ::fchown(descriptor, before.st_uid, before.st_gid) != 0 &&
      ::fchown(descriptor, static_cast<uid_t>(-1), before.st_gid) != 0) {
    mode &= ~mode_t{0070};
  }
  static_cast<void>(::fchmod(descriptor, mode));
}

}  // namespace

void require_writable(const fs::path& path) {
  if (const std::optional<int> named = descriptor_named(path)) {
    const int flags = ::fcntl(*named, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) return;
    throw DataError(fmt::format("cannot write {}: it is not open for writing", name_of(path)),
                    "Check where it was redirected to.");
  }
  const fs::file_status status = status_of(path);
  if (!fs::exists(status) || fs::is_regular_file(status)) const AtomicFile probe(path);
}

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)) {
  if (const std::optional<int> named = descriptor_named(path_)) {
    // Not by its name: that would open the file behind it anew, and write over what it holds already.
    descriptor_ = ::fcntl(*named, F_DUPFD_CLOEXEC, 0);
    if (descriptor_ < 0) fail(path_, errno);
    return;
  }
  const fs::file_status status = status_of(path_);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    descriptor_ = fs::is_fifo(status) ? open_pipe(path_) : ::open(path_.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (descriptor_ < 0) fail(path_, errno);
    return;
  }
  path_ = link_target(path_);
  data::remove_left_over(path_);
  descriptor_ = data::open_unnamed(folder_of(path_));
  unnamed_ = descriptor_ >= 0;
  if (!unnamed_) open_named();
  data::mark_written(descriptor_);
  if (fs::exists(status)) keep_permissions(descriptor_, path_);
}

void AtomicFile::open_named() {
  constexpr int attempts = 10;  // the digits are random: one will do
  for (int attempt = 0; attempt < attempts && descriptor_ < 0; ++attempt) {
    const fs::path name = data::temporary_name(path_);
    descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) temporary_ = name;
    if (descriptor_ < 0 && errno != EEXIST) break;
  }
  if (descriptor_ < 0) fail(path_, errno);
}

AtomicFile::~AtomicFile() {
  close();
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::close() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (descriptor_ < 0) throw InternalError("AtomicFile::write after commit");
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {  // somebody else has set the stream not to block
      pollfd room{descriptor_, POLLOUT, 0};
      static_cast<void>(::poll(&room, 1, -1));
      continue;
    }
    if (count < 0) fail(path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

void AtomicFile::commit() {
  if (descriptor_ < 0) throw InternalError("AtomicFile::commit twice");
  const bool direct = temporary_.empty() && !unnamed_;
  // A pipe or a device cannot be synchronised, and need not be.
  if (::fsync(descriptor_) != 0 && !direct) fail(path_, errno);
  if (unnamed_) {
    const fs::path name = data::temporary_name(path_);
    if (!data::give_name(descriptor_, name)) fail(path_, errno);
    temporary_ = name;
  }
  const int descriptor = std::exchange(descriptor_, -1);
  // Linux closes the descriptor even when it reports an interruption.
  if (::close(descriptor) != 0 && errno != EINTR) fail(path_, errno);
  if (direct) return;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, errno);
  temporary_.clear();
  sync_folder(path_);
}

void write_text_file(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace overtake
