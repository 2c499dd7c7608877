// SPDX-License-Identifier: MIT
// Matrix products. Small ones run in our own packed kernel, a block of rows at a time, so that the element-wise rest
// works on values that are still in the first-level cache; large ones go to oneDNN.
#include <dnnl.h>
#include <omp.h>

#include <vector>

#include "backend/cpu/step.hpp"
#include "backend/cpu/vector_math.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cpu {
namespace {

// Operand b packed in panels must stay in the second-level cache for the small kernel to pay.
constexpr std::int64_t most_small_panel_floats = 96 * 1024;

class SmallMatMul final : public Step {
 public:
  SmallMatMul(const Operation& operation, int threads)
      : core_(std::get<MatMulCore>(operation.core)), tape_(operation.tape, operation.extent) {
    const double work = static_cast<double>(core_.m) * static_cast<double>(core_.n) * static_cast<double>(core_.k) / 8;
    threads_ = worthwhile_threads(work, threads);
    const auto width = static_cast<std::int64_t>(panel_columns());
    panels_.resize(static_cast<std::size_t>((core_.n + width - 1) / width * width * core_.k));
    block_rows_ = std::clamp<std::int64_t>(4096 / core_.n / 12 * 12, 12, core_.m);
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

// A tape that only adds a multiple of the core to what is stored: p = p - rate * core, p = p + c * core. The product can
// then be accumulated in place, without a pass of its own over p.
struct Accumulation {
  int slot = -1;
  float factor = 1;
  std::vector<Access> scalars;  // one-element operands whose product multiplies the factor
};

class AccumulationPattern {
 public:
  explicit AccumulationPattern(const Operation& operation) : tape_(operation.tape), extent_(operation.extent) {}

  bool match(Accumulation& result) const {
    if (tape_.stores.size() != 1 || tape_.code.empty()) return false;
    const TapeStore& store = tape_.stores[0];
    const TapeInstruction& last = tape_.code[store.value_register];
    if (last.code != TapeCode::add && last.code != TapeCode::subtract) return false;
    std::uint16_t old = last.a, change = last.b;
    if (last.code == TapeCode::add && !is_old(old, store.slot)) std::swap(old, change);
    if (!is_old(old, store.slot)) return false;
    result.slot = store.slot;
    result.factor = last.code == TapeCode::subtract ? -1.0F : 1.0F;
    return scaled_core(change, result);
  }

 private:
  [[nodiscard]] bool is_old(std::uint16_t at, int slot) const {
    const TapeInstruction& step = tape_.code[at];
    if (step.code != TapeCode::load) return false;
    const Access& load = tape_.loads[step.index];
    return load.slot == slot && load.offset == 0 && load.strides[0] == extent_[1] && load.strides[1] == 1;
  }

  bool scaled_core(std::uint16_t at, Accumulation& result) const {
    const TapeInstruction& step = tape_.code[at];
    if (step.code == TapeCode::core) return true;
    if (step.code != TapeCode::multiply) return false;
    return (scalar(step.a, result) && scaled_core(step.b, result)) || (scalar(step.b, result) && scaled_core(step.a, result));
  }

  bool scalar(std::uint16_t at, Accumulation& result) const {
    const TapeInstruction& step = tape_.code[at];
    if (step.code == TapeCode::constant) {
      result.factor *= step.value;
      return true;
    }
    if (step.code != TapeCode::load) return false;
    const Access& load = tape_.loads[step.index];
    if (load.strides[0] != 0 || load.strides[1] != 0 || load.dtype != DType::float32) return false;
    result.scalars.push_back(load);
    return true;
  }

  const Tape& tape_;
  const Shape& extent_;
};

class LargeMatMul final : public Step {
 public:
  LargeMatMul(const Operation& operation, int threads)
      : core_(std::get<MatMulCore>(operation.core)), tape_(operation.tape, operation.extent), threads_(threads) {
    accumulates_ = AccumulationPattern(operation).match(accumulation_);
    const Tape& tape = operation.tape;
    only_stores_ = tape.code.size() == 1 && tape.stores.size() == 1;
    if (only_stores_) target_slot_ = tape.stores[0].slot;
    if (accumulates_) target_slot_ = accumulation_.slot;
    if (target_slot_ < 0) product_.resize(static_cast<std::size_t>(core_.m * core_.n));
    tape_threads_ = worthwhile_threads(static_cast<double>(core_.m) * static_cast<double>(core_.n) * 2, threads);
  }

  void bind(SlotPointers slots) override {
    a_ = reinterpret_cast<const float*>(slots[static_cast<std::size_t>(core_.a.slot)]) + core_.a.offset;
    b_ = reinterpret_cast<const float*>(slots[static_cast<std::size_t>(core_.b.slot)]) + core_.b.offset;
    target_ = target_slot_ >= 0 ? reinterpret_cast<float*>(slots[static_cast<std::size_t>(target_slot_)]) : product_.data();
    scalars_.clear();
    for (const Access& each : accumulation_.scalars) {
      scalars_.push_back(reinterpret_cast<const float*>(slots[static_cast<std::size_t>(each.slot)]) + each.offset);
    }
    tape_.bind(slots);
  }

  void run() override {
    float alpha = accumulates_ ? accumulation_.factor : 1.0F;
    for (const float* scalar : scalars_) alpha *= *scalar;
    omp_set_num_threads(threads_);
    const bool a_transposed = core_.a.column_stride != 1 && core_.k > 1;
    const bool b_transposed = core_.b.column_stride != 1 && core_.n > 1;
    const auto status = dnnl_sgemm(a_transposed ? 'T' : 'N', b_transposed ? 'T' : 'N', core_.m, core_.n, core_.k, alpha, a_,
                                   leading(core_.a, a_transposed, core_.m, core_.k), b_,
                                   leading(core_.b, b_transposed, core_.k, core_.n), accumulates_ ? 1.0F : 0.0F, target_, core_.n);
    if (status != dnnl_success) throw InternalError("oneDNN refused a matrix product");
    if (target_slot_ >= 0) return;
    parallel_ranges(core_.m * core_.n, block_size, tape_threads_, [this](std::int64_t begin, std::int64_t end) {
      tape_.run(begin, end, product_.data() + begin);
    });
  }

 private:
  static std::int64_t leading(const MatMulCore::Operand& operand, bool transposed, std::int64_t rows, std::int64_t columns) {
    return transposed ? std::max(operand.column_stride, rows) : std::max(operand.row_stride, columns);
  }

  MatMulCore core_;
  TapeRunner tape_;
  int threads_;
  int tape_threads_ = 1;
  Accumulation accumulation_;
  bool accumulates_ = false;
  bool only_stores_ = false;
  int target_slot_ = -1;
  std::vector<float> product_;
  std::vector<const float*> scalars_;
  const float* a_ = nullptr;
  const float* b_ = nullptr;
  float* target_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_matmul_step(const Operation& operation, int threads) {
  const auto& core = std::get<MatMulCore>(operation.core);
  if (core.n * core.k <= most_small_panel_floats && core.m * core.n * core.k <= (std::int64_t{1} << 22)) {
    return std::make_unique<SmallMatMul>(operation, threads);
  }
  return std::make_unique<LargeMatMul>(operation, threads);
}

}  // namespace overtake::backend::cpu
