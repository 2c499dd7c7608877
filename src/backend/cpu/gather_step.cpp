// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstring>
#include <limits>

#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {
namespace {

class GatherStep final : public Step {
 public:
  GatherStep(const Operation& operation, int threads)
      : core_(std::get<GatherCore>(operation.core)), tape_(operation.tape, operation.extent) {
    threads_ = worthwhile_threads(static_cast<double>(core_.rows) * static_cast<double>(core_.columns), threads);
    block_rows_ = std::max<std::int64_t>(1, 4096 / std::max<std::int64_t>(core_.columns, 1));
    if (core_.source.dtype == DType::int32) {
      const std::int32_t missing = std::numeric_limits<std::int32_t>::min();
      std::memcpy(&missing_, &missing, sizeof(missing_));
    }
  }

  void bind(SlotPointers slots) override {
    source_ = reinterpret_cast<const float*>(slots[static_cast<std::size_t>(core_.source.slot)]) + core_.source.offset;
    indices_ = reinterpret_cast<const std::int32_t*>(slots[static_cast<std::size_t>(core_.indices.slot)]) +
               core_.indices.offset;
    start_ = core_.start.slot < 0
                 ? nullptr
                 : reinterpret_cast<const std::int32_t*>(slots[static_cast<std::size_t>(core_.start.slot)]) +
                       core_.start.offset;
    tape_.bind(slots);
  }

  void run() override {
    const std::int64_t first = start_ == nullptr ? 0 : std::int64_t{*start_} * core_.rows;
    parallel_ranges(core_.rows, block_rows_, threads_, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> rows(static_cast<std::size_t>(std::min(block_rows_, end - begin) * core_.columns));
      for (std::int64_t row = begin; row < end; row += block_rows_) {
        const std::int64_t count = std::min(block_rows_, end - row);
        for (std::int64_t i = 0; i < count; ++i) copy_row(indices_[first + row + i], rows.data() + i * core_.columns);
        tape_.run(row * core_.columns, (row + count) * core_.columns, rows.data());
      }
    });
  }

 private:
  void copy_row(std::int32_t index, float* to) const {
    if (index < 0 || index >= core_.source_rows) {
      std::fill_n(to, core_.columns, missing_);
    } else {
      std::memcpy(to, source_ + std::int64_t{index} * core_.columns,
                  static_cast<std::size_t>(core_.columns) * sizeof(float));
    }
  }

  GatherCore core_;
  TapeRunner tape_;
  std::int64_t block_rows_ = 1;
  int threads_ = 1;
  float missing_ = std::numeric_limits<float>::quiet_NaN();
  const float* source_ = nullptr;
  const std::int32_t* indices_ = nullptr;
  const std::int32_t* start_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_gather_step(const Operation& operation, int threads) {
  return std::make_unique<GatherStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
