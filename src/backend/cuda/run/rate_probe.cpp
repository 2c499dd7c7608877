// SPDX-License-Identifier: MIT
#include "backend/cuda/run/rate_probe.hpp"

#include <memory>

#include "backend/cuda/driver/errors.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

/// Everything that a run of the product needs.
struct SquareProduct {
  const BlasApi* api = nullptr;
  cublasLtHandle_t library = nullptr;
  Handle<cublasLtMatmulDesc_t, cublasStatus_t> description;
  Handle<cublasLtMatrixLayout_t, cublasStatus_t> layout;
  cublasLtMatmulAlgo_t algorithm{};
  std::unique_ptr<Buffer> a, b, c, workspace;

  void enqueue(CUstream stream) const {
    const auto at = [](const Buffer& buffer) { return reinterpret_cast<void*>(buffer.handle()); };
    const float one = 1, zero = 0;
    const auto status =
        api->cublasLtMatmul(library, description.get(), &one, at(*a), layout.get(), at(*b), layout.get(), &zero, at(*c),
                            layout.get(), at(*c), layout.get(), &algorithm, at(*workspace), workspace->bytes(), stream);
    if (status != CUBLAS_STATUS_SUCCESS) throw DeviceError("cuda: cuBLASLt refuses a product that it offered");
  }
};

/// False where the library has no algorithm for it.
bool choose_algorithm(SquareProduct& product) {
  const BlasApi& api = *product.api;
  cublasLtMatmulPreference_t preference = nullptr;
  if (api.cublasLtMatmulPreferenceCreate(&preference) != CUBLAS_STATUS_SUCCESS) return false;
  const Handle<cublasLtMatmulPreference_t, cublasStatus_t> owner(preference, api.cublasLtMatmulPreferenceDestroy);
  const std::uint64_t workspace = PreparedProduct::workspace_limit;
  static_cast<void>(api.cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                             &workspace, sizeof workspace));
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  cublasLtMatrixLayout_t layout = product.layout.get();
  const auto status = api.cublasLtMatmulAlgoGetHeuristic(product.library, product.description.get(), layout, layout,
                                                         layout, layout, preference, 1, &found, &count);
  product.algorithm = found.algo;
  return status == CUBLAS_STATUS_SUCCESS && count == 1 && found.state == CUBLAS_STATUS_SUCCESS;
}

/// Large enough to fill any card, small enough for a card with little memory.
std::uint64_t edge_for(const DeviceInfo& info) {
  constexpr std::uint64_t large_memory = 16ULL << 30U;
  return info.memory_bytes >= large_memory ? 8192 : 2048;
}

}  // namespace

RateProbe tensor_product(CudaDevice& device, std::string_view format) {
  const bool is_bf16 = format == "bf16";
  const Blas* blas = is_bf16 || format == "tf32" ? device.library() : nullptr;
  if (blas == nullptr) return {};
  const std::uint64_t n = edge_for(device.info());
  auto product = std::make_shared<SquareProduct>();
  product->api = &blas->api();
  product->library = blas->handle();
  cublasLtMatmulDesc_t description = nullptr;
  const auto how = is_bf16 ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_32F_FAST_TF32;
  if (product->api->cublasLtMatmulDescCreate(&description, how, CUDA_R_32F) != CUBLAS_STATUS_SUCCESS) return {};
  product->description = {description, product->api->cublasLtMatmulDescDestroy};
  cublasLtMatrixLayout_t layout = nullptr;
  const auto status = product->api->cublasLtMatrixLayoutCreate(&layout, is_bf16 ? CUDA_R_16BF : CUDA_R_32F, n, n,
                                                               static_cast<std::int64_t>(n));
  if (status != CUBLAS_STATUS_SUCCESS) return {};
  product->layout = {layout, product->api->cublasLtMatrixLayoutDestroy};
  if (!choose_algorithm(*product)) return {};
  const std::size_t bytes = n * n * (is_bf16 ? 2 : 4);
  for (auto* matrix : {&product->a, &product->b, &product->c}) *matrix = device.allocate(bytes);
  product->workspace = device.allocate(PreparedProduct::workspace_limit);
  // Zeros draw less power than numbers, and the clock stays higher: each byte is one that makes small numbers.
  constexpr unsigned char pattern = 0x3C;
  for (const Buffer* matrix : {product->a.get(), product->b.get()}) {
    check(device.api(), device.api().cuMemsetD8Async(matrix->handle(), pattern, bytes, device.stream()),
          "filling memory on the GPU");
  }
  const double edge = static_cast<double>(n);
  return {[product, &device] {
            device.context().use();
            product->enqueue(device.stream());
          },
          2 * edge * edge * edge};
}

}  // namespace overtake::backend::cuda
