// SPDX-License-Identifier: MIT
#include "platform/lock_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "platform/posix/error.hpp"

namespace overtake::platform {

namespace {

namespace fs = std::filesystem;

/// The whole file.
struct flock request() noexcept {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// The holder before may have removed the file between our open and our lock; then this lock guards nothing.
bool still_has_its_name(const File& file, const fs::path& path) noexcept {
  struct stat mine {};
  struct stat named {};
  return ::fstat(file.descriptor(), &mine) == 0 && ::stat(path.c_str(), &named) == 0 && mine.st_ino == named.st_ino &&
         mine.st_dev == named.st_dev;
}

}  // namespace

// The lock belongs to the open file: others can ask for it without taking it, which flock() has no way to do. Then a
// process that starts while somebody asks would find the lock taken.
std::error_code LockFile::take(const fs::path& path) {
  path_ = path;
  while (true) {
    File file(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666));
    if (!file.is_open()) return last_error();
    struct flock lock = request();
    if (::fcntl(file.descriptor(), F_OFD_SETLK, &lock) != 0) {
      const bool taken = errno == EAGAIN || errno == EACCES;
      return taken ? std::make_error_code(std::errc::device_or_resource_busy) : last_error();
    }
    if (!still_has_its_name(file, path_)) continue;
    file_ = std::move(file);
    return {};
  }
}

LockFile::~LockFile() {
  if (!file_.is_open()) return;
  std::error_code ignored;
  fs::remove(path_, ignored);
}

bool LockFile::is_held(const fs::path& path) noexcept {
  const File file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  struct flock lock = request();
  return file.is_open() && ::fcntl(file.descriptor(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace overtake::platform
