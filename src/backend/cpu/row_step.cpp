// SPDX-License-Identifier: MIT
// Functions of whole rows.
#include <cmath>
#include <limits>

#include "backend/cpu/step.hpp"
#include "backend/cpu/vector_math.hpp"

namespace overtake::backend::cpu {
namespace {

class RowStep final : public Step {
 public:
  RowStep(const Operation& operation, int threads)
      : core_(std::get<RowCore>(operation.core)), tape_(operation.tape, operation.extent) {
    threads_ = worthwhile_threads(static_cast<double>(core_.rows) * static_cast<double>(core_.columns) * 8, threads);
    block_rows_ = std::max<std::int64_t>(1, 4096 / core_.columns);
  }

  void bind(SlotPointers slots) override {
    input_ = reinterpret_cast<const float*>(slots[static_cast<std::size_t>(core_.input.slot)]) + core_.input.offset;
    if (core_.labels.slot >= 0) {
      labels_ = reinterpret_cast<const std::int32_t*>(slots[static_cast<std::size_t>(core_.labels.slot)]) +
                core_.labels.offset;
    }
    tape_.bind(slots);
  }

  void run() override {
    parallel_ranges(core_.rows, block_rows_, threads_, [this](std::int64_t begin, std::int64_t end) {
      Block block;
      for (std::int64_t row = begin; row < end; row += block_rows_) {
        run_block(row, std::min(block_rows_, end - row), block);
      }
    });
  }

 private:
  struct Block {
    std::vector<float> values;  // rows x columns
    std::vector<float> exps;    // the same, exponentials
    std::vector<float> row_values;
    std::vector<std::int64_t> columns;  // the largest of each row
  };

  [[nodiscard]] const float* row_at(std::int64_t row) const { return input_ + row * core_.input.strides[0]; }

  void run_block(std::int64_t first, std::int64_t rows, Block& block) {
    if (core_.kind == RowKind::argmax) {
      block.columns.resize(static_cast<std::size_t>(rows));
      for (std::int64_t i = 0; i < rows; ++i) block.columns[static_cast<std::size_t>(i)] = argmax(row_at(first + i));
      tape_.run(first, first + rows, block.columns.data());
      return;
    }
    const auto size = static_cast<std::size_t>(rows * core_.columns);
    block.values.resize(size);
    block.exps.resize(size);
    for (std::int64_t i = 0; i < rows; ++i)
      shift_by_maximum(row_at(first + i), block.values.data() + i * core_.columns);
    for (std::size_t at = 0; at < size; at += block_size) {
      apply_block({.code = TapeCode::exp}, block.values.data() + at, nullptr, nullptr, block.exps.data() + at,
                  std::min(block_size, size - at));
    }
    if (core_.kind == RowKind::cross_entropy) {
      losses(first, rows, block);
      tape_.run(first, first + rows, block.row_values.data());
    } else {
      for (std::int64_t i = 0; i < rows; ++i) normalise(block, i);
      const std::vector<float>& result = core_.kind == RowKind::softmax ? block.exps : block.values;
      tape_.run(first * core_.columns, (first + rows) * core_.columns, result.data());
    }
  }

  void shift_by_maximum(const float* row, float* out) const {
    const std::int64_t stride = core_.input.strides[1];
    float top = row[0];
    for (std::int64_t j = 1; j < core_.columns; ++j) {
      const float x = row[j * stride];
      top = x > top || std::isnan(x) ? x : top;
    }
    for (std::int64_t j = 0; j < core_.columns; ++j) out[j] = row[j * stride] - top;
  }

  [[nodiscard]] float sum_of_exps(const Block& block, std::int64_t row) const {
    const float* exps = block.exps.data() + row * core_.columns;
    float sum = 0;
    for (std::int64_t j = 0; j < core_.columns; ++j) sum += exps[j];
    return sum;
  }

  void normalise(Block& block, std::int64_t row) const {
    const float sum = sum_of_exps(block, row);
    float* exps = block.exps.data() + row * core_.columns;
    float* values = block.values.data() + row * core_.columns;
    const float log_sum = std::log(sum);
    for (std::int64_t j = 0; j < core_.columns; ++j) {
      if (core_.kind == RowKind::softmax) {
        exps[j] /= sum;
      } else {
        values[j] -= log_sum;
      }
    }
  }

  void losses(std::int64_t first, std::int64_t rows, Block& block) const {
    block.row_values.resize(static_cast<std::size_t>(rows));
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int32_t label = labels_[(first + i) * core_.labels.strides[0]];
      const bool valid = label >= 0 && label < core_.columns;
      block.row_values[static_cast<std::size_t>(i)] =
          valid ? std::log(sum_of_exps(block, i)) - block.values[static_cast<std::size_t>(i * core_.columns + label)]
                : std::numeric_limits<float>::quiet_NaN();
    }
  }

  [[nodiscard]] std::int64_t argmax(const float* row) const {
    const std::int64_t stride = core_.input.strides[1];
    std::int64_t best = 0;
    for (std::int64_t j = 0; j < core_.columns && !std::isnan(row[best * stride]); ++j) {
      const float x = row[j * stride];
      if (x > row[best * stride] || std::isnan(x)) best = j;
    }
    return best;
  }

  RowCore core_;
  TapeRunner tape_;
  std::int64_t block_rows_ = 1;
  int threads_ = 1;
  const float* input_ = nullptr;
  const std::int32_t* labels_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_row_step(const Operation& operation, int threads) {
  return std::make_unique<RowStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
