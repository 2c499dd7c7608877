// SPDX-License-Identifier: MIT
#include "platform/file_system.hpp"

#include <sys/statfs.h>

#include <algorithm>
#include <array>

namespace overtake::platform {

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

}  // namespace overtake::platform
