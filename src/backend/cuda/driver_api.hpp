// SPDX-License-Identifier: MIT
// The part of the CUDA driver API that Overtake uses, as a table of functions found at run time. Each entry carries the
// name and type that cuda.h gives the function (cuMemAlloc is cuMemAlloc_v2, say), so header and library cannot
// disagree.
#pragma once

#include <cuda.h>

#include <functional>
#include <optional>
#include <string>

#include "backend/cuda/handle.hpp"

namespace overtake::backend::cuda {

/// Finds the address of an exported function; null when there is none.
using SymbolLookup = std::function<void*(const char* name)>;

// Without these the backend cannot run. All of them exist since driver 525 (CUDA 12.0).
#define OVERTAKE_CUDA_DRIVER_REQUIRED(X) \
  X(cuInit)                              \
  X(cuDriverGetVersion)                  \
  X(cuGetErrorName)                      \
  X(cuGetErrorString)                    \
  X(cuDeviceGetCount)                    \
  X(cuDeviceGet)                         \
  X(cuDeviceGetName)                     \
  X(cuDeviceTotalMem)                    \
  X(cuDeviceGetAttribute)                \
  X(cuDevicePrimaryCtxRetain)            \
  X(cuDevicePrimaryCtxRelease)           \
  X(cuCtxSetCurrent)                     \
  X(cuCtxSynchronize)                    \
  X(cuMemGetInfo)                        \
  X(cuMemAlloc)                          \
  X(cuMemFree)                           \
  X(cuMemHostAlloc)                      \
  X(cuMemFreeHost)                       \
  X(cuMemcpyHtoDAsync)                   \
  X(cuMemcpyDtoHAsync)                   \
  X(cuMemcpyDtoDAsync)                   \
  X(cuMemsetD8Async)                     \
  X(cuStreamCreate)                      \
  X(cuStreamDestroy)                     \
  X(cuStreamSynchronize)                 \
  X(cuStreamBeginCapture)                \
  X(cuStreamEndCapture)                  \
  X(cuEventCreate)                       \
  X(cuEventDestroy)                      \
  X(cuEventRecord)                       \
  X(cuEventSynchronize)                  \
  X(cuModuleLoadDataEx)                  \
  X(cuModuleUnload)                      \
  X(cuModuleGetFunction)                 \
  X(cuFuncGetAttribute)                  \
  X(cuFuncSetAttribute)                  \
  X(cuLaunchKernel)                      \
  X(cuGraphCreate)                       \
  X(cuGraphDestroy)                      \
  X(cuGraphAddKernelNode)                \
  X(cuGraphAddChildGraphNode)            \
  X(cuGraphInstantiate)                  \
  X(cuGraphExecDestroy)                  \
  X(cuGraphUpload)                       \
  X(cuGraphLaunch)

/// Functions of libcuda.so.1. Members keep the driver's own names.
struct DriverApi {
#define OVERTAKE_CUDA_MEMBER(name) decltype(&::name) name = nullptr;  // NOLINT(bugprone-macro-parentheses)
  OVERTAKE_CUDA_DRIVER_REQUIRED(OVERTAKE_CUDA_MEMBER)
#undef OVERTAKE_CUDA_MEMBER
  /// Measures with events; its name changed with CUDA 12.8, both versions fit. Null on neither.
  CUresult (*event_elapsed_time)(float*, CUevent, CUevent) = nullptr;
  /// cuFuncGetParamInfo; null with drivers before CUDA 12.4.
  CUresult (*func_param_info)(CUfunction, std::size_t, std::size_t*, std::size_t*) = nullptr;
};

/// Fills the table, or names the first function that is missing.
struct DriverLookup {
  DriverApi api;
  std::string missing;  ///< empty: complete
};
[[nodiscard]] DriverLookup find_driver_functions(const SymbolLookup& lookup);

using StreamHandle = Handle<CUstream, CUresult>;
using EventHandle = Handle<CUevent, CUresult>;
using ModuleHandle = Handle<CUmodule, CUresult>;
using GraphHandle = Handle<CUgraph, CUresult>;
using GraphExecHandle = Handle<CUgraphExec, CUresult>;
using HostMemoryHandle = Handle<void*, CUresult>;

}  // namespace overtake::backend::cuda
