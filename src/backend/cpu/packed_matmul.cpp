// SPDX-License-Identifier: MIT
// Matrix products in our own packed kernel, which starts in no time; the element-wise rest works on values that are
// still in the cache.
#include <vector>

#include "backend/cpu/step.hpp"
#include "backend/cpu/vector_math.hpp"

namespace overtake::backend::cpu {
namespace {

class PackedMatMul final : public Step {
 public:
  PackedMatMul(const Operation& operation, int threads)
      : core_(std::get<MatMulCore>(operation.core)), tape_(operation.tape, operation.extent) {
    const double work = static_cast<double>(core_.m) * static_cast<double>(core_.n) * static_cast<double>(core_.k) / 8;
    threads_ = worthwhile_threads(work, threads);
    const auto width = static_cast<std::int64_t>(panel_columns());
    panels_.resize(static_cast<std::size_t>((core_.n + width - 1) / width * width * core_.k));
    block_rows_ = std::min(std::max<std::int64_t>(4096 / core_.n / 12 * 12, 12), core_.m);
  }

  void bind(SlotPointers slots) override {
    a_ = reinterpret_cast<const float*>(slots[static_cast<std::size_t>(core_.a.slot)]) + core_.a.offset;
    b_ = reinterpret_cast<const float*>(slots[static_cast<std::size_t>(core_.b.slot)]) + core_.b.offset;
    tape_.bind(slots);
  }

  void run() override {
    pack_panels(b_, core_.b.row_stride, core_.b.column_stride, static_cast<std::size_t>(core_.k),
                static_cast<std::size_t>(core_.n), panels_.data());
    parallel_ranges(core_.m, block_rows_, threads_, [this](std::int64_t begin, std::int64_t end) {
      thread_local std::vector<float> result;
      result.resize(static_cast<std::size_t>(std::min(block_rows_, end - begin) * core_.n));
      for (std::int64_t row = begin; row < end; row += block_rows_) {
        const std::int64_t rows = std::min(block_rows_, end - row);
        packed_product({.a = a_ + row * core_.a.row_stride,
                        .row_stride = core_.a.row_stride,
                        .column_stride = core_.a.column_stride,
                        .panels = panels_.data(),
                        .c = result.data(),
                        .rows = static_cast<std::size_t>(rows),
                        .columns = static_cast<std::size_t>(core_.n),
                        .k = static_cast<std::size_t>(core_.k)});
        tape_.run(row * core_.n, (row + rows) * core_.n, result.data());
      }
    });
  }

 private:
  MatMulCore core_;
  TapeRunner tape_;
  std::vector<float> panels_;
  std::int64_t block_rows_ = 1;
  int threads_ = 1;
  const float* a_ = nullptr;
  const float* b_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_packed_matmul(const Operation& operation, int threads) {
  return std::make_unique<PackedMatMul>(operation, threads);
}

}  // namespace overtake::backend::cpu
