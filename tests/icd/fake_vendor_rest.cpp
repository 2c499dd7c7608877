// SPDX-License-Identifier: MIT
// The functions that fake_vendor_library.cpp does not have: they return 0 and do nothing. Weak, as in
// fake_cuda_rest.cpp.
#include "backend/cuda/vendor/cublaslt.hpp"
#include "backend/cuda/vendor/nvrtc.hpp"

namespace overtake::backend::cuda {

#define OVERTAKE_WEAK(result, name, parameters) \
  extern "C" __attribute__((weak)) result name parameters { return {}; }
#ifdef OVERTAKE_NVRTC
OVERTAKE_NVRTC_FUNCTIONS(OVERTAKE_WEAK)
#else
OVERTAKE_CUBLASLT_FUNCTIONS(OVERTAKE_WEAK)
#endif
#undef OVERTAKE_WEAK

}  // namespace overtake::backend::cuda
