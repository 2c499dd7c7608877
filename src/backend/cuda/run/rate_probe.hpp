// SPDX-License-Identifier: MIT
// Products on tensor cores, which nothing else here uses: the doctor measures what they reach.
#pragma once

#include <string_view>

#include "backend/api/details.hpp"
#include "backend/cuda/device.hpp"

namespace overtake::backend::cuda {

/// A square product by cuBLASLt in "tf32" or "bf16", whose operands it holds. Empty for other formats, and where the
/// library is not there or has no algorithm for it.
[[nodiscard]] RateProbe tensor_product(CudaDevice& device, std::string_view format);

}  // namespace overtake::backend::cuda
