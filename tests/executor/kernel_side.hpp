// SPDX-License-Identifier: MIT
// What kernels call (programs/executor.prelude). Apart from executor.hpp, so that little is compiled with the kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace overtake::executor {

[[nodiscard]] int local_id(int axis);
[[nodiscard]] int local_size(int axis);
[[nodiscard]] int group_id(int axis);
[[nodiscard]] int num_groups(int axis);
/// Local memory whose size the launch sets.
[[nodiscard]] std::byte* local_memory();
void synchronise(int line);

/// Each gives the old value; another work-item may run before it.
int atomic_add(int* pointer, int value);
std::uint32_t atomic_add(std::uint32_t* pointer, std::uint32_t value);
int atomic_min(int* pointer, int value);
int atomic_max(int* pointer, int value);

}  // namespace overtake::executor
