// SPDX-License-Identifier: MIT
#include "backend/cuda/code/precompiled.hpp"

#include "backend/cuda/code/code_pack.hpp"

namespace overtake::backend::cuda {

bool has_precompiled(int driver_cuda_version) {
  constexpr int compiler_generation = OVERTAKE_CUDA_GENERATION;  // the build says; 0 without a compiler
  return compiler_generation > 0 && driver_cuda_version / 1000 >= compiler_generation;
}

std::string precompiled_program(std::string_view name, int driver_cuda_version, int architecture) {
  if (!has_precompiled(driver_cuda_version)) return {};
  for (const PrecompiledProgram& program : precompiled_programs()) {
    if (program.name == name) return unpack_code(program.code, architecture);
  }
  return {};
}

}  // namespace overtake::backend::cuda
