// SPDX-License-Identifier: MIT
// Our declarations of the vendor's interfaces against the vendor's own headers, where a toolkit has them. All but the
// first test is done when this file compiles. Headers of CUDA 12.0 and newer fit; what came later is asked for by
// version.
#include <cublasLt.h>
#include <cuda.h>
#include <gtest/gtest.h>
#include <nvrtc.h>

#include <cstddef>
#include <string_view>
#include <type_traits>

#include "backend/cuda/vendor/cublaslt.hpp"
#include "backend/cuda/vendor/driver.hpp"
#include "backend/cuda/vendor/nvrtc.hpp"

namespace overtake::backend::cuda {
namespace {

/// Our name of a type of the vendor's; other types are their own.
template <typename Theirs>
struct Ours {
  using type = Theirs;
};
template <typename Theirs>
struct Ours<const Theirs> {
  using type = std::add_const_t<typename Ours<Theirs>::type>;
};
template <typename Theirs>
struct Ours<Theirs*> {
  using type = std::add_pointer_t<typename Ours<Theirs>::type>;
};
template <typename Result, typename... Parameters>
struct Ours<Result(Parameters...)> {
  using type = typename Ours<Result>::type(typename Ours<Parameters>::type...);
};

#define SAME_NAME(name) \
  template <>           \
  struct Ours<::name> { \
    using type = name;  \
  };
SAME_NAME(CUctx_st)
SAME_NAME(CUmod_st)
SAME_NAME(CUfunc_st)
SAME_NAME(CUkern_st)
SAME_NAME(CUevent_st)
SAME_NAME(CUstream_st)
SAME_NAME(CUgraph_st)
SAME_NAME(CUgraphNode_st)
SAME_NAME(CUgraphExec_st)
SAME_NAME(CUresult)
SAME_NAME(CUdevice_attribute)
SAME_NAME(CUfunction_attribute)
SAME_NAME(CUjit_option)
SAME_NAME(CUstreamCaptureMode)
SAME_NAME(CUstream_flags)
SAME_NAME(CUevent_flags)
SAME_NAME(CUDA_KERNEL_NODE_PARAMS)
SAME_NAME(_nvrtcProgram)
SAME_NAME(nvrtcResult)
SAME_NAME(cublasLtContext)
SAME_NAME(cublasLtMatmulDescOpaque_t)
SAME_NAME(cublasLtMatrixLayoutOpaque_t)
SAME_NAME(cublasLtMatmulPreferenceOpaque_t)
SAME_NAME(cublasStatus_t)
SAME_NAME(cudaDataType_t)
SAME_NAME(cublasComputeType_t)
SAME_NAME(cublasOperation_t)
SAME_NAME(cublasLtPointerMode_t)
SAME_NAME(cublasLtEpilogue_t)
SAME_NAME(cublasLtMatmulDescAttributes_t)
SAME_NAME(cublasLtMatmulPreferenceAttributes_t)
SAME_NAME(cublasLtMatmulAlgo_t)
SAME_NAME(cublasLtMatmulHeuristicResult_t)

template <typename Theirs>
using OursOf = typename Ours<Theirs>::type;

static_assert(std::is_same_v<::CUdevice, CUdevice> && std::is_same_v<::CUdeviceptr, CUdeviceptr>);

// Enumerations: size, sign, and each value.
template <typename Theirs>
constexpr bool same_enumeration =
    std::is_same_v<std::underlying_type_t<Theirs>, std::underlying_type_t<OursOf<Theirs>>>;
static_assert(same_enumeration<::CUresult> && same_enumeration<::CUdevice_attribute>);
static_assert(same_enumeration<::CUfunction_attribute> && same_enumeration<::CUjit_option>);
static_assert(same_enumeration<::CUstreamCaptureMode> && same_enumeration<::CUstream_flags>);
static_assert(same_enumeration<::CUevent_flags> && same_enumeration<::nvrtcResult>);
static_assert(same_enumeration<::cublasStatus_t> && same_enumeration<::cudaDataType_t>);
static_assert(same_enumeration<::cublasComputeType_t> && same_enumeration<::cublasOperation_t>);
static_assert(same_enumeration<::cublasLtPointerMode_t> && same_enumeration<::cublasLtEpilogue_t>);
static_assert(same_enumeration<::cublasLtMatmulDescAttributes_t>);
static_assert(same_enumeration<::cublasLtMatmulPreferenceAttributes_t>);

#define SAME_VALUE(name)                                                        \
  static_assert(static_cast<unsigned>(::name) == static_cast<unsigned>(name) && \
                    std::is_same_v<OursOf<decltype(::name)>, decltype(name)>,   \
                #name);
SAME_VALUE(CUDA_SUCCESS)
SAME_VALUE(CUDA_ERROR_INVALID_VALUE)
SAME_VALUE(CUDA_ERROR_OUT_OF_MEMORY)
SAME_VALUE(CUDA_ERROR_STUB_LIBRARY)
SAME_VALUE(CUDA_ERROR_DEVICE_UNAVAILABLE)
SAME_VALUE(CUDA_ERROR_NO_DEVICE)
SAME_VALUE(CUDA_ERROR_NO_BINARY_FOR_GPU)
SAME_VALUE(CUDA_ERROR_ECC_UNCORRECTABLE)
SAME_VALUE(CUDA_ERROR_UNSUPPORTED_PTX_VERSION)
SAME_VALUE(CUDA_ERROR_OPERATING_SYSTEM)
SAME_VALUE(CUDA_ERROR_NOT_FOUND)
SAME_VALUE(CUDA_ERROR_ILLEGAL_ADDRESS)
SAME_VALUE(CUDA_ERROR_LAUNCH_TIMEOUT)
SAME_VALUE(CUDA_ERROR_ILLEGAL_INSTRUCTION)
SAME_VALUE(CUDA_ERROR_MISALIGNED_ADDRESS)
SAME_VALUE(CUDA_ERROR_LAUNCH_FAILED)
SAME_VALUE(CUDA_ERROR_NOT_SUPPORTED)
SAME_VALUE(CUDA_ERROR_SYSTEM_NOT_READY)
SAME_VALUE(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH)
SAME_VALUE(CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE)
SAME_VALUE(CUDA_ERROR_NOT_READY)
SAME_VALUE(CUDA_ERROR_UNKNOWN)
SAME_VALUE(CU_DEVICE_ATTRIBUTE_CLOCK_RATE)
SAME_VALUE(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
SAME_VALUE(CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE)
SAME_VALUE(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH)
SAME_VALUE(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
SAME_VALUE(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)
SAME_VALUE(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)
SAME_VALUE(CU_STREAM_CAPTURE_MODE_RELAXED)
SAME_VALUE(CU_STREAM_NON_BLOCKING)
SAME_VALUE(CU_EVENT_DEFAULT)
SAME_VALUE(CU_EVENT_DISABLE_TIMING)
static_assert(locked_for_all_contexts == CU_MEMHOSTALLOC_PORTABLE);
SAME_VALUE(NVRTC_SUCCESS)
SAME_VALUE(NVRTC_ERROR_COMPILATION)
SAME_VALUE(CUBLAS_STATUS_SUCCESS)
SAME_VALUE(CUDA_R_32F)
SAME_VALUE(CUDA_R_16BF)
SAME_VALUE(CUBLAS_COMPUTE_32F)
SAME_VALUE(CUBLAS_COMPUTE_32F_FAST_TF32)
SAME_VALUE(CUBLAS_OP_N)
SAME_VALUE(CUBLAS_OP_T)
SAME_VALUE(CUBLASLT_POINTER_MODE_DEVICE)
SAME_VALUE(CUBLASLT_EPILOGUE_BIAS)
SAME_VALUE(CUBLASLT_MATMUL_DESC_POINTER_MODE)
SAME_VALUE(CUBLASLT_MATMUL_DESC_TRANSA)
SAME_VALUE(CUBLASLT_MATMUL_DESC_TRANSB)
SAME_VALUE(CUBLASLT_MATMUL_DESC_EPILOGUE)
SAME_VALUE(CUBLASLT_MATMUL_DESC_BIAS_POINTER)
SAME_VALUE(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES)
SAME_VALUE(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES)
SAME_VALUE(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES)

// Structures: size, alignment, and each member's place and type.
template <typename Theirs>
constexpr bool same_size = sizeof(Theirs) == sizeof(OursOf<Theirs>) && alignof(Theirs) == alignof(OursOf<Theirs>);
static_assert(same_size<::CUDA_KERNEL_NODE_PARAMS>);
static_assert(same_size<::cublasLtMatmulAlgo_t>);
static_assert(same_size<::cublasLtMatmulHeuristicResult_t>);

#define SAME_MEMBER(structure, member)                                                                  \
  static_assert(offsetof(::structure, member) == offsetof(structure, member) &&                         \
                    std::is_same_v<OursOf<decltype(::structure::member)>, decltype(structure::member)>, \
                #structure "::" #member);
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, func)
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, gridDimX)
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, gridDimY)
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, gridDimZ)
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, blockDimX)
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, blockDimY)
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, blockDimZ)
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, sharedMemBytes)
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, kernelParams)
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, extra)
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, kern)
SAME_MEMBER(CUDA_KERNEL_NODE_PARAMS, ctx)
SAME_MEMBER(cublasLtMatmulAlgo_t, data)
SAME_MEMBER(cublasLtMatmulHeuristicResult_t, algo)
SAME_MEMBER(cublasLtMatmulHeuristicResult_t, workspaceSize)
SAME_MEMBER(cublasLtMatmulHeuristicResult_t, state)
SAME_MEMBER(cublasLtMatmulHeuristicResult_t, wavesCount)
SAME_MEMBER(cublasLtMatmulHeuristicResult_t, reserved)

