// SPDX-License-Identifier: MIT
#include "platform/permissions.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "platform/posix/error.hpp"

namespace overtake::platform {

namespace fs = std::filesystem;

std::error_code writing_denied(const fs::path& path) noexcept {
  return ::access(path.c_str(), W_OK) == 0 ? std::error_code() : last_error();
}

bool only_owners_replace(const fs::path& file, const fs::path& folder) noexcept {
  struct stat of_file {};
  struct stat of_folder {};
  if (::stat(file.c_str(), &of_file) != 0 || ::stat(folder.c_str(), &of_folder) != 0) return false;
  const uid_t user = ::geteuid();
  return (of_folder.st_mode & S_ISVTX) != 0 && user != 0 && user != of_file.st_uid && user != of_folder.st_uid;
}

std::string owner_of(const fs::path& path) {
  struct stat file {};
  if (::lstat(path.c_str(), &file) != 0) return {};
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> room{};
  const int error = ::getpwuid_r(file.st_uid, &entry, room.data(), room.size(), &found);
  return error == 0 && found != nullptr ? found->pw_name : std::to_string(file.st_uid);
}

void keep_permissions(const File& file, const fs::path& old) noexcept {
  struct stat before {};
  struct stat now {};
  if (::stat(old.c_str(), &before) != 0 || ::fstat(file.descriptor(), &now) != 0) return;
  mode_t mode = before.st_mode & 0777U;
  const bool same = before.st_uid == now.st_uid && before.st_gid == now.st_gid;
  if (!same && ::fchown(file.descriptor(), before.st_uid, before.st_gid) != 0 &&
      ::fchown(file.descriptor(), static_cast<uid_t>(-1), before.st_gid) != 0) {
    mode &= ~mode_t{0070};  // without the old group its permissions would open the file to another one
  }
  static_cast<void>(::fchmod(file.descriptor(), mode));
}

}  // namespace overtake::platform
