// SPDX-License-Identifier: MIT
// Kernels given as source by the user.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "backend/api/device.hpp"
#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

class CudaDevice;

[[nodiscard]] std::unique_ptr<Program> make_program(CudaDevice& device, std::string_view source,
                                                    std::span<const std::string> defines);

/// A program that is already loaded.
[[nodiscard]] std::unique_ptr<Program> make_program(CudaDevice& device, ModuleHandle module);

}  // namespace overtake::backend::cuda
