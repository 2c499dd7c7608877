// SPDX-License-Identifier: MIT
#include "backend/api/registry.hpp"
#include "backend/cuda/backend.hpp"

namespace overtake::backend::cuda {
namespace {

CudaBackend& backend() {
  // Never destroyed: devices outlive static destructors, and the driver may be gone before them.
  static CudaBackend& instance = *std::make_unique<CudaBackend>().release();
  return instance;
}

const Registration registration(10, backend());

}  // namespace
}  // namespace overtake::backend::cuda
