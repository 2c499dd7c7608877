// SPDX-License-Identifier: MIT
// The computer under the devices.
#pragma once

#include <filesystem>
#include <vector>

#include "overtake/doctor.hpp"

namespace overtake::doctor {

/// Cores, memory, limits and surroundings of this process. `root`: the folder that /proc, /sys, /dev and /run are
/// looked for in.
[[nodiscard]] HostCheckup examine_host(const std::filesystem::path& root = "/");

/// What of them holds work back.
[[nodiscard]] std::vector<Finding> host_findings(const HostCheckup& host, bool has_gpu);

}  // namespace overtake::doctor
