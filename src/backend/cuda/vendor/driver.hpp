// SPDX-License-Identifier: MIT
// The part of the CUDA driver's interface that Overtake uses: names, numbers and layouts as libcuda.so.1 has them since
// driver 525 (CUDA 12.0). Declared here so that no toolkit is needed to build; in a namespace, so that
// tests/backend/cuda_vendor_headers_test.cpp can hold every line against the vendor's cuda.h. The vendor's own names.
#pragma once

#include <cstddef>

namespace overtake::backend::cuda {

// NOLINTBEGIN(readability-identifier-naming,performance-enum-size)

struct CUctx_st;
struct CUmod_st;
struct CUfunc_st;
struct CUkern_st;
struct CUevent_st;
struct CUstream_st;
struct CUgraph_st;
struct CUgraphNode_st;
struct CUgraphExec_st;

using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = CUctx_st*;
using CUmodule = CUmod_st*;
using CUfunction = CUfunc_st*;
using CUkernel = CUkern_st*;
using CUevent = CUevent_st*;
using CUstream = CUstream_st*;
using CUgraph = CUgraph_st*;
using CUgraphNode = CUgraphNode_st*;
using CUgraphExec = CUgraphExec_st*;

// Enumerations have a fixed underlying type, so that the values which are not listed are values of it, too.

/// What every function returns. Listed: what Overtake acts on.
enum CUresult : unsigned {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_STUB_LIBRARY = 34,
  CUDA_ERROR_DEVICE_UNAVAILABLE = 46,
  CUDA_ERROR_NO_DEVICE = 100,
  CUDA_ERROR_NO_BINARY_FOR_GPU = 209,
  CUDA_ERROR_ECC_UNCORRECTABLE = 214,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
  CUDA_ERROR_OPERATING_SYSTEM = 304,
  CUDA_ERROR_NOT_FOUND = 500,
  CUDA_ERROR_NOT_READY = 600,
  CUDA_ERROR_ILLEGAL_ADDRESS = 700,
  CUDA_ERROR_LAUNCH_TIMEOUT = 702,
  CUDA_ERROR_ILLEGAL_INSTRUCTION = 715,
  CUDA_ERROR_MISALIGNED_ADDRESS = 716,
  CUDA_ERROR_LAUNCH_FAILED = 719,
  CUDA_ERROR_NOT_SUPPORTED = 801,
  CUDA_ERROR_SYSTEM_NOT_READY = 802,
  CUDA_ERROR_SYSTEM_DRIVER_MISMATCH = 803,
  CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE = 804,
  CUDA_ERROR_UNKNOWN = 999,
};

enum CUdevice_attribute : unsigned {
  CU_DEVICE_ATTRIBUTE_CLOCK_RATE = 13,  ///< kHz
  CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16,
  CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE = 36,        ///< kHz
  CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH = 37,  ///< bits
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
};

enum CUfunction_attribute : unsigned {
  CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8,
};

/// Options of cuModuleLoadDataEx; Overtake passes none.
enum CUjit_option : unsigned {};

enum CUstreamCaptureMode : unsigned {
  CU_STREAM_CAPTURE_MODE_RELAXED = 2,
};

/// Flags of cuStreamCreate.
enum CUstream_flags : unsigned {
  CU_STREAM_NON_BLOCKING = 1,
};

/// Flags of cuEventCreate.
enum CUevent_flags : unsigned {
  CU_EVENT_DEFAULT = 0,
  CU_EVENT_DISABLE_TIMING = 2,
};

/// CU_MEMHOSTALLOC_PORTABLE of cuMemHostAlloc, a macro there: page-locked for every context, not the current one alone.
inline constexpr unsigned locked_for_all_contexts = 1;

/// A kernel launch as a node of a graph: the second version, which is the one cuGraphAddKernelNode_v2 takes.
struct CUDA_KERNEL_NODE_PARAMS {
  CUfunction func;
  unsigned gridDimX;  ///< groups
  unsigned gridDimY;
  unsigned gridDimZ;
  unsigned blockDimX;  ///< work-items in a group
  unsigned blockDimY;
  unsigned blockDimZ;
  unsigned sharedMemBytes;
  void** kernelParams;
  void** extra;
  CUkernel kern;  ///< read only where func is null
  CUcontext ctx;  ///< null: the current one
};

// X(name, symbol, parameters): what Overtake calls it, the symbol that the driver exports, the parameters; each returns
// CUresult. Name and symbol differ where the vendor has changed a function's meaning: the header then gives the old
// name to the new symbol.

// Without these the backend cannot run. All of them exist since driver 525 (CUDA 12.0).
#define OVERTAKE_CUDA_DRIVER_REQUIRED(X)                                                                          \
  X(cuInit, cuInit, (unsigned))                                                                                   \
  X(cuDriverGetVersion, cuDriverGetVersion, (int*))                                                               \
  X(cuGetErrorName, cuGetErrorName, (CUresult, const char**))                                                     \
  X(cuGetErrorString, cuGetErrorString, (CUresult, const char**))                                                 \
  X(cuDeviceGetCount, cuDeviceGetCount, (int*))                                                                   \
  X(cuDeviceGet, cuDeviceGet, (CUdevice*, int))                                                                   \
  X(cuDeviceGetName, cuDeviceGetName, (char*, int, CUdevice))                                                     \
  X(cuDeviceTotalMem, cuDeviceTotalMem_v2, (std::size_t*, CUdevice))                                              \
  X(cuDeviceGetAttribute, cuDeviceGetAttribute, (int*, CUdevice_attribute, CUdevice))                             \
  X(cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, (CUcontext*, CUdevice))                                   \
  X(cuDevicePrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2, (CUdevice))                                          \
  X(cuCtxSetCurrent, cuCtxSetCurrent, (CUcontext))                                                                \
  X(cuCtxSynchronize, cuCtxSynchronize, ())                                                                       \
  X(cuMemGetInfo, cuMemGetInfo_v2, (std::size_t*, std::size_t*))                                                  \
  X(cuMemAlloc, cuMemAlloc_v2, (CUdeviceptr*, std::size_t))                                                       \
  X(cuMemFree, cuMemFree_v2, (CUdeviceptr))                                                                       \
  X(cuMemHostAlloc, cuMemHostAlloc, (void**, std::size_t, unsigned))                                              \
  X(cuMemFreeHost, cuMemFreeHost, (void*))                                                                        \
  X(cuMemcpyHtoDAsync, cuMemcpyHtoDAsync_v2, (CUdeviceptr, const void*, std::size_t, CUstream))                   \
  X(cuMemcpyDtoHAsync, cuMemcpyDtoHAsync_v2, (void*, CUdeviceptr, std::size_t, CUstream))                         \
  X(cuMemcpyDtoDAsync, cuMemcpyDtoDAsync_v2, (CUdeviceptr, CUdeviceptr, std::size_t, CUstream))                   \
  X(cuMemsetD8Async, cuMemsetD8Async, (CUdeviceptr, unsigned char, std::size_t, CUstream))                        \
  X(cuStreamCreate, cuStreamCreate, (CUstream*, unsigned))                                                        \
  X(cuStreamDestroy, cuStreamDestroy_v2, (CUstream))                                                              \
  X(cuStreamSynchronize, cuStreamSynchronize, (CUstream))                                                         \
  X(cuStreamBeginCapture, cuStreamBeginCapture_v2, (CUstream, CUstreamCaptureMode))                               \
  X(cuStreamEndCapture, cuStreamEndCapture, (CUstream, CUgraph*))                                                 \
  X(cuEventCreate, cuEventCreate, (CUevent*, unsigned))                                                           \
  X(cuEventDestroy, cuEventDestroy_v2, (CUevent))                                                                 \
  X(cuEventRecord, cuEventRecord, (CUevent, CUstream))                                                            \
  X(cuEventSynchronize, cuEventSynchronize, (CUevent))                                                            \
  X(cuEventQuery, cuEventQuery, (CUevent))                                                                        \
  X(cuStreamWaitEvent, cuStreamWaitEvent, (CUstream, CUevent, unsigned))                                          \
  X(cuModuleLoadDataEx, cuModuleLoadDataEx, (CUmodule*, const void*, unsigned, CUjit_option*, void**))            \
  X(cuModuleUnload, cuModuleUnload, (CUmodule))                                                                   \
  X(cuModuleGetFunction, cuModuleGetFunction, (CUfunction*, CUmodule, const char*))                               \
  X(cuFuncGetAttribute, cuFuncGetAttribute, (int*, CUfunction_attribute, CUfunction))                             \
  X(cuFuncSetAttribute, cuFuncSetAttribute, (CUfunction, CUfunction_attribute, int))                              \
  X(cuLaunchKernel, cuLaunchKernel,                                                                               \
    (CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream, void**, void**)) \
  X(cuGraphCreate, cuGraphCreate, (CUgraph*, unsigned))                                                           \
  X(cuGraphDestroy, cuGraphDestroy, (CUgraph))                                                                    \
  X(cuGraphAddKernelNode, cuGraphAddKernelNode_v2,                                                                \
    (CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t, const CUDA_KERNEL_NODE_PARAMS*))                     \
  X(cuGraphAddChildGraphNode, cuGraphAddChildGraphNode,                                                           \
    (CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t, CUgraph))                                            \
  X(cuGraphInstantiate, cuGraphInstantiateWithFlags, (CUgraphExec*, CUgraph, unsigned long long))                 \
  X(cuGraphExecDestroy, cuGraphExecDestroy, (CUgraphExec))                                                        \
  X(cuGraphUpload, cuGraphUpload, (CUgraphExec, CUstream))                                                        \
  X(cuGraphLaunch, cuGraphLaunch, (CUgraphExec, CUstream))

// Drivers may lack these; null then. The first is there since CUDA 12.8, and before it as cuEventElapsedTime, which
// gives the same number (driver_api.cpp takes either); the second since CUDA 12.4. The third only tells where a card
// is.
#define OVERTAKE_CUDA_DRIVER_OPTIONAL(X)                                                           \
  X(cuEventElapsedTime, cuEventElapsedTime_v2, (float*, CUevent, CUevent))                         \
  X(cuFuncGetParamInfo, cuFuncGetParamInfo, (CUfunction, std::size_t, std::size_t*, std::size_t*)) \
  X(cuDeviceGetPCIBusId, cuDeviceGetPCIBusId, (char*, int, CUdevice))

// NOLINTEND(readability-identifier-naming,performance-enum-size)

}  // namespace overtake::backend::cuda
