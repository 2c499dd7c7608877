// SPDX-License-Identifier: MIT
// Kernels given as source: loaded and launched one by one.
#pragma once

#include <memory>

#include "backend/api/device.hpp"
#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

class CudaDevice;

[[nodiscard]] std::unique_ptr<Program> make_program(CudaDevice& device, ModuleHandle module);

}  // namespace overtake::backend::cuda
