// SPDX-License-Identifier: MIT
// The part of NVRTC's interface that Overtake uses, the same in all releases of CUDA 12 and 13; see driver.hpp.
#pragma once

#include <cstddef>

namespace overtake::backend::cuda {

// NOLINTBEGIN(readability-identifier-naming,performance-enum-size)

struct _nvrtcProgram;
using nvrtcProgram = _nvrtcProgram*;

enum nvrtcResult : unsigned {
  NVRTC_SUCCESS = 0,
  NVRTC_ERROR_COMPILATION = 6,
};

// X(result, name, parameters); the library exports the functions under their names.
#define OVERTAKE_NVRTC_FUNCTIONS(X)                                                         \
  X(nvrtcResult, nvrtcVersion, (int*, int*))                                                \
  X(const char*, nvrtcGetErrorString, (nvrtcResult))                                        \
  X(nvrtcResult, nvrtcGetNumSupportedArchs, (int*))                                         \
  X(nvrtcResult, nvrtcGetSupportedArchs, (int*))                                            \
  X(nvrtcResult, nvrtcCreateProgram,                                                        \
    (nvrtcProgram*, const char*, const char*, int, const char* const*, const char* const*)) \
  X(nvrtcResult, nvrtcDestroyProgram, (nvrtcProgram*))                                      \
  X(nvrtcResult, nvrtcCompileProgram, (nvrtcProgram, int, const char* const*))              \
  X(nvrtcResult, nvrtcGetProgramLogSize, (nvrtcProgram, std::size_t*))                      \
  X(nvrtcResult, nvrtcGetProgramLog, (nvrtcProgram, char*))                                 \
  X(nvrtcResult, nvrtcGetPTXSize, (nvrtcProgram, std::size_t*))                             \
  X(nvrtcResult, nvrtcGetPTX, (nvrtcProgram, char*))                                        \
  X(nvrtcResult, nvrtcGetCUBINSize, (nvrtcProgram, std::size_t*))                           \
  X(nvrtcResult, nvrtcGetCUBIN, (nvrtcProgram, char*))

// NOLINTEND(readability-identifier-naming,performance-enum-size)

}  // namespace overtake::backend::cuda
