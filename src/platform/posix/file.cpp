// SPDX-License-Identifier: MIT
#include "platform/file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "platform/posix/error.hpp"

namespace overtake::platform {

namespace {

namespace fs = std::filesystem;

constexpr unsigned everybody = 0666;  // less what the process' mask takes away

File opened(int descriptor, std::error_code& error) noexcept {
  error = descriptor < 0 ? last_error() : std::error_code();
  return File(descriptor);
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File::File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

std::size_t File::read(std::span<char> target, std::error_code& error) noexcept {
  error.clear();
  while (true) {
    const ssize_t count = ::read(descriptor_, target.data(), target.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    error = last_error();
    return 0;
  }
}

std::error_code File::write(std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd room{descriptor_, POLLOUT, 0};
      static_cast<void>(::poll(&room, 1, -1));
    } else if (errno != EINTR) {
      return last_error();
    }
  }
  return {};
}

std::error_code File::sync() noexcept { return ::fsync(descriptor_) == 0 ? std::error_code() : last_error(); }

std::error_code File::close() noexcept {
  const int descriptor = std::exchange(descriptor_, -1);
  // Linux closes the descriptor even when it reports an interruption.
  return descriptor < 0 || ::close(descriptor) == 0 || errno == EINTR ? std::error_code() : last_error();
}

bool is_out_of_space(const std::error_code& error) noexcept {
  return error == std::errc::no_space_on_device || error == std::error_code(EDQUOT, std::generic_category());
}

File open_to_read(const fs::path& path, std::error_code& error) noexcept {
  return opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC), error);
}

File open_plain_to_read(const fs::path& path, std::error_code& error) noexcept {
  struct stat status {};
  const auto is_plain = [&status] { return S_ISREG(status.st_mode); };
  error = ::stat(path.c_str(), &status) == 0 ? std::error_code() : last_error();
  if (!error && !is_plain()) error = std::make_error_code(std::errc::invalid_argument);
  if (error) return {};
  File file = opened(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), error);
  if (!file.is_open() || (::fstat(file.descriptor(), &status) == 0 && is_plain())) return file;
  error = std::make_error_code(std::errc::invalid_argument);  // it was replaced meanwhile
  return {};
}

File open_to_write(const fs::path& path, std::error_code& error) noexcept {
  return opened(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC), error);
}

File open_pipe_to_write(const fs::path& path, std::error_code& error) noexcept {
  File pipe = opened(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC), error);
  if (pipe.is_open()) static_cast<void>(::fcntl(pipe.descriptor(), F_SETFL, O_WRONLY));  // a full pipe is waited for
  return pipe;
}

File create(const fs::path& path, std::error_code& error) noexcept {
  return opened(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, everybody), error);
}

File create_private(std::string& name, std::error_code& error) noexcept {
  return opened(::mkostemp(name.data(), O_CLOEXEC), error);
}

std::error_code create_private_folder(std::string& name) noexcept {
  return ::mkdtemp(name.data()) == nullptr ? last_error() : std::error_code();
}

void sync_folder(const fs::path& folder) noexcept {
  const File opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.is_open()) ::fsync(opened.descriptor());
}

std::string last_bytes(const fs::path& path, std::size_t count) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open() || ::lseek(file.descriptor(), -static_cast<off_t>(count), SEEK_END) < 0) return {};
  std::string bytes(count, '\0');
  const ssize_t read = ::read(file.descriptor(), bytes.data(), bytes.size());
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read)));
  return bytes;
}

void mark_written(const File& file) noexcept { static_cast<void>(::flock(file.descriptor(), LOCK_EX | LOCK_NB)); }

bool is_unmarked(const fs::path& path) noexcept {
  const File file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  return file.is_open() && ::flock(file.descriptor(), LOCK_EX | LOCK_NB) == 0;
}

}  // namespace overtake::platform
