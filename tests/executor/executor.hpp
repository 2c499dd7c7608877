// SPDX-License-Identifier: MIT
// Runs kernels of the dialect on the host to look for races: groups one after the other in random order, work-items as
// fibers, local memory filled with rubbish, every access noted. The kernels are compiled as C++ with a prelude of their
// own (programs/executor.prelude) and with the compiler's calls for each access of memory (instrumentation.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "backend/api/device.hpp"
#include "executor/access_log.hpp"
#include "executor/work_group.hpp"

namespace overtake::executor {

/// What a kernel asks for by LOCAL_ID and its like.
struct Geometry {
  std::int32_t groups[3] = {1, 1, 1};
  std::int32_t group_size[3] = {1, 1, 1};
  std::int32_t group[3] = {0, 0, 0};  ///< that runs now
};

/// One launch at a time; there is one executor in a process, because the compiler's calls must find it.
class Executor {
 public:
  [[nodiscard]] static Executor& instance();

  /// What comes next is drawn anew; findings so far are dropped.
  void reset(std::uint64_t seed);
  /// Runs body() for every work-item. `local_bytes`: of the local memory that the launch sizes.
  void launch(const std::string& kernel, const backend::LaunchGeometry& geometry, std::size_t local_bytes,
              const std::function<void()>& body);

  [[nodiscard]] AccessLog& log() noexcept { return log_; }
  [[nodiscard]] const Geometry& geometry() const noexcept { return geometry_; }
  [[nodiscard]] std::byte* local_memory() noexcept { return local_.data(); }
  [[nodiscard]] WorkGroup& group() noexcept { return group_; }
  /// Called for each access; see AccessLog::note.
  void note(const void* address, std::size_t bytes, Access access);
  [[nodiscard]] const std::vector<std::string>& findings() const noexcept { return log_.findings(); }
  /// Barriers that not all work-items of a group reach. A launch ends at the first.
  [[nodiscard]] const std::vector<std::string>& barriers() const noexcept { return barriers_; }

 private:
  Executor();

  AccessLog log_;
  WorkGroup group_{1};
  std::mt19937_64 random_{1};
  Geometry geometry_;
  std::int32_t group_number_ = -1;
  std::vector<std::byte> local_;
  std::vector<std::string> barriers_;
};

}  // namespace overtake::executor
