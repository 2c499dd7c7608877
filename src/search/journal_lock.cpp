// SPDX-License-Identifier: MIT
#include "search/journal_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "overtake/error.hpp"
#include "overtake/search.hpp"

namespace overtake {

namespace search_detail {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_writing(const fs::path& path, int number) {
  const bool no_locks = number == ENOLCK || number == ENOSYS || number == EOPNOTSUPP;
  throw DataError(
      fmt::format("cannot write the journal {}: {}", path.string(), std::generic_category().message(number)),
      no_locks ? "Its file system has no locks, which keep two searches apart: give a journal on a local disk."
               : "Check that the folder exists and that you may write there.");
}

/// Two names of one file have one lock.
fs::path lock_path(const fs::path& journal) {
  std::error_code ignored;
  const fs::path resolved = fs::weakly_canonical(journal, ignored);
  return (resolved.empty() ? journal : resolved).string() + "-lock";
}

/// The whole file.
struct flock request() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

// A lock file of its own, because SQLite's locks on the database come and go with each transaction, and are lost when
// the process closes any other descriptor of that file. The lock belongs to the open file: the system drops it with the
// process, however it ends, and others can ask for it without taking it, which flock() has no way to do: then a search
// that starts while somebody asks would find the lock taken.
WriterLock::WriterLock(const fs::path& journal) : path_(lock_path(journal)) {
  while (true) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (descriptor_ < 0) fail_writing(journal, errno);
    struct flock lock = request();
    if (::fcntl(descriptor_, F_OFD_SETLK, &lock) != 0) {
      const int number = errno;
      ::close(descriptor_);
      descriptor_ = -1;
      if (number != EAGAIN && number != EACCES) fail_writing(journal, number);
      throw DataError(fmt::format("the journal {} is in use: another search writes it", journal.string()),
                      "Wait until it has ended, or give another journal; reading it is possible at any time.");
    }
    // The writer before may have removed the file between our open and our lock; then this lock guards nothing.
    struct stat mine {};
    struct stat named {};
    if (::fstat(descriptor_, &mine) == 0 && ::stat(path_.c_str(), &named) == 0 && mine.st_ino == named.st_ino &&
        mine.st_dev == named.st_dev) {
      return;
    }
    ::close(descriptor_);
    descriptor_ = -1;
  }
}

WriterLock::~WriterLock() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace search_detail

bool is_being_written(const std::filesystem::path& journal) {
  const int descriptor = ::open(search_detail::lock_path(journal).c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return false;
  struct flock lock = search_detail::request();
  const bool held = ::fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(descriptor);
  return held;
}

}  // namespace overtake
