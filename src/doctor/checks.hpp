// SPDX-License-Identifier: MIT
// The work that each device is given, in a process of its own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/common/trial/trial_run.hpp"
#include "overtake/doctor.hpp"

namespace overtake::doctor {

/// What the checks of one device found.
struct CheckedDevice {
  std::vector<CheckOutcome> checks;  ///< those that were begun; the last has the trouble, if there is one
  backend::TrialRun run;
};

/// Runs every check of src/self_test on a device in the program that tries drivers, whatever is known of its driver,
/// which may crash, hang or compute wrongly there. `step` is told of each check; `stop` is asked ten times a second.
[[nodiscard]] CheckedDevice check_device(const std::string& id, const std::function<void(const std::string&)>& step,
                                         const std::function<bool()>& stop);

/// Who holds so much memory of a device that little is free.
[[nodiscard]] std::vector<Finding> memory_findings(const DeviceCheckup& checkup);

/// "tight-limits" or "memory-low" where the words of a run that did not pass say that the system refused files, threads
/// or memory to this process, which is no fault of the device; else nothing.
[[nodiscard]] std::optional<Finding> limits_finding(const backend::TrialRun& run, const std::string& device);

/// "no-device-memory" for an error that says so, else "driver-fails".
[[nodiscard]] std::string finding_for(std::string_view error);

}  // namespace overtake::doctor
