// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace overtake::backend::cuda {

/// Machine code (a fat binary for common architectures) of a program that the build compiled ahead of time; empty for
/// names it did not, and in builds without nvcc.
[[nodiscard]] std::string_view precompiled_program(std::string_view name);

}  // namespace overtake::backend::cuda
