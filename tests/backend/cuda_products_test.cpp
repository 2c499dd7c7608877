// SPDX-License-Identifier: MIT
// Products by cuBLASLt on tensor cores against plain loops in double precision. Skipped without a usable NVIDIA GPU.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "backend/cuda/backend.hpp"
#include "cuda_schedules.hpp"
#include "cuda_tensors.hpp"

namespace overtake::backend::cuda {
namespace {

using tape::apply, tape::load;

constexpr std::int64_t m = 130, n = 264, k = 392;

class CudaProducts : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto all = backend_.list();
    if (!all[0].usable) GTEST_SKIP() << all[0].reason;
    device_ = backend_.open(0, DeviceSettings{});
    if (device_->library() == nullptr) GTEST_SKIP() << "no cuBLASLt: " << device_->library_trouble();
  }

  /// Slots: 0 and 1 operands, 2 result, 3 bias.
  void check(DType dtype, bool tf32, DType result, bool with_bias, bool a_transposed, bool b_transposed) {
    SCOPED_TRACE(testing::Message() << (dtype == DType::bfloat16 ? "bf16" : tf32 ? "tf32" : "f32") << " to "
                                    << (result == DType::bfloat16 ? "bf16" : "f32") << (with_bias ? " bias" : "")
                                    << (a_transposed ? " a^T" : "") << (b_transposed ? " b^T" : ""));
    MatMulCore core{m, n, k, {}, {}, dtype, tf32};
    core.a = a_transposed ? MatMulCore::Operand{0, 0, 1, m} : MatMulCore::Operand{0, 0, k, 1};
    core.b = b_transposed ? MatMulCore::Operand{1, 0, 1, k} : MatMulCore::Operand{1, 0, n, 1};
    ASSERT_TRUE(library_is_faster(core, true));
    Operation operation;
    operation.core = core;
    operation.extent = Shape{m, n};
    operation.name = "product";
    auto& code = operation.tape.code;
    code = {tape::core()};
    if (with_bias) {
      operation.tape.loads = {{3, 0, {0, 1, 0, 0}, result}};
      code.insert(code.end(), {load(0), apply(TapeCode::add, 0, 1)});
    }
    if (result == DType::bfloat16) code.push_back(apply(TapeCode::round_bfloat16, static_cast<int>(code.size()) - 1));
    operation.tape.stores = {{2, static_cast<std::uint16_t>(code.size() - 1), result}};
    ASSERT_TRUE(library_epilogue(operation));
    std::vector<Tensor> slots{random_tensor(m * k, dtype), random_tensor(k * n, dtype), random_tensor(m * n, result)};
    if (with_bias) slots.push_back(random_tensor(n, result));
    const Tensor actual = run_twice(*device_, operation, slots);
    double worst = 0;
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        double sum = 0, magnitude = 1;
        for (std::int64_t l = 0; l < k; ++l) {
          const auto at = [](const MatMulCore::Operand& operand, std::int64_t row, std::int64_t column) {
            return static_cast<std::size_t>(row * operand.row_stride + column * operand.column_stride);
          };
          const double product = static_cast<double>(slots[0].values[at(core.a, i, l)]) *
                                 static_cast<double>(slots[1].values[at(core.b, l, j)]);
          sum += product;
          magnitude += std::abs(product);
        }
        if (with_bias) sum += static_cast<double>(slots[3].values[static_cast<std::size_t>(j)]);
        double allowed = (tf32 ? 1e-3 : 1e-6) * magnitude;
        if (result == DType::bfloat16) allowed += std::abs(sum) / 250;
        const double error = std::abs(static_cast<double>(actual.values[static_cast<std::size_t>(i * n + j)]) - sum);
        worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error / allowed);
      }
    }
    EXPECT_LE(worst, 1);
  }

  CudaBackend backend_;
  std::unique_ptr<CudaDevice> device_;
};

TEST_F(CudaProducts, OnTensorCoresInEveryLayoutAndForm) {
  for (const bool a_transposed : {false, true}) {
    for (const bool b_transposed : {false, true}) {
      for (const bool with_bias : {false, true}) {
        check(DType::float32, true, DType::float32, with_bias, a_transposed, b_transposed);
        check(DType::bfloat16, false, DType::float32, with_bias, a_transposed, b_transposed);
        check(DType::bfloat16, false, DType::bfloat16, with_bias, a_transposed, b_transposed);
      }
    }
  }
}

}  // namespace
}  // namespace overtake::backend::cuda
