// SPDX-License-Identifier: MIT
// Which of the ways computes a matrix product.
#include <algorithm>
#include <vector>

#include "backend/cpu/matmul_library.hpp"
#include "backend/cpu/vector_math.hpp"

namespace overtake::backend::cpu {
namespace {

// Multiply-adds from which oneDNN is the faster one, its start included (measured on Zen 4: 100 x 16 x 8 is ours by a
// little, 100 x 32 x 16 is oneDNN's by a third).
constexpr std::int64_t least_library_product = 24 * 1024;

// Rows or columns that are all the same one, which the library does not take.
bool repeats(const MatMulCore::Operand& operand, std::int64_t rows, std::int64_t columns) {
  return (operand.row_stride == 0 && rows > 1) || (operand.column_stride == 0 && columns > 1);
}

// A product of bfloat16 as one of float32, in which their products are exact: the operands are converted first.
class WidenedMatMul final : public Step {
 public:
  WidenedMatMul(const Operation& operation, int threads)
      : core_(std::get<MatMulCore>(operation.core)),
        a_{core_.a, core_.m, core_.k, std::vector<float>(static_cast<std::size_t>(core_.m * core_.k))},
        b_{core_.b, core_.k, core_.n, std::vector<float>(static_cast<std::size_t>(core_.k * core_.n))},
        threads_(threads) {
    const SlotUse used = slots_used(operation);
    for (const std::vector<int>* slots : {&used.reads, &used.writes}) {
      for (const int slot : *slots) slots_ = std::max(slots_, static_cast<std::size_t>(slot) + 1);
    }
    Operation wide = operation;
    MatMulCore& core = std::get<MatMulCore>(wide.core);
    core.dtype = DType::float32;
    core.a = a_.wide_operand(static_cast<int>(slots_));
    core.b = b_.wide_operand(static_cast<int>(slots_) + 1);
    product_ = make_matmul_step(wide, threads);
  }

  void bind(SlotPointers slots) override {
    std::vector<std::byte*> with_wide(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(slots_));
    for (Matrix* each : {&a_, &b_}) {
      each->from = reinterpret_cast<const std::uint16_t*>(slots[static_cast<std::size_t>(each->narrow.slot)]) +
                   each->narrow.offset;
      with_wide.push_back(reinterpret_cast<std::byte*>(each->wide.data()));
    }
    product_->bind(with_wide);
  }

  void run() override {
    a_.widen(threads_);
    b_.widen(threads_);
    product_->run();
  }

 private:
  struct Matrix {
    MatMulCore::Operand narrow;
    std::int64_t rows, columns;
    std::vector<float> wide;
    const std::uint16_t* from = nullptr;

    [[nodiscard]] bool by_rows() const { return narrow.column_stride == 1 || columns == 1; }
    [[nodiscard]] MatMulCore::Operand wide_operand(int slot) const {
      return by_rows() ? MatMulCore::Operand{slot, 0, columns, 1} : MatMulCore::Operand{slot, 0, 1, rows};
    }
    void widen(int threads) {
      const std::int64_t lines = by_rows() ? rows : columns, length = by_rows() ? columns : rows;
      const std::int64_t stride = by_rows() ? narrow.row_stride : narrow.column_stride;
      const auto all = static_cast<double>(lines * length);
      parallel_ranges(lines, 1, worthwhile_threads(all, threads), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          widen_bfloat16s(from + i * stride, wide.data() + i * length, static_cast<std::size_t>(length));
        }
      });
    }
  };

  MatMulCore core_;
  Matrix a_, b_;
  int threads_;
  std::size_t slots_ = 0;  // of the operation; those of the wide operands follow
  std::unique_ptr<Step> product_;
};

}  // namespace

std::unique_ptr<Step> make_matmul_step(const Operation& operation, int threads) {
  const auto& core = std::get<MatMulCore>(operation.core);
  const bool is_large = core.m * core.n * core.k >= least_library_product && !repeats(core.a, core.m, core.k) &&
                        !repeats(core.b, core.k, core.n);
  if (core.dtype == DType::bfloat16) {
    auto step = is_large ? make_library_bf16_matmul(operation, threads) : nullptr;
    return step ? std::move(step) : std::make_unique<WidenedMatMul>(operation, threads);
  }
  if (is_large) {
    if (auto step = make_library_matmul(operation, threads)) return step;
  }
  return make_packed_matmul(operation, threads);
}

}  // namespace overtake::backend::cpu
