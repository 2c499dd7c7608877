// SPDX-License-Identifier: MIT
#include "backend/cuda/run/blas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "backend/cuda/driver/vendor_libraries.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

void check_blas(const BlasApi& api, cublasStatus_t status, std::string_view what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw DeviceError(fmt::format("cuda: cuBLASLt: {} failed: {}", what, api.cublasLtGetStatusString(status)),
                    "If this happens again, report it with the output of nvidia-smi.");
}

/// Largest power of two, at most 256, that divides the address of a 256-byte aligned slot plus so many elements.
[[nodiscard]] std::uint32_t base_alignment(std::int64_t elements, DType dtype) {
  std::uint32_t alignment = 256;
  while (static_cast<std::uint64_t>(elements) * size_of(dtype) % alignment != 0) alignment /= 2;
  return alignment;
}

[[nodiscard]] std::uint64_t address(std::span<const std::uint64_t> slots, int slot, std::int64_t offset, DType dtype) {
  return slots[slot] + static_cast<std::uint64_t>(offset) * size_of(dtype);
}

[[nodiscard]] cudaDataType_t data_type(DType dtype) { return dtype == DType::bfloat16 ? CUDA_R_16BF : CUDA_R_32F; }

[[nodiscard]] cublasComputeType_t compute_type(const MatMulCore& core) {
  return core.tf32 && core.dtype == DType::float32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

template <typename T>
[[nodiscard]] const void* pointer(T address) {
  return reinterpret_cast<const void*>(static_cast<std::uintptr_t>(address));
}

}  // namespace

std::optional<ColumnMajor> column_major(const MatMulCore::Operand& operand, std::int64_t rows, std::int64_t columns) {
  // Memory with unit column stride is row-major (rows x columns), i.e. column-major (columns x rows): what is wanted.
  // With unit row stride it is column-major (rows x columns) and must be transposed. A stride over one element is free.
  const bool row_major = operand.column_stride == 1 || columns == 1;
  if (row_major) {
    const std::int64_t leading = rows == 1 ? columns : operand.row_stride;
    if (leading < columns) return std::nullopt;
    return ColumnMajor{static_cast<std::uint64_t>(columns), static_cast<std::uint64_t>(rows), leading, false};
  }
  if (operand.row_stride != 1 && rows != 1) return std::nullopt;
  const std::int64_t leading = operand.column_stride;
  if (leading < rows) return std::nullopt;
  return ColumnMajor{static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns), leading, true};
}

std::unique_ptr<Blas> Blas::open(int driver_cuda_version, std::string& why) {
  Library library(vendor_library_candidates("libcublasLt", driver_cuda_version));
  if (!library.loaded()) {
    why = library.reasons();
    return nullptr;
  }
  std::unique_ptr<Blas> blas(std::make_unique<Blas>(Blas()));
  const char* missing = nullptr;
#define OVERTAKE_CUBLASLT_FIND(result, name, parameters)    \
  blas->api_.name = library.find<result parameters>(#name); \
  if (blas->api_.name == nullptr) missing = #name;
  OVERTAKE_CUBLASLT_FUNCTIONS(OVERTAKE_CUBLASLT_FIND)
#undef OVERTAKE_CUBLASLT_FIND
  if (missing != nullptr) {
    why = fmt::format("{} lacks {}", library.name(), missing);
    return nullptr;
  }
  cublasLtHandle_t handle = nullptr;
  if (const cublasStatus_t status = blas->api_.cublasLtCreate(&handle); status != CUBLAS_STATUS_SUCCESS) {
    why = fmt::format("{} does not start: {}", library.name(), blas->api_.cublasLtGetStatusString(status));
    return nullptr;
  }
  blas->handle_ = {handle, blas->api_.cublasLtDestroy};
  const std::size_t version = blas->api_.cublasLtGetVersion();
  blas->version_ =
      fmt::format("cuBLASLt {}.{}.{} ({})", version / 10000, version / 100 % 100, version % 100, library.name());
  keep_open(std::move(library));
  return blas;
}

Handle<cublasLtMatrixLayout_t, cublasStatus_t> Blas::layout(DType dtype, const ColumnMajor& matrix, std::int64_t count,
                                                            std::int64_t step) const {
  cublasLtMatrixLayout_t made = nullptr;
  check_blas(api_,
             api_.cublasLtMatrixLayoutCreate(&made, data_type(dtype), matrix.rows, matrix.columns, matrix.leading),
             "cublasLtMatrixLayoutCreate");
  Handle<cublasLtMatrixLayout_t, cublasStatus_t> owner(made, api_.cublasLtMatrixLayoutDestroy);
  if (count == 1) return owner;
  const auto batch = static_cast<std::int32_t>(count);
  const auto set = [&](cublasLtMatrixLayoutAttribute_t name, const auto& value) {
    check_blas(api_, api_.cublasLtMatrixLayoutSetAttribute(made, name, &value, sizeof(value)),
               "cublasLtMatrixLayoutSetAttribute");
  };
  set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, batch);
  set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, step);
  return owner;
}

