// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace overtake {

/// How far a long work is: a fit, a search, a race.
struct Progress {
  std::int64_t done = 0, total = 0;  ///< epochs of a network, trees of a forest, fits of a search, trainings of a race
  /// Since the first of them began, and an estimate of what is left; NaN where it is not known.
  double seconds = std::numeric_limits<double>::quiet_NaN();
  double seconds_left = std::numeric_limits<double>::quiet_NaN();
  std::string what{};  ///< that is next or just done, where a word helps: "12 layers on cuda:0"
};

/// Told of a work's progress, on the thread that asked for the work.
class ProgressObserver {
 public:
  virtual ~ProgressObserver() = default;
  virtual void on_progress(const Progress&) {}
};

}  // namespace overtake
