// SPDX-License-Identifier: MIT
#include "platform/stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <string>

#include "platform/posix/error.hpp"

namespace overtake::platform {

namespace fs = std::filesystem;

std::optional<int> stream_named(const fs::path& path) {
  const std::string text = path.lexically_normal().string();
  if (text == "/dev/stdin") return STDIN_FILENO;
  if (text == "/dev/stdout") return STDOUT_FILENO;
  if (text == "/dev/stderr") return STDERR_FILENO;
  const std::string folder = path.parent_path().lexically_normal().string();
  if (folder != "/dev/fd" && folder != "/proc/self/fd" && folder != fmt::format("/proc/{}/fd", ::getpid())) return {};
  const std::string digits = path.filename().string();
  int number = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 0) return {};
  return number;
}

File open_again(int descriptor, std::error_code& error) noexcept {
  File copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  error = copy.is_open() ? std::error_code() : last_error();
  return copy;
}

bool is_open_to_write(int descriptor) noexcept {
  const int flags = ::fcntl(descriptor, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

}  // namespace overtake::platform