std::optional<PreparedProduct> Blas::prepare(const LibraryProduct& product, int rank) const {
  const MatMulCore& core = product.core;
  const auto first = column_major(core.b, core.k, core.n);
  const auto second = column_major(core.a, core.m, core.k);
  if (!first || !second) return std::nullopt;

  PreparedProduct prepared;
  prepared.api_ = &api_;
  prepared.library_ = handle_.get();
  prepared.product_ = product;
  cublasLtMatmulDesc_t description = nullptr;
  check_blas(api_, api_.cublasLtMatmulDescCreate(&description, compute_type(core), CUDA_R_32F),
             "cublasLtMatmulDescCreate");
  prepared.description_ = {description, api_.cublasLtMatmulDescDestroy};
  const auto set = [&](cublasLtMatmulDescAttributes_t name, const auto& value) {
    check_blas(api_,
               api_.cublasLtMatmulDescSetAttribute(description, name, static_cast<const void*>(&value), sizeof(value)),
               "cublasLtMatmulDescSetAttribute");
  };
  set(CUBLASLT_MATMUL_DESC_TRANSA, static_cast<std::int32_t>(first->transposed ? CUBLAS_OP_T : CUBLAS_OP_N));
  set(CUBLASLT_MATMUL_DESC_TRANSB, static_cast<std::int32_t>(second->transposed ? CUBLAS_OP_T : CUBLAS_OP_N));
  if (product.alpha_slot >= 0) {
    set(CUBLASLT_MATMUL_DESC_POINTER_MODE, static_cast<std::int32_t>(CUBLASLT_POINTER_MODE_DEVICE));
  }
  if (product.epilogue.bias) {
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, static_cast<std::uint32_t>(CUBLASLT_EPILOGUE_BIAS));
    // The heuristic reads only the pointer's alignment.
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER,
        pointer(256 + base_alignment(product.epilogue.bias->offset, product.epilogue.bias->dtype)));
  }

  const ColumnMajor result{static_cast<std::uint64_t>(core.n), static_cast<std::uint64_t>(core.m), core.n, false};
  prepared.first_ = layout(core.dtype, *first, product.batch.count, product.batch.b_step);
  prepared.second_ = layout(core.dtype, *second, product.batch.count, product.batch.a_step);
  prepared.result_ = layout(product.epilogue.output_dtype, result, product.batch.count, product.batch.result_step);

  cublasLtMatmulPreference_t preference = nullptr;
  check_blas(api_, api_.cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
  const Handle<cublasLtMatmulPreference_t, cublasStatus_t> preference_owner(preference,
                                                                            api_.cublasLtMatmulPreferenceDestroy);
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t name, const auto& value) {
    check_blas(api_, api_.cublasLtMatmulPreferenceSetAttribute(preference, name, &value, sizeof(value)),
               "cublasLtMatmulPreferenceSetAttribute");
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, PreparedProduct::workspace_limit);
  const auto alignment_of_all = [&](const MatMulCore::Operand& operand, std::int64_t step) {
    return std::min(base_alignment(operand.offset, core.dtype), base_alignment(step, core.dtype));
  };
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of_all(core.b, product.batch.b_step));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of_all(core.a, product.batch.a_step));

  std::array<cublasLtMatmulHeuristicResult_t, 8> found{};
  int count = 0;
  const cublasStatus_t status = api_.cublasLtMatmulAlgoGetHeuristic(
      handle_.get(), description, prepared.first_.get(), prepared.second_.get(), prepared.result_.get(),
      prepared.result_.get(), preference, static_cast<int>(found.size()), found.data(), &count);
  if (status != CUBLAS_STATUS_SUCCESS || rank >= count || found[rank].state != CUBLAS_STATUS_SUCCESS)
    return std::nullopt;
  prepared.algorithm_ = found[rank].algo;
  prepared.workspace_bytes_ = found[rank].workspaceSize;
  return prepared;
}

void PreparedProduct::enqueue(CUstream stream, std::span<const std::uint64_t> slots, std::uint64_t workspace) const {
  const LibraryEpilogue& epilogue = product_.epilogue;
  if (epilogue.bias) {
    const void* bias = pointer(address(slots, epilogue.bias->slot, epilogue.bias->offset, epilogue.bias->dtype));
    check_blas(*api_,
               api_->cublasLtMatmulDescSetAttribute(description_.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER,
                                                    static_cast<const void*>(&bias), sizeof(bias)),
               "cublasLtMatmulDescSetAttribute");
  }
  const auto host_alpha = static_cast<float>(epilogue.alpha);
  const auto host_beta = static_cast<float>(epilogue.beta);
  const bool on_device = product_.alpha_slot >= 0;
  const void* alpha = on_device ? pointer(slots[product_.alpha_slot]) : &host_alpha;
  const void* beta = on_device ? pointer(slots[product_.beta_slot]) : &host_beta;
  const MatMulCore& core = product_.core;
  const std::uint64_t first = address(slots, core.b.slot, core.b.offset, core.dtype);
  const std::uint64_t second = address(slots, core.a.slot, core.a.offset, core.dtype);
  const std::uint64_t output = slots[epilogue.output_slot];
  const std::uint64_t c = epilogue.c_slot >= 0 ? slots[epilogue.c_slot] : output;
  check_blas(
      *api_,
      api_->cublasLtMatmul(library_, description_.get(), alpha, pointer(first), first_.get(), pointer(second),
                           second_.get(), beta, pointer(c), result_.get(), const_cast<void*>(pointer(output)),
                           result_.get(), &algorithm_, const_cast<void*>(pointer(workspace)), workspace_bytes_, stream),
      "cublasLtMatmul");
}

}  // namespace overtake::backend::cuda
