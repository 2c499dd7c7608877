// SPDX-License-Identifier: MIT
// What devices tell of launches and copies while somebody listens (overtake/profile.hpp). Nobody listens: one branch.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "backend/api/operation.hpp"

namespace overtake::backend {

/// What an operation reads, writes and computes; 0 where it is not known.
struct WorkCount {
  std::uint64_t bytes_read = 0, bytes_written = 0;  ///< each element once, however often it is used
  double operations = 0;                            ///< of floats, a multiply-add counted as 2: products alone
};
[[nodiscard]] WorkCount count_work(const Operation& operation, const std::vector<Slot>& slots);

/// The operations of a schedule, for the records of their launches.
struct OperationLabel {
  std::string name;
  WorkCount work;
};
[[nodiscard]] std::vector<OperationLabel> labels_of(const Schedule& schedule);

enum class RecordKind : std::uint8_t { launch, upload, download };

/// Something that a device did.
struct ProfileRecord {
  using Clock = std::chrono::steady_clock;

  RecordKind kind = RecordKind::launch;
  std::string device;  ///< "cuda:0"
  std::string name;    ///< of the operation or kernel: "matmul+bias+relu"
  std::string kernel;  ///< of the device; "" where that is no other name
  Clock::time_point start;
  double seconds = 0;
  WorkCount work;  ///< of the whole operation, at the first of its launches
};

/// Hears of what happens in the whole process from its beginning to its end. Called from any thread, one at a time.
class ProfileListener {
 public:
  virtual ~ProfileListener() = default;
  virtual void on_record(const ProfileRecord& record) = 0;
};
void add_listener(ProfileListener& listener);
void remove_listener(ProfileListener& listener) noexcept;

namespace detail {
extern std::atomic<int> listeners;
}
/// True while there is a listener: devices then run one launch after the other and time each.
[[nodiscard]] inline bool is_profiling() noexcept { return detail::listeners.load(std::memory_order_relaxed) > 0; }
/// Tells all listeners.
void tell(const ProfileRecord& record);

/// Runs `work`, which returns when all is done, and tells of it as launch number `index` of its operation.
template <typename Work>
void timed_launch(const std::string& device, const OperationLabel& label, const std::string& kernel, bool is_first,
                  Work&& work) {
  ProfileRecord record{RecordKind::launch, device, label.name, kernel, ProfileRecord::Clock::now(), 0, {}};
  std::forward<Work>(work)();
  record.seconds = std::chrono::duration<double>(ProfileRecord::Clock::now() - record.start).count();
  if (is_first) record.work = label.work;
  tell(record);
}

}  // namespace overtake::backend
