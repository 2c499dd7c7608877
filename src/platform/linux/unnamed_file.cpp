// SPDX-License-Identifier: MIT
// Files without a name, which Linux alone has.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <exception>
#include <string>

#include "platform/file.hpp"
#include "platform/posix/error.hpp"

namespace overtake::platform {

namespace {

namespace fs = std::filesystem;

std::string link_of(const File& file) { return fmt::format("/proc/self/fd/{}", file.descriptor()); }

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

}  // namespace

File create_unnamed(const fs::path& folder) noexcept {
  // Without /proc there is no way to give it a name.
  if (!names_later(folder) || ::access("/proc/self/fd", X_OK) != 0) return {};
  return File(::open(folder.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666));
}

std::error_code give_name(const File& file, const fs::path& name) noexcept {
  try {
    const bool given = ::linkat(AT_FDCWD, link_of(file).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
    return given ? std::error_code() : last_error();
  } catch (const std::exception&) {
    return std::make_error_code(std::errc::not_enough_memory);
  }
}

}  // namespace overtake::platform
