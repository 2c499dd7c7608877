// SPDX-License-Identifier: MIT
// cuBLASLt, opened at run time: products in strict float32, in tf32 and of bfloat16.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "backend/cuda/driver/driver_api.hpp"
#include "backend/cuda/run/plan.hpp"
#include "backend/cuda/vendor/cublaslt.hpp"

namespace overtake::backend::cuda {

/// Functions of cuBLASLt, under its own names.
struct BlasApi {
#define OVERTAKE_CUBLASLT_MEMBER(result, name, parameters) \
  result(*name) parameters = nullptr;  // NOLINT(bugprone-macro-parentheses)
  OVERTAKE_CUBLASLT_FUNCTIONS(OVERTAKE_CUBLASLT_MEMBER)
#undef OVERTAKE_CUBLASLT_MEMBER
};

/// One operand as the library sees it: a column-major matrix, perhaps to be transposed.
struct ColumnMajor {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::int64_t leading = 0;
  bool transposed = false;
};

/// The row-major product C(m,n) = A(m,k) B(k,n) is the column-major C'(n,m) = B'(n,k) A'(k,m); these are the layouts of
/// the memory of B' and A'. Empty when the operand has no unit stride.
[[nodiscard]] std::optional<ColumnMajor> column_major(const MatMulCore::Operand& operand, std::int64_t rows,
                                                      std::int64_t columns);

/// One product made ready: descriptors and the algorithm the library's heuristic ranks `rank`-th (0 is its choice; the
/// choice is never timed, so that every process takes the same one and gets the same bits).
class PreparedProduct {
 public:
  /// Most workspace an algorithm may ask for.
  static constexpr std::uint64_t workspace_limit = 32ULL << 20U;

  [[nodiscard]] std::uint64_t workspace_bytes() const noexcept { return workspace_bytes_; }
  /// Enqueues the product. Throws DeviceError.
  void enqueue(CUstream stream, std::span<const std::uint64_t> slot_addresses, std::uint64_t workspace) const;

 private:
  friend class Blas;
  template <typename T>
  using Owned = Handle<T, cublasStatus_t>;

  const BlasApi* api_ = nullptr;
  cublasLtHandle_t library_ = nullptr;
  LibraryProduct product_;
  Owned<cublasLtMatmulDesc_t> description_;
  Owned<cublasLtMatrixLayout_t> first_, second_, result_;
  cublasLtMatmulAlgo_t algorithm_{};
  std::uint64_t workspace_bytes_ = 0;
};

/// The library and its handle for the context current at opening.
class Blas {
 public:
  /// Null when the library is not there or does not start; `why` then says so.
  [[nodiscard]] static std::unique_ptr<Blas> open(int driver_cuda_version, std::string& why);

  /// Empty when the library has no algorithm for the product.
  [[nodiscard]] std::optional<PreparedProduct> prepare(const LibraryProduct& product, int rank = 0) const;
  /// "cuBLASLt 13.1.0 (libcublasLt.so.13)".
  [[nodiscard]] const std::string& version() const noexcept { return version_; }
  [[nodiscard]] const BlasApi& api() const noexcept { return api_; }
  [[nodiscard]] cublasLtHandle_t handle() const noexcept { return handle_.get(); }

 private:
  Blas() = default;
  /// Of `count` matrices that begin `step` elements apart. Throws DeviceError.
  [[nodiscard]] Handle<cublasLtMatrixLayout_t, cublasStatus_t> layout(DType dtype, const ColumnMajor& matrix,
                                                                      std::int64_t count, std::int64_t step) const;
  BlasApi api_;
  Handle<cublasLtHandle_t, cublasStatus_t> handle_;
  std::string version_;
};

}  // namespace overtake::backend::cuda
