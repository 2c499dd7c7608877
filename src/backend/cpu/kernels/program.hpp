// SPDX-License-Identifier: MIT
// Kernels of the dialect on the CPU (docs/adr/0022-kernels-on-the-cpu.md).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "backend/api/device.hpp"
#include "backend/cpu/kernels/kernel_code.hpp"

namespace overtake::backend::cpu {

/// What a program may be compiled with.
struct KernelCompilers {
  bool tcc = has_tcc();
  std::optional<OrdinaryCompiler> ordinary = OrdinaryCompiler::of_this_machine();
  std::optional<std::filesystem::path> cache;  ///< for what the ordinary one makes; none: nothing is kept
};

/// Those of Device::build(). Tests choose others for a while; nobody else changes them.
[[nodiscard]] KernelCompilers& kernel_compilers();

/// "libtcc, then /usr/bin/cc", for people.
[[nodiscard]] std::string describe(const KernelCompilers& compilers);

/// Device::build() of the CPU. With libtcc it returns at once, and the program changes to the code of the ordinary
/// compiler at the launch after that is ready; without, it waits for that. Code in the cache serves from the start.
[[nodiscard]] std::unique_ptr<Program> build_program(Device& device, const ProgramSource& program,
                                                     const KernelCompilers& compilers);

/// Waits for what is compiled in the background (for tests and benchmarks).
void finish_compiling();

}  // namespace overtake::backend::cpu
