// SPDX-License-Identifier: MIT
// What compiled kernels and the library know of each other: the structures of c.prelude, in the same order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace overtake::backend::cpu {

/// struct overtake_item
struct HostItem {
  std::int32_t local_id[3], group_id[3], local_size[3], num_groups[3];
  char* local;  ///< memory of the group, for LOCAL declarations
};

/// struct overtake_host. None of these throws: there is C above them.
struct HostFunctions {
  HostItem* (*item)();
  void (*barrier)(int line);
  void (*too_much_local)(std::uint64_t bytes);
  std::uint64_t (*nanoseconds)();
  void (*fence)();
  std::int32_t (*add)(std::int32_t*, std::int32_t);
  float (*add_float)(float*, float);
  std::int32_t (*keep_least)(std::int32_t*, std::int32_t);
  std::int32_t (*keep_most)(std::int32_t*, std::int32_t);
};
[[nodiscard]] const HostFunctions& host_functions();

/// OVERTAKE_KIND: what a parameter takes.
enum class ParameterKind : std::int32_t { buffer, int32, int64, float32, float64, local, other };

/// OVERTAKE_ENTRY: runs `count` groups from `first` on, or, of a kernel that needs fibers, the one work-item `first`.
/// Each argument in eight bytes of its own.
using KernelEntry = void (*)(const std::uint64_t* words, const HostItem* first, std::int64_t count);

/// overtake_about_NAME
struct KernelAbout {
  std::int32_t parameters;
  std::int32_t needs_fibers;  ///< 0: no; 1: one for each work-item; 2: one, which runs all work-items
  std::int32_t size;          ///< of KERNEL_SIZED; 0: any
  ParameterKind kind;         ///< of the first parameter, and so on

  [[nodiscard]] ParameterKind kind_of(std::size_t parameter) const noexcept { return (&kind)[parameter]; }
};

/// Parameters that a kernel may have.
inline constexpr std::int32_t most_parameters = 128;

/// Bytes that the LOCAL declarations of a kernel may have: OVERTAKE_MOST_LOCAL.
inline constexpr std::int64_t most_local_bytes = std::int64_t{256} << 10;

}  // namespace overtake::backend::cpu
