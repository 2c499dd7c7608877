// SPDX-License-Identifier: MIT
#pragma once

#include <string>

/// The first use of a driver: it is tried in a child process, so that one that crashes, hangs or computes wrongly takes
/// nothing with it. The verdict is kept with the compiled kernels (overtake/device/cache.hpp) until driver or Overtake
/// change.
namespace overtake {

/// Told of trials, which take from a fraction of a second to minutes. Called by the thread that asked for the device;
/// must not ask for devices itself, and must not throw.
class TrialObserver {
 public:
  virtual ~TrialObserver() = default;
  /// A trial begins, or waits for one in another process. `subject`: "opencl:0", or "opencl" when it is only looked at
  /// which devices there are.
  virtual void on_trial(const std::string& /*subject*/) {}
  /// Another process tries drivers; this one waits until it has ended, ten minutes at most. `lock`: the file that it
  /// holds. Called ten times a second.
  virtual void on_wait(const std::string& /*subject*/, const std::string& /*lock*/) {}
  /// What is tried now: "matrix products".
  virtual void on_check(const std::string& /*subject*/, const std::string& /*check*/) {}
  /// It is over. `trouble` is empty for a driver that works, else it says why the driver is not used.
  virtual void on_verdict(const std::string& /*subject*/, const std::string& /*trouble*/) {}
  /// The verdict could not be written to `folder`: the next process tries the driver again.
  virtual void on_not_kept(const std::string& /*subject*/, const std::string& /*folder*/) {}
  /// The driver is used although it could not be tried, and why: the program that tries is missing, say.
  virtual void on_untried(const std::string& /*subject*/, const std::string& /*why*/) {}
  /// Asked ten times a second while a trial runs. True gives it up: DeviceError, and no verdict.
  virtual bool stop() { return false; }
};

/// From now on `observer` is told of all trials of this process; null: nobody. It must live until another is named.
void observe_trials(TrialObserver* observer);

}  // namespace overtake
