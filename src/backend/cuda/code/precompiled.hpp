// SPDX-License-Identifier: MIT
// Programs that the build compiled ahead of time: "interpreted", "peak", and the forests' (forest/device/program.cpp).
#pragma once

#include <string>
#include <string_view>

namespace overtake::backend::cuda {

/// True where this build has such programs and a driver of that CUDA version (13000 is 13.0) loads them: they are made
/// by a compiler of one generation, and older drivers refuse its code.
[[nodiscard]] bool has_precompiled(int driver_cuda_version);

/// Machine code of a program for a device of this architecture (10 * major + minor); empty for other names and where
/// there is none.
[[nodiscard]] std::string precompiled_program(std::string_view name, int driver_cuda_version, int architecture);

}  // namespace overtake::backend::cuda
