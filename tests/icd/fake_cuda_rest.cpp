// SPDX-License-Identifier: MIT
// The functions of libcuda that fake_cuda.cpp does not have: they succeed and do nothing. Weak, so that one of that
// file takes the place of one here. All that Overtake needs are here, whatever is added to vendor/driver.hpp; a driver
// of before 525 (OVERTAKE_OLD_DRIVER) lacks those of graphs.
#include "backend/cuda/vendor/driver.hpp"

namespace overtake::backend::cuda {

#define OVERTAKE_WEAK(name, symbol, parameters) \
  extern "C" __attribute__((weak)) CUresult symbol parameters { return CUDA_SUCCESS; }
#ifndef OVERTAKE_OLD_DRIVER
OVERTAKE_CUDA_DRIVER_REQUIRED(OVERTAKE_WEAK)
#endif
#undef OVERTAKE_WEAK

}  // namespace overtake::backend::cuda
