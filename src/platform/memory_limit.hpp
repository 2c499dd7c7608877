// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace overtake::platform {

/// A limit of this process' memory, as a shell calls and counts it: "ulimit -v", 100000. No name: there is none.
struct MemoryLimit {
  const char* name = nullptr;
  std::uint64_t kibibytes = 0;
};

/// The smaller of the limits of address space and of data. Takes no memory.
[[nodiscard]] MemoryLimit memory_limit() noexcept;

}  // namespace overtake::platform
