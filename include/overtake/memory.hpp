// SPDX-License-Identifier: MIT
/// What a job takes of memory, known before it runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/error.hpp"

namespace overtake {

/// Memory of a device that is used up, or a limit of it that is reached: with less at once it may go.
class MemoryError : public DeviceError {
 public:
  using DeviceError::DeviceError;
};

/// Whose memory it is. That of the device "cpu" is the host's.
enum class MemoryPlace : std::uint8_t { host, device };

/// One thing that takes memory.
struct MemoryPart {
  std::string what;  ///< "features in bins"
  std::uint64_t bytes = 0;
  MemoryPlace place = MemoryPlace::host;
};

/// What is in memory at once where a job takes most.
struct MemoryPlan {
  std::vector<MemoryPart> parts;
  bool guessed = false;  ///< something that the data decide is not known yet: nothing is refused by such a plan

  /// Appends a part that is not empty.
  void add(std::string what, std::uint64_t bytes, MemoryPlace place = MemoryPlace::host);
  [[nodiscard]] std::uint64_t bytes(MemoryPlace place) const noexcept;
};

/// "features in bins 26.7 MiB, forest 53 MiB": the parts of one place, the largest first.
[[nodiscard]] std::string to_text(const MemoryPlan& plan, MemoryPlace place);

/// Bytes of the computer's memory that this process holds now, the program and its libraries included.
[[nodiscard]] std::uint64_t host_memory_held();
/// The most that it ever held.
[[nodiscard]] std::uint64_t host_memory_peak();
/// Bytes that it may still take: `limit` (of the whole process; 0: none) less what it holds, and no more than the
/// system, its control groups and ulimit -v leave.
[[nodiscard]] std::uint64_t host_memory_left(std::uint64_t limit);

/// Throws DeviceError where what `plan` adds on the host is more than host_memory_left(limit): need, limit, the parts,
/// what the process holds already, and `change`, what would make it smaller. `what`: "training the forest". A plan that
/// is guessed is not refused.
void require_host_memory(const MemoryPlan& plan, std::uint64_t limit, std::string_view what, std::string_view change);

/// How plans and runs say that the computer's memory, or its limit, does not suffice: "needs 89.2 MiB of the computer's
/// memory beside the 12.0 MiB that the process holds (its program and the data), and the limit is 14.0 MiB". `need`:
/// beside what is held. `how`: "at least" or "about" before the figure.
[[nodiscard]] std::string host_memory_lack(std::uint64_t need, std::uint64_t limit, std::string_view how = "");
/// The same of a device: "needs 1.00 MiB on the device, and the limit is 512 KiB". `limit`: 0 where `most` is all that
/// the device has.
[[nodiscard]] std::string device_memory_lack(std::uint64_t need, std::uint64_t most, std::uint64_t limit);
/// The cure: "Raise --host-memory-limit, or use a smaller batch." where such a limit was given, else "Use a smaller
/// batch."
[[nodiscard]] std::string memory_cure(std::uint64_t device_limit, std::uint64_t host_limit, std::string_view change);

}  // namespace overtake
