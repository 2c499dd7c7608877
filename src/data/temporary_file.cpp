// SPDX-License-Identifier: MIT
#include "data/temporary_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>

namespace overtake::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".tmp";
constexpr std::size_t random_digits = 8;
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t longest_start = 200;  // bytes of the target's name, so that the whole is at most 255

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

std::string start_of(const fs::path& target) { return target.filename().string().substr(0, longest_start) + "."; }

std::string link_of(int descriptor) { return fmt::format("/proc/self/fd/{}", descriptor); }

/// File systems on which a file without a name is known to get one. Some network file systems make such files and then
/// refuse the name, when the work is done.
bool names_later(const fs::path& folder) noexcept {
  struct statfs found {};
  if (::statfs(folder.c_str(), &found) != 0) return false;
  switch (static_cast<unsigned long>(found.f_type)) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC: return true;
    default: return false;
  }
}

/// The process in "START123-0a1b2c3d.tmp"; digits of any number follow it.
std::optional<pid_t> writer_in(std::string_view name, std::string_view start) {
  if (!name.starts_with(start) || !name.ends_with(ending)) return {};
  name.remove_prefix(start.size());
  name.remove_suffix(std::min(ending.size(), name.size()));
  pid_t process = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
  if (error != std::errc() || process <= 0) return {};
  name.remove_prefix(static_cast<std::size_t>(end - name.data()));
  if (name.size() < 2 || name.front() != '-') return {};
  if (name.find_first_not_of(hex_digits, 1) != std::string_view::npos) return {};
  return process;
}

bool is_alive(pid_t process) noexcept { return ::kill(process, 0) == 0 || errno != ESRCH; }

/// True if nobody has the file marked as being written, and no link leads elsewhere.
bool is_abandoned(const fs::path& file) noexcept {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool free = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
  ::close(descriptor);
  return free;
}

}  // namespace

int open_unnamed(const fs::path& folder) noexcept {
  // Without /proc there is no way to give it a name.
  if (!names_later(folder) || ::access("/proc/self/fd", X_OK) != 0) return -1;
  return ::open(folder.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
}

bool give_name(int descriptor, const fs::path& name) noexcept {
  try {
    return ::linkat(AT_FDCWD, link_of(descriptor).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
  } catch (const std::exception&) {
    errno = ENOMEM;
    return false;
  }
}

fs::path temporary_name(const fs::path& target) {
  std::random_device source;
  std::string digits;
  for (std::size_t i = 0; i < random_digits; ++i) digits += hex_digits[source() % hex_digits.size()];
  return folder_of(target) / fmt::format("{}{}-{}{}", start_of(target), ::getpid(), digits, ending);
}

void mark_written(int descriptor) noexcept { static_cast<void>(::flock(descriptor, LOCK_EX | LOCK_NB)); }

void remove_left_over(const fs::path& target) noexcept {
  try {
    const std::string start = start_of(target);
    std::error_code error;
    for (fs::directory_iterator it(folder_of(target), error), end; !error && it != end; it.increment(error)) {
      const std::optional<pid_t> writer = writer_in(it->path().filename().native(), start);
      if (writer && !is_alive(*writer) && is_abandoned(it->path())) ::unlink(it->path().c_str());
    }
  } catch (const std::exception&) {
    return;  // out of memory for a path: the next one cleans up
  }
}

}  // namespace overtake::data
