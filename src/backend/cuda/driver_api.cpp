// SPDX-License-Identifier: MIT
#include "backend/cuda/driver_api.hpp"

namespace overtake::backend::cuda {
namespace {

template <typename F>
bool find(const SymbolLookup& lookup, const char* name, F& function) {
  function = reinterpret_cast<F>(lookup(name));
  return function != nullptr;
}

}  // namespace

// Two levels, so that cuda.h's own macros (cuMemAlloc -> cuMemAlloc_v2) are expanded before the name becomes a string.
#define OVERTAKE_CUDA_STRING(name) #name
#define OVERTAKE_CUDA_NAME(name) OVERTAKE_CUDA_STRING(name)

DriverLookup find_driver_functions(const SymbolLookup& lookup) {
  DriverLookup result;
#define OVERTAKE_CUDA_FIND(name)                                           \
  if (!find(lookup, OVERTAKE_CUDA_NAME(name), result.api.name)) {          \
    if (result.missing.empty()) result.missing = OVERTAKE_CUDA_NAME(name); \
  }
  OVERTAKE_CUDA_DRIVER_REQUIRED(OVERTAKE_CUDA_FIND)
#undef OVERTAKE_CUDA_FIND
  if (!find(lookup, "cuEventElapsedTime_v2", result.api.event_elapsed_time)) {
    find(lookup, "cuEventElapsedTime", result.api.event_elapsed_time);
  }
  find(lookup, "cuFuncGetParamInfo", result.api.func_param_info);  // since CUDA 12.4
  return result;
}

}  // namespace overtake::backend::cuda
