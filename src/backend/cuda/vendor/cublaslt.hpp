// SPDX-License-Identifier: MIT
// The part of cuBLASLt's interface that Overtake uses, the same in all releases of CUDA 12 and 13; see driver.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cuda/vendor/driver.hpp"

namespace overtake::backend::cuda {

// NOLINTBEGIN(readability-identifier-naming,performance-enum-size)

struct cublasLtContext;
struct cublasLtMatmulDescOpaque_t;
struct cublasLtMatrixLayoutOpaque_t;
struct cublasLtMatmulPreferenceOpaque_t;

using cublasLtHandle_t = cublasLtContext*;
using cublasLtMatmulDesc_t = cublasLtMatmulDescOpaque_t*;
using cublasLtMatrixLayout_t = cublasLtMatrixLayoutOpaque_t*;
using cublasLtMatmulPreference_t = cublasLtMatmulPreferenceOpaque_t*;

enum cublasStatus_t : unsigned {
  CUBLAS_STATUS_SUCCESS = 0,
};

enum cudaDataType_t : unsigned {
  CUDA_R_32F = 0,
  CUDA_R_16BF = 14,
};

enum cublasComputeType_t : unsigned {
  CUBLAS_COMPUTE_32F = 68,            ///< true float32
  CUBLAS_COMPUTE_32F_FAST_TF32 = 77,  ///< operands cut to 10 bits behind the point
};

/// Value of the attributes TRANSA and TRANSB.
enum cublasOperation_t : unsigned {
  CUBLAS_OP_N = 0,
  CUBLAS_OP_T = 1,
};

/// Value of the attribute POINTER_MODE: where alpha and beta are.
enum cublasLtPointerMode_t : unsigned {
  CUBLASLT_POINTER_MODE_DEVICE = 1,
};

/// Value of the attribute EPILOGUE.
enum cublasLtEpilogue_t : unsigned {
  CUBLASLT_EPILOGUE_BIAS = 4,
};

enum cublasLtMatmulDescAttributes_t : unsigned {
  CUBLASLT_MATMUL_DESC_POINTER_MODE = 2,
  CUBLASLT_MATMUL_DESC_TRANSA = 3,
  CUBLASLT_MATMUL_DESC_TRANSB = 4,
  CUBLASLT_MATMUL_DESC_EPILOGUE = 7,
  CUBLASLT_MATMUL_DESC_BIAS_POINTER = 8,
};

enum cublasLtMatrixLayoutAttribute_t : unsigned {
  CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT = 5,
  CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET = 6,
};

enum cublasLtMatmulPreferenceAttributes_t : unsigned {
  CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES = 1,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES = 5,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES = 6,
};

/// An algorithm; only the library knows what is in it.
struct cublasLtMatmulAlgo_t {
  std::uint64_t data[8];
};

struct cublasLtMatmulHeuristicResult_t {
  cublasLtMatmulAlgo_t algo;
  std::size_t workspaceSize;
  cublasStatus_t state;  ///< the other members are valid where this is success
  float wavesCount;
  int reserved[4];
};

// X(result, name, parameters); the library exports the functions under their names.
#define OVERTAKE_CUBLASLT_FUNCTIONS(X)                                                                               \
  X(cublasStatus_t, cublasLtCreate, (cublasLtHandle_t*))                                                             \
  X(cublasStatus_t, cublasLtDestroy, (cublasLtHandle_t))                                                             \
  X(std::size_t, cublasLtGetVersion, ())                                                                             \
  X(const char*, cublasLtGetStatusString, (cublasStatus_t))                                                          \
  X(cublasStatus_t, cublasLtMatmul,                                                                                  \
    (cublasLtHandle_t, cublasLtMatmulDesc_t, const void*, const void*, cublasLtMatrixLayout_t, const void*,          \
     cublasLtMatrixLayout_t, const void*, const void*, cublasLtMatrixLayout_t, void*, cublasLtMatrixLayout_t,        \
     const cublasLtMatmulAlgo_t*, void*, std::size_t, CUstream))                                                     \
  X(cublasStatus_t, cublasLtMatmulAlgoGetHeuristic,                                                                  \
    (cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, \
     cublasLtMatrixLayout_t, cublasLtMatmulPreference_t, int, cublasLtMatmulHeuristicResult_t*, int*))               \
  X(cublasStatus_t, cublasLtMatmulDescCreate, (cublasLtMatmulDesc_t*, cublasComputeType_t, cudaDataType_t))          \
  X(cublasStatus_t, cublasLtMatmulDescDestroy, (cublasLtMatmulDesc_t))                                               \
  X(cublasStatus_t, cublasLtMatmulDescSetAttribute,                                                                  \
    (cublasLtMatmulDesc_t, cublasLtMatmulDescAttributes_t, const void*, std::size_t))                                \
  X(cublasStatus_t, cublasLtMatrixLayoutCreate,                                                                      \
    (cublasLtMatrixLayout_t*, cudaDataType_t, std::uint64_t, std::uint64_t, std::int64_t))                           \
  X(cublasStatus_t, cublasLtMatrixLayoutDestroy, (cublasLtMatrixLayout_t))                                           \
  X(cublasStatus_t, cublasLtMatrixLayoutSetAttribute,                                                                \
    (cublasLtMatrixLayout_t, cublasLtMatrixLayoutAttribute_t, const void*, std::size_t))                             \
  X(cublasStatus_t, cublasLtMatmulPreferenceCreate, (cublasLtMatmulPreference_t*))                                   \
  X(cublasStatus_t, cublasLtMatmulPreferenceDestroy, (cublasLtMatmulPreference_t))                                   \
  X(cublasStatus_t, cublasLtMatmulPreferenceSetAttribute,                                                            \
    (cublasLtMatmulPreference_t, cublasLtMatmulPreferenceAttributes_t, const void*, std::size_t))

// NOLINTEND(readability-identifier-naming,performance-enum-size)

}  // namespace overtake::backend::cuda
