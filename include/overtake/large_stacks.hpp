// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

namespace overtake {

/// work(), where stacks suffice for drivers and their compilers: under a small limit (ulimit -s) in a thread with one
/// of 8 MiB, as all threads have from then on, and with as much of that for child processes as the system allows. For
/// programs, early in main(). Gives what work() gives.
[[nodiscard]] int with_large_stacks(const std::function<int()>& work);

}  // namespace overtake
