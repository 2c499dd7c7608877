// SPDX-License-Identifier: MIT
// The computer under the devices.
#pragma once

#include <filesystem>
#include <vector>

#include "overtake/doctor.hpp"

namespace overtake::doctor {

/// The cure for too little of the computer's.
inline constexpr const char* more_memory =
    "close other programs; or give it more: docker run --memory, the job's --mem, resources.limits.memory, memory.max "
    "(MemoryMax) of its control group, ulimit -v";

/// Cores, memory, limits and surroundings of this process. `root`: the folder that /proc, /sys, /dev and /run are
/// looked for in.
[[nodiscard]] HostCheckup examine_host(const std::filesystem::path& root = "/");

/// What of them holds work back.
[[nodiscard]] std::vector<Finding> host_findings(const HostCheckup& host, bool has_gpu);

/// Cards of makers that are reached through OpenCL, where no device of `devices` is a GPU. `root` as above.
[[nodiscard]] std::vector<Finding> card_findings(const std::vector<DeviceCheckup>& devices,
                                                 const std::filesystem::path& root = "/");

}  // namespace overtake::doctor
