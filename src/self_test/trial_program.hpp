// SPDX-License-Identifier: MIT
// The program that tries drivers (program/main.cpp), started by backend/common/trial/trial_run.cpp.
#pragma once

#include <span>
#include <string>

namespace overtake::self_test {

/// Does what the arguments say: the process that started it, the identity of version and kernels, then "start BACKEND"
/// or "device ID". Reports on platform::report_descriptor what it does and finds. Gives the exit code: 0 unless it was
/// started by hand.
[[nodiscard]] int run_trial_program(std::span<const char* const> arguments);

}  // namespace overtake::self_test
