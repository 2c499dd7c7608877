// SPDX-License-Identifier: MIT
#include <array>

#include "backend/api/numbers.hpp"
#include "backend/cpu/memory_types.hpp"
#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {
namespace {

class GatherStep final : public Step {
 public:
  GatherStep(const Operation& operation, int threads)
      : core_(std::get<GatherCore>(operation.core)), tape_(operation.tape, operation.extent) {
    const std::int64_t all = core_.outer * core_.rows;
    threads_ = worthwhile_threads(static_cast<double>(all) * static_cast<double>(core_.columns), threads);
    block_rows_ = std::max<std::int64_t>(1, 4096 / std::max<std::int64_t>(core_.columns, 1));
  }

  void bind(SlotPointers slots) override {
    source_ = address_of(slots, core_.source);
    indices_ = address_of(slots, core_.indices);
    start_ = address_of(slots, core_.start);
    tape_.bind(slots);
  }

  void run() override {
    with_memory_type(core_.source.dtype, [&]<class M>(M) {
      if (core_.indices.dtype == DType::int64) {
        gather<M, std::int64_t>();
      } else {
        gather<M, std::int32_t>();
      }
    });
  }

 private:
  template <class M, class I>
  void gather() {
    parallel_ranges(core_.outer * core_.rows, block_rows_, threads_, [&](std::int64_t begin, std::int64_t end) {
      std::vector<Widened<M>> rows(static_cast<std::size_t>(std::min(block_rows_, end - begin) * core_.columns));
      for (std::int64_t row = begin; row < end; row += block_rows_) {
        const std::int64_t count = std::min(block_rows_, end - row);
        for (std::int64_t i = 0; i < count; ++i) copy_row<M, I>(row + i, rows.data() + i * core_.columns);
        tape_.run(row * core_.columns, (row + count) * core_.columns, rows.data());
      }
    });
  }

  template <class M, class I>
  void copy_row(std::int64_t row, Widened<M>* to) const {
    const std::int64_t outer = row / core_.rows;
    const std::int64_t first = start_ == nullptr ? 0 : *reinterpret_cast<const std::int32_t*>(start_) * core_.rows;
    const auto& at = core_.indices.strides;
    const auto& from = core_.source.strides;
    const I* index = reinterpret_cast<const I*>(indices_) + outer * at[0] + (first + row % core_.rows) * at[1];
    const M* source = reinterpret_cast<const M*>(source_) + outer * from[0];
    for (std::int64_t j = 0; j < core_.columns; ++j) {
      const std::int64_t given = index[j * at[2]];
      const std::int64_t chosen = given < 0 ? given + core_.source_rows : given;
      const bool inside = chosen >= 0 && chosen < core_.source_rows;
      to[j] = inside ? widened(source[chosen * from[1] + j * from[2]])
                     : value_of<Widened<M>>(missing_bits(value_type_of(core_.source.dtype)));
    }
  }

  GatherCore core_;
  TapeRunner tape_;
  std::int64_t block_rows_ = 1;
  int threads_ = 1;
  const std::byte* source_ = nullptr;
  const std::byte* indices_ = nullptr;
  const std::byte* start_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_gather_step(const Operation& operation, int threads) {
  return std::make_unique<GatherStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
