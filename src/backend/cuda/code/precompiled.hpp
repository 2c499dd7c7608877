// SPDX-License-Identifier: MIT
// Programs that the build compiled ahead of time, by the names of src/kernels/CMakeLists.txt.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace overtake::backend::cuda {

struct PrecompiledProgram {
  std::string_view name;
  std::string_view code;  ///< packed (code_pack.hpp); empty in a build without a compiler
};
/// All of them.
[[nodiscard]] std::span<const PrecompiledProgram> precompiled_programs();

/// True where this build has such programs and a driver of that CUDA version (13000 is 13.0) loads them: they are made
/// by a compiler of one generation, and older drivers refuse its code.
[[nodiscard]] bool has_precompiled(int driver_cuda_version);

/// Machine code of a program for a device of this architecture (10 * major + minor); empty for other names and where
/// there is none.
[[nodiscard]] std::string precompiled_program(std::string_view name, int driver_cuda_version, int architecture);

}  // namespace overtake::backend::cuda
