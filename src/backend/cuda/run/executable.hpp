// SPDX-License-Identifier: MIT
// A schedule ready to run on one GPU: launched step by step, or replayed as graphs.
#pragma once

#include <memory>

#include "backend/api/device.hpp"

namespace overtake::backend::cuda {

class CudaDevice;

[[nodiscard]] std::unique_ptr<Executable> make_executable(CudaDevice& device, const Schedule& schedule,
                                                          const CompileOptions& options);

}  // namespace overtake::backend::cuda
