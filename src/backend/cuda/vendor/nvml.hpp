// SPDX-License-Identifier: MIT
// The part of NVML's interface that Overtake uses, as libnvidia-ml.so.1 has it since driver 510; see driver.hpp.
#pragma once

namespace overtake::backend::cuda {

// NOLINTBEGIN(readability-identifier-naming,performance-enum-size)

struct nvmlDevice_st;
using nvmlDevice_t = nvmlDevice_st*;

enum nvmlReturn_t : unsigned {
  NVML_SUCCESS = 0,
};

struct nvmlProcessInfo_t {
  unsigned pid;
  unsigned long long usedGpuMemory;  ///< bytes; all ones where it is not known
  unsigned gpuInstanceId;
  unsigned computeInstanceId;
};

// X(name, parameters); each returns nvmlReturn_t, and the library exports the functions under their names.
#define OVERTAKE_NVML_FUNCTIONS(X)                                                          \
  X(nvmlInit_v2, ())                                                                        \
  X(nvmlShutdown, ())                                                                       \
  X(nvmlDeviceGetHandleByPciBusId_v2, (const char*, nvmlDevice_t*))                         \
  X(nvmlDeviceGetComputeRunningProcesses_v3, (nvmlDevice_t, unsigned*, nvmlProcessInfo_t*)) \
  X(nvmlSystemGetProcessName, (unsigned, char*, unsigned))

// NOLINTEND(readability-identifier-naming,performance-enum-size)

}  // namespace overtake::backend::cuda
