// SPDX-License-Identifier: MIT
// Matrix products cut into strips that oneDNN computes, each finished by the element-wise rest while it is in the
// cache.
#include <dnnl.h>
#include <fmt/format.h>
#include <omp.h>

#include <new>
#include <optional>
#include <vector>

#include "backend/cpu/matmul_library.hpp"
#include "overtake/error.hpp"
#include "platform/host_limits.hpp"
#include "platform/signals.hpp"

namespace overtake::backend::cpu {
namespace {

// What oneDNN needs for its kernels, which it makes at the first product of each kind. It crashes where that fails.
constexpr std::size_t library_bytes = std::size_t{16} << 20;

// A tape that only adds a multiple of the core to what is stored: p = p - rate * core, p = p + c * core. The product
// can then be accumulated in place, without a pass of its own over p.
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
    return (scalar(step.a, result) && scaled_core(step.b, result)) ||
           (scalar(step.b, result) && scaled_core(step.a, result));
  }

  bool scalar(std::uint16_t at, Accumulation& result) const {
    const TapeInstruction& step = tape_.code[at];
    if (step.code == TapeCode::constant) {
      result.factor *= float_of(step.bits);
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

// The result is cut into one strip a thread (or more, to fit the cache), each computed by oneDNN on
// one thread and finished while it is in the cache. A product that is only stored or accumulated goes to its place at
// once.
class StripMatMul final : public Step {
 public:
  StripMatMul(const Operation& operation, int threads)
      : core_(std::get<MatMulCore>(operation.core)), tape_(operation.tape, operation.extent) {
    const double work = static_cast<double>(core_.m) * static_cast<double>(core_.n) * static_cast<double>(core_.k) / 16;
    threads_ = worthwhile_threads(work, threads);
    accumulates_ = AccumulationPattern(operation).match(accumulation_);
    const Tape& tape = operation.tape;
    if (tape.code.size() == 1 && tape.stores.size() == 1) target_slot_ = tape.stores[0].slot;
    if (accumulates_) target_slot_ = accumulation_.slot;
    by_rows_ = core_.m >= core_.n;
    const std::int64_t length = by_rows_ ? core_.m : core_.n;
    const std::int64_t across = by_rows_ ? core_.n : core_.m;
    strip_ = (length + threads_ - 1) / threads_;
    if (target_slot_ < 0) {
      const std::int64_t least = by_rows_ ? vector_floats : least_columns;
      strip_ = std::min(strip_, std::max<std::int64_t>(most_strip_floats / across, least));
    }
    strip_ = (strip_ + vector_floats - 1) / vector_floats * vector_floats;
    rows_at_once_ = std::max<std::int64_t>(by_rows_ ? strip_ : most_strip_floats / strip_, vector_floats);
  }

  void bind(SlotPointers slots) override {
    a_ = reinterpret_cast<const float*>(slots[static_cast<std::size_t>(core_.a.slot)]) + core_.a.offset;
    b_ = reinterpret_cast<const float*>(slots[static_cast<std::size_t>(core_.b.slot)]) + core_.b.offset;
    target_ = target_slot_ < 0 ? nullptr : reinterpret_cast<float*>(slots[static_cast<std::size_t>(target_slot_)]);
    scalars_.clear();
    for (const Access& each : accumulation_.scalars) {
      scalars_.push_back(reinterpret_cast<const float*>(slots[static_cast<std::size_t>(each.slot)]) + each.offset);
    }
    tape_.bind(slots);
  }

  void run() override {
    alpha_ = accumulation_.factor;
    for (const float* scalar : scalars_) alpha_ *= *scalar;
    const bool is_first = !has_run_;
    const std::int64_t length = by_rows_ ? core_.m : core_.n;
    parallel_ranges(length, strip_, threads_, [&](std::int64_t begin, std::int64_t end) {
      // Only now have all threads taken the memory of their stacks.
      if (is_first && !platform::has_address_space(library_bytes)) throw std::bad_alloc();
      // oneDNN must not start a team of its own on each of ours, and no handler of a signal may run on its stack.
      omp_set_num_threads(1);
      std::optional<platform::SignalsWait> quiet;
      if (core_.k > most_depth_on_stack) quiet.emplace();
      for (std::int64_t at = begin; at < end; at += strip_) run_strip(at, std::min(strip_, end - at));
    });
    has_run_ = true;
  }

 private:
  static constexpr std::int64_t vector_floats = 16;
  static constexpr std::int64_t most_strip_floats = 96 * 1024;  // finished values that stay in the second-level cache
  static constexpr std::int64_t most_depth_on_stack = 32;       // OneDnnThreads says what becomes of the stack pointer
  static constexpr std::int64_t least_columns = 1024;           // the rest is interpreted for a row of a strip at once

  void run_strip(std::int64_t begin, std::int64_t length) const {
    const std::int64_t row = by_rows_ ? begin : 0, column = by_rows_ ? 0 : begin;
    const std::int64_t rows = by_rows_ ? length : core_.m, columns = by_rows_ ? core_.n : length;
    if (target_ != nullptr) return multiply(row, column, rows, columns, target_ + row * core_.n + column, core_.n);
    for (std::int64_t i = 0; i < rows; i += rows_at_once_) {
      finish_part(row + i, column, std::min(rows_at_once_, rows - i), columns);
    }
  }

  void finish_part(std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns) const {
    thread_local std::vector<float> result;
    result.resize(static_cast<std::size_t>(rows * columns));
    multiply(row, column, rows, columns, result.data(), columns);
    if (columns == core_.n) return tape_.run(row * core_.n, (row + rows) * core_.n, result.data());
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t first = (row + i) * core_.n + column;
      tape_.run(first, first + columns, result.data() + i * columns);
    }
  }

  void multiply(std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns, float* to,
                std::int64_t to_stride) const {
    const bool a_transposed = core_.a.column_stride != 1 && core_.k > 1;
    const bool b_transposed = core_.b.column_stride != 1 && core_.n > 1;
    const auto status =
        dnnl_sgemm(a_transposed ? 'T' : 'N', b_transposed ? 'T' : 'N', rows, columns, core_.k,
                   accumulates_ ? alpha_ : 1.0F, a_ + row * core_.a.row_stride,
                   leading(core_.a, a_transposed, core_.m, core_.k), b_ + column * core_.b.column_stride,
                   leading(core_.b, b_transposed, core_.k, core_.n), accumulates_ ? 1.0F : 0.0F, to, to_stride);
    if (status == dnnl_out_of_memory) throw std::bad_alloc();
    if (status != dnnl_success) throw InternalError("oneDNN refused a matrix product");
  }

  static std::int64_t leading(const MatMulCore::Operand& operand, bool transposed, std::int64_t rows,
                              std::int64_t columns) {
    return transposed ? std::max(operand.column_stride, rows) : std::max(operand.row_stride, columns);
  }

  MatMulCore core_;
  TapeRunner tape_;
  int threads_ = 1;
  Accumulation accumulation_;
  bool accumulates_ = false;
  bool by_rows_ = false;
  bool has_run_ = false;
  std::int64_t strip_ = 1, rows_at_once_ = 1;
  int target_slot_ = -1;
  float alpha_ = 1;
  std::vector<const float*> scalars_;
  const float* a_ = nullptr;
  const float* b_ = nullptr;
  float* target_ = nullptr;
};

}  // namespace

std::string matmul_library() {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("oneDNN {}.{}.{}", version->major, version->minor, version->patch);
}

std::unique_ptr<Step> make_library_matmul(const Operation& operation, int threads) {
  return std::make_unique<StripMatMul>(operation, threads);
}

}  // namespace overtake::backend::cpu
