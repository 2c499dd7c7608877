// SPDX-License-Identifier: MIT
// Sums of segments of rows.
#include "backend/cpu/memory_types.hpp"
#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {
namespace {

class SegmentSumStep final : public Step {
 public:
  SegmentSumStep(const Operation& operation, int threads)
      : core_(std::get<SegmentSumCore>(operation.core)), tape_(operation.tape, operation.extent) {
    const std::int64_t rows = core_.rows + core_.given;
    const double work =
        static_cast<double>(core_.outer) * static_cast<double>(rows) * static_cast<double>(core_.columns);
    threads_ = worthwhile_threads(work, threads);
    block_rows_ = std::max<std::int64_t>(1, 4096 / std::max<std::int64_t>(core_.columns, 1));
  }

  void bind(SlotPointers slots) override {
    values_ = address_of(slots, core_.values);
    order_ = reinterpret_cast<const std::int64_t*>(address_of(slots, core_.order));
    starts_ = reinterpret_cast<const std::int64_t*>(address_of(slots, core_.starts));
    tape_.bind(slots);
  }

  void run() override {
    with_value_type(value_type_of(core_.values.dtype), [this]<class T>(T) { add_up<T>(); });
  }

 private:
  template <class T>
  void add_up() {
    const std::int64_t columns = core_.columns;
    parallel_ranges(core_.outer * core_.rows, block_rows_, threads_, [&](std::int64_t begin, std::int64_t end) {
      std::vector<T> sums(static_cast<std::size_t>(std::min(block_rows_, end - begin) * columns));
      for (std::int64_t row = begin; row < end; row += block_rows_) {
        const std::int64_t count = std::min(block_rows_, end - row);
        std::fill(sums.begin(), sums.end(), T{0});
        for (std::int64_t i = 0; i < count; ++i) add_row(row + i, sums.data() + i * columns);
        tape_.run(row * columns, (row + count) * columns, sums.data());
      }
    });
  }

  template <class T>
  void add_row(std::int64_t row, T* sums) const {
    const std::int64_t outer = row / core_.rows, r = row % core_.rows;
    const auto& strides = core_.values.strides;
    const T* values = reinterpret_cast<const T*>(values_) + outer * strides[0];
    const std::int64_t* starts = starts_ + r * core_.starts.strides[0];
    for (std::int64_t k = starts[0]; k < starts[core_.starts.strides[0]]; ++k) {
      const T* from = values + order_[k * core_.order.strides[0]] * strides[1];
      for (std::int64_t j = 0; j < core_.columns; ++j) {
        sums[j] = formulas::formula(formulas::Code<TapeCode::add>(), sums[j], from[j * strides[2]]);
      }
    }
  }

  SegmentSumCore core_;
  TapeRunner tape_;
  std::int64_t block_rows_ = 1;
  int threads_ = 1;
  const std::byte* values_ = nullptr;
  const std::int64_t* order_ = nullptr;
  const std::int64_t* starts_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_segment_sum_step(const Operation& operation, int threads) {
  return std::make_unique<SegmentSumStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
