// SPDX-License-Identifier: MIT
#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {
namespace {

template <typename F>
bool find(const SymbolLookup& lookup, const char* name, F& function) {
  function = reinterpret_cast<F>(lookup(name));
  return function != nullptr;
}

}  // namespace

DriverLookup find_driver_functions(const SymbolLookup& lookup) {
  DriverLookup result;
#define OVERTAKE_CUDA_FIND(name, symbol, parameters)      \
  if (!find(lookup, #symbol, result.api.name)) {          \
    if (result.missing.empty()) result.missing = #symbol; \
  }
  OVERTAKE_CUDA_DRIVER_REQUIRED(OVERTAKE_CUDA_FIND)
#undef OVERTAKE_CUDA_FIND
#define OVERTAKE_CUDA_FIND(name, symbol, parameters) find(lookup, #symbol, result.api.name);
  OVERTAKE_CUDA_DRIVER_OPTIONAL(OVERTAKE_CUDA_FIND)
#undef OVERTAKE_CUDA_FIND
  if (result.api.cuEventElapsedTime == nullptr) {  // drivers before CUDA 12.8 have it under its first name
    find(lookup, "cuEventElapsedTime", result.api.cuEventElapsedTime);
  }
  return result;
}

}  // namespace overtake::backend::cuda
