// SPDX-License-Identifier: MIT
#include "backend/cpu/kernels/kernel_code.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cpu {

bool has_tcc() noexcept { return false; }

std::unique_ptr<KernelCode> compile_with_tcc(const std::string& /*text*/, std::string& /*log*/) {
  throw DeviceError("this build of Overtake has no libtcc");
}

}  // namespace overtake::backend::cpu
