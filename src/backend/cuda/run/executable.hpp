// SPDX-License-Identifier: MIT
// A schedule ready to run on one GPU: launched step by step, or replayed as graphs.
#pragma once

#include <memory>

#include "backend/api/device.hpp"
#include "backend/cuda/run/plan.hpp"

namespace overtake::backend::cuda {

class CudaDevice;

/// Gives cuDNN the convolutions that it is expected to be faster with, in the form that is faster.
[[nodiscard]] ConvolutionQuery convolution_query(CudaDevice& device, bool interpreted);
/// Has cuDNN choose its plans for all convolutions that such a query may ask for.
void choose_convolutions(CudaDevice& device, const Schedule& schedule, bool interpreted);

[[nodiscard]] std::unique_ptr<Executable> make_executable(CudaDevice& device, const Schedule& schedule,
                                                          const CompileOptions& options);

}  // namespace overtake::backend::cuda
