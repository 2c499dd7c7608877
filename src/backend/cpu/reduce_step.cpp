// SPDX-License-Identifier: MIT
// Reductions in the canonical order of backend/api/operation.hpp: the lanes of the definition are vector lanes here.
#include <bit>
#include <limits>

#include "backend/cpu/step.hpp"
#include "backend/cpu/vector_math.hpp"

namespace overtake::backend::cpu {
namespace {

class ReduceStep final : public Step {
 public:
  ReduceStep(const Operation& operation, int threads)
      : core_(std::get<ReduceCore>(operation.core)),
        input_(core_.input, Shape{core_.outer, core_.reduced, core_.inner}),
        tape_(operation.tape, operation.extent) {
    const double work = static_cast<double>(core_.outer) * static_cast<double>(core_.reduced) *
                        static_cast<double>(core_.inner) * static_cast<double>(core_.input.code.size());
    threads_ = worthwhile_threads(work, threads);
  }

  void bind(SlotPointers slots) override {
    input_.bind(slots);
    tape_.bind(slots);
  }

  void run() override {
    if (core_.inner == 1) return run_rows();
    const std::int64_t width = column_blocks();
    parallel_ranges(core_.outer * width, 1, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_columns(i / width, i % width * block);
    });
  }

 private:
  static constexpr auto block = static_cast<std::int64_t>(block_size);

  [[nodiscard]] std::int64_t column_blocks() const { return (core_.inner + block - 1) / block; }

  [[nodiscard]] float identity() const {
    constexpr float inf = std::numeric_limits<float>::infinity();
    if (core_.kind == ReduceKind::sum) return 0;
    return core_.kind == ReduceKind::max ? -inf : inf;
  }

  void accumulate(float* sum, const float* values, std::size_t n) const {
    if (core_.kind == ReduceKind::sum) {
      accumulate_sum(sum, values, n);
    } else {
      accumulate_extreme(sum, values, n, core_.kind == ReduceKind::max);
    }
  }

  [[nodiscard]] const float* input(std::int64_t begin, std::size_t n) const {
    return input_.plain_load() != nullptr ? input_.plain_load() + begin : input_.values(begin, n);
  }

  // inner == 1: 256 lanes along the reduced axis. Lanes beyond it hold the identity, which leaves every bit as it is,
  // so the tree may start at the first power of two that covers them.
  void run_rows() {
    parallel_ranges(core_.outer, 1, threads_, [&](std::int64_t begin, std::int64_t end) {
      alignas(64) float lanes[block_size];
      const auto used = std::min(block_size, std::bit_ceil(static_cast<std::size_t>(core_.reduced)));
      for (std::int64_t row = begin; row < end; ++row) {
        std::fill_n(lanes, used, identity());
        for (std::int64_t at = 0; at < core_.reduced; at += block) {
          const auto n = static_cast<std::size_t>(std::min(block, core_.reduced - at));
          accumulate(lanes, input(row * core_.reduced + at, n), n);
        }
        for (std::size_t width = used / 2; width > 0; width /= 2) accumulate(lanes, lanes + width, width);
        tape_.run(row, row + 1, lanes);
      }
    });
  }

  // inner > 1: 8 lanes along the reduced axis for each column, a block of columns at a time.
  void run_columns(std::int64_t outer, std::int64_t column) {
    constexpr std::int64_t lane_count = 8;
    alignas(64) float lanes[lane_count][block_size];
    const auto n = static_cast<std::size_t>(std::min(block, core_.inner - column));
    for (auto& lane : lanes) std::fill_n(lane, n, identity());
    for (std::int64_t r = 0; r < core_.reduced; ++r) {
      accumulate(lanes[r % lane_count], input((outer * core_.reduced + r) * core_.inner + column, n), n);
    }
    for (std::int64_t width = lane_count / 2; width > 0; width /= 2) {
      for (std::int64_t lane = 0; lane < width; ++lane) accumulate(lanes[lane], lanes[lane + width], n);
    }
    const std::int64_t begin = outer * core_.inner + column;
    tape_.run(begin, begin + static_cast<std::int64_t>(n), lanes[0]);
  }

  ReduceCore core_;
  TapeRunner input_;
  TapeRunner tape_;
  int threads_ = 1;
};

}  // namespace

std::unique_ptr<Step> make_reduce_step(const Operation& operation, int threads) {
  return std::make_unique<ReduceStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