// Functions: result and parameters. The header's macros turn `name` into the symbol's declaration here.
#define SAME_FUNCTION(result, name, parameters) \
  static_assert(std::is_same_v<OursOf<decltype(::name)>, result parameters>, #name);
#define SAME_DRIVER_FUNCTION(name, symbol, parameters) SAME_FUNCTION(CUresult, name, parameters)
OVERTAKE_CUDA_DRIVER_REQUIRED(SAME_DRIVER_FUNCTION)
#if CUDA_VERSION >= 12040  // cuFuncGetParamInfo
OVERTAKE_CUDA_DRIVER_OPTIONAL(SAME_DRIVER_FUNCTION)
#endif
OVERTAKE_NVRTC_FUNCTIONS(SAME_FUNCTION)
OVERTAKE_CUBLASLT_FUNCTIONS(SAME_FUNCTION)

#define TEXT(name) #name
#define EXPANDED_TEXT(name) TEXT(name)

TEST(CudaVendorHeaders, FunctionsAreLookedUpByTheSymbolOfTheHeader) {
#define SAME_SYMBOL(name, symbol, parameters) EXPECT_EQ(std::string_view(EXPANDED_TEXT(name)), #symbol);
  OVERTAKE_CUDA_DRIVER_REQUIRED(SAME_SYMBOL)
#if CUDA_VERSION >= 12080  // cuEventElapsedTime_v2
  OVERTAKE_CUDA_DRIVER_OPTIONAL(SAME_SYMBOL)
#endif
}

}  // namespace
}  // namespace overtake::backend::cuda
