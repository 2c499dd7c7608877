// SPDX-License-Identifier: MIT
// A libcuda.so.1 whose cuInit hangs, or ends the process, as OVERTAKE_TEST_FAULT says. Found by LD_LIBRARY_PATH
// (tests/faults/driver_test.py). The other functions are there so that it is taken for a whole driver.
#include <unistd.h>

#include <cstdlib>
#include <string_view>

extern "C" {

int cuInit(unsigned int) {
  const char* fault = std::getenv("OVERTAKE_TEST_FAULT");
  if (fault != nullptr && fault == std::string_view("hang-cuda")) {
    for (;;) pause();
  }
  std::abort();
}

// Some have a number behind their name.
#define OVERTAKE_FUNCTION(name) \
  int name() { return 999; }    \
  int name##_v2() { return 999; }
OVERTAKE_FUNCTION(cuDriverGetVersion)
OVERTAKE_FUNCTION(cuGetErrorName)
OVERTAKE_FUNCTION(cuGetErrorString)
OVERTAKE_FUNCTION(cuDeviceGetCount)
OVERTAKE_FUNCTION(cuDeviceGet)
OVERTAKE_FUNCTION(cuDeviceGetName)
OVERTAKE_FUNCTION(cuDeviceTotalMem)
OVERTAKE_FUNCTION(cuDeviceGetAttribute)
OVERTAKE_FUNCTION(cuDevicePrimaryCtxRetain)
OVERTAKE_FUNCTION(cuDevicePrimaryCtxRelease)
OVERTAKE_FUNCTION(cuCtxSetCurrent)
OVERTAKE_FUNCTION(cuCtxSynchronize)
OVERTAKE_FUNCTION(cuMemGetInfo)
OVERTAKE_FUNCTION(cuMemAlloc)
OVERTAKE_FUNCTION(cuMemFree)
OVERTAKE_FUNCTION(cuMemHostAlloc)
OVERTAKE_FUNCTION(cuMemFreeHost)
OVERTAKE_FUNCTION(cuMemcpyHtoDAsync)
OVERTAKE_FUNCTION(cuMemcpyDtoHAsync)
OVERTAKE_FUNCTION(cuMemcpyDtoDAsync)
OVERTAKE_FUNCTION(cuMemsetD8Async)
OVERTAKE_FUNCTION(cuStreamCreate)
OVERTAKE_FUNCTION(cuStreamDestroy)
OVERTAKE_FUNCTION(cuStreamSynchronize)
OVERTAKE_FUNCTION(cuStreamBeginCapture)
OVERTAKE_FUNCTION(cuStreamEndCapture)
OVERTAKE_FUNCTION(cuEventCreate)
OVERTAKE_FUNCTION(cuEventDestroy)
OVERTAKE_FUNCTION(cuEventRecord)
OVERTAKE_FUNCTION(cuEventSynchronize)
OVERTAKE_FUNCTION(cuModuleLoadDataEx)
OVERTAKE_FUNCTION(cuModuleUnload)
OVERTAKE_FUNCTION(cuModuleGetFunction)
OVERTAKE_FUNCTION(cuFuncGetAttribute)
OVERTAKE_FUNCTION(cuFuncSetAttribute)
OVERTAKE_FUNCTION(cuLaunchKernel)
OVERTAKE_FUNCTION(cuGraphCreate)
OVERTAKE_FUNCTION(cuGraphDestroy)
OVERTAKE_FUNCTION(cuGraphAddKernelNode)
OVERTAKE_FUNCTION(cuGraphAddChildGraphNode)
OVERTAKE_FUNCTION(cuGraphInstantiate)
OVERTAKE_FUNCTION(cuGraphExecDestroy)
OVERTAKE_FUNCTION(cuGraphUpload)
OVERTAKE_FUNCTION(cuGraphLaunch)
OVERTAKE_FUNCTION(cuEventElapsedTime)
OVERTAKE_FUNCTION(cuGraphInstantiateWithFlags)
#undef OVERTAKE_FUNCTION
}
