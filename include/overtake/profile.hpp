// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "overtake/device.hpp"

namespace overtake {

/// Something that a device did while a Profile listened.
struct ProfileEntry {
  enum class Kind : std::uint8_t { launch, upload, download };
  Kind kind = Kind::launch;
  std::string device;               ///< "cuda:0"
  std::string name;                 ///< of the operation: "matmul+bias+relu"; "upload"
  std::string kernel;               ///< the device's name of it; "" where it has no other
  double start = 0;                 ///< seconds after the profile began
  double seconds = 0;               ///< on the device
  std::uint64_t bytes_read = 0;     ///< of memory; each element once, however often it is used
  std::uint64_t bytes_written = 0;  ///< likewise
  double flops = 0;                 ///< of products, a multiply-add counted as 2; 0: not counted
};

/// What a block of code launches and copies, in the whole process, from its construction to stop() or its end:
///
///     Profile profile;
///     mean(x).eval();
///     profile.stop();
///     std::cout << profile.to_string();
///
/// Launches run one after the other while it lives, and each is timed: on CUDA by events of the device, on OpenCL and
/// the cpu by the host's clock, which waits for each. Graphs of recorded steps are launched step by step. So the block
/// takes longer than without, and its parts do not overlap. An operation of several launches has its bytes at the
/// first. Kernels of forests have names and times alone.
class Profile {
 public:
  Profile();
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// Listens no more. Entries stay.
  void stop();
  /// In the order in which they ended. Of a profile that still listens: those so far.
  [[nodiscard]] std::vector<ProfileEntry> entries() const;
  /// From the beginning to stop(), or to now.
  [[nodiscard]] double seconds() const;
  /// A table for people: launches and copies by device and name with number, time, bytes, rate, and, of launches, the
  /// share of the peak that is nearer: of the rate of a copy, or of float32 products. Peaks are those of kept_peak(),
  /// which may measure for a moment.
  [[nodiscard]] std::string to_string() const;
  /// The entries in the format of Chrome's tracing (chrome://tracing, Perfetto): a process for each device, times in
  /// microseconds. Throws DataError when the file cannot be written.
  void write_trace(const std::filesystem::path& path) const;
  /// The same as text.
  [[nodiscard]] std::string trace_json() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace overtake
