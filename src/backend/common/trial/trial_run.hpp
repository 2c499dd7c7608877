// SPDX-License-Identifier: MIT
// One run of the program that tries drivers, and how its end is read.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/child_process.hpp"
#include "platform/host_limits.hpp"

namespace overtake::backend {

/// What the program tries, and when it hangs.
struct TrialRequest {
  /// "start BACKEND": starts the driver and lists its devices. "device ID": opens one and checks what it computes.
  std::vector<std::string> arguments;
  std::chrono::milliseconds timeout{0};                          ///< for each check; OVERTAKE_TRIAL_SECONDS replaces it
  std::vector<std::pair<std::string, std::string>> environment;  ///< other values for variables
};

/// A check that was made, and how long it took there.
struct TimedCheck {
  std::string name;
  double seconds = 0;
};

/// How a run ended.
struct TrialRun {
  enum class Kind : std::uint8_t {
    passed,
    failed,       ///< by the driver: it crashed, or computes wrongly
    timed_out,    ///< likewise, or the machine is very busy
    unclear,      ///< an error that may not be there the next time: no memory
    stopped,      ///< given up, as the caller wanted
    not_started,  ///< the program is not there, cannot be started, or is of another version
  };
  Kind kind = Kind::passed;
  std::string reason;        ///< a phrase that goes on after "opencl:0: "; empty if it passed
  std::string finding = {};  ///< "driver-aborts", "driver-hangs", "wrong-results", "tight-limits", "memory-low" or
                             ///< "no-device-memory" (docs/doctor.md)
  std::string limits = {};   ///< of a failure: those of this process that may be its cause ("ulimit -s")
  std::vector<TimedCheck> checks = {};  ///< those that were begun; the last has no time where the run ended in it
};

// What the program reports, one a line: a word and a text.
inline constexpr std::string_view report_begin = "begin";      ///< it runs, and no driver has been touched yet
inline constexpr std::string_view report_check = "check";      ///< what is done now: "matrix products"
inline constexpr std::string_view report_time = "time";        ///< seconds that the check before took
inline constexpr std::string_view report_wrong = "wrong";      ///< what was computed wrongly; it ends then
inline constexpr std::string_view report_error = "error";      ///< what could not be done; it ends then
inline constexpr std::string_view report_foreign = "foreign";  ///< it is of another version; it ends then
inline constexpr std::string_view report_done = "done";        ///< all is right

/// Names what the library and the program must agree on: version and kernels.
[[nodiscard]] std::string trial_identity();

/// Where the program is: OVERTAKE_TRIAL_PROGRAM, beside this library, or in the libexec folder of its installation.
/// Empty where it is not.
[[nodiscard]] std::filesystem::path find_trial_program();

/// The cure of a run that may pass another time: of little memory, of limits, or `otherwise`.
[[nodiscard]] std::string hint_of(const TrialRun& run, const std::string& otherwise);

/// The cure of a failure under such limits.
[[nodiscard]] std::string hint_of_limits(const std::string& limits);

/// True for an error that says that a device has no memory left: the allocator's, or a driver's.
[[nodiscard]] bool speaks_of_memory(std::string_view error);

/// Seconds that each check may take: the request's own, or OVERTAKE_TRIAL_SECONDS.
[[nodiscard]] std::int64_t timeout_of(const TrialRequest& request);

/// Runs the program. `on_check` is told what it does, `stop` is asked ten times a second. Does not throw.
[[nodiscard]] TrialRun run_trial(const TrialRequest& request, const std::function<void(const std::string&)>& on_check,
                                 const std::function<bool()>& stop);

/// What is known of a program's run when it is over.
struct TrialReport {
  std::string check;  ///< the last that it began
  std::vector<TimedCheck> checks;
  std::string wrong, error;  ///< what it said
  bool begun = false, foreign = false, done = false;
  /// Takes a line; true if it names a check.
  bool take(std::string_view line);
};

/// Puts report and end together. `timeout` is named for one that hangs. `left`: what memory there is now.
[[nodiscard]] TrialRun judge(const TrialReport& report, const platform::ChildEnd& end,
                             std::chrono::milliseconds timeout, const platform::MemoryLeft& left = {});

}  // namespace overtake::backend
