// SPDX-License-Identifier: MIT
// Drivers are tried in a child process before this process uses them (docs/adr/0010-drivers-are-tried-in-a-child.md).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backend/common/trial/trial_run.hpp"

namespace overtake::backend {

/// A driver that is to be used, in the one way or the other.
struct TrialSubject {
  std::string name;              ///< in messages: "opencl" to list its devices, "opencl:0" to compute
  std::string title;             ///< for people: "AMD EPYC, OpenCL 3.0 PoCL 3.1"
  std::vector<std::string> key;  ///< all that the verdict depends on, but for Overtake's version and kernels
  TrialRequest request;
  std::string hint;  ///< the cure, if it fails
  /// Where not empty: finds out more about a failure, as by which of several drivers; gives the reason to be told.
  /// Asks `stop` as run_trial() does.
  std::function<std::string(const TrialRun&, const std::function<bool()>& stop)> explain{};
  bool is_quick = false;  ///< the doctor tries it anew, whatever an earlier process found
  /// Each process looks once itself where an earlier one found that the driver works: for what takes some tens of
  /// milliseconds and depends on more than any key can name.
  bool in_each_process = false;
};

/// What a trial found, now or earlier.
struct TrialResult {
  std::string trouble;  ///< empty: it may be used
  std::string hint;
  std::string finding = {};  ///< as TrialRun has it; empty for a verdict of an earlier process
};

/// The verdict of this process or, if it is kept on disk, of an earlier one. Nothing: not tried yet. Where trials are
/// switched off, a driver that may be used.
[[nodiscard]] std::optional<TrialResult> known_result(const TrialSubject& subject);

/// The verdict; tries the driver where there is none, one process at a time. A driver that cannot be tried, because the
/// program that does it is missing, is used as it is. Failures that may not be there the next time are not kept.
/// Throws DeviceError where TrialObserver::stop() gave the trial up.
[[nodiscard]] TrialResult try_driver(const TrialSubject& subject);

/// For the doctor: tries the subject of that name now, whatever is known of it and also where trials are switched off.
/// What is found counts in this process, and the subject's next use keeps it; of a trial that did not start nothing.
/// `on_check` and `stop` as run_trial() takes them.
[[nodiscard]] TrialRun try_now(const std::string& name, const TrialRequest& request,
                               const std::function<void(const std::string&)>& on_check,
                               const std::function<bool()>& stop);

/// For the doctor: from now on a driver that failed in an earlier process is tried again in this one, and what is quick
/// whatever was found, since the system around a driver may have changed.
void distrust_kept_verdicts();

}  // namespace overtake::backend
