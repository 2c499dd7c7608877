// SPDX-License-Identifier: MIT
// Reductions in the canonical order of backend/api/operation.hpp: the lanes of the definition are vector lanes here.
#include <bit>

#include "backend/api/numbers.hpp"
#include "backend/cpu/memory_types.hpp"
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
    combine_ = combining_code(core_.kind);
  }

  void bind(SlotPointers slots) override {
    input_.bind(slots);
    tape_.bind(slots);
  }

  void run() override {
    with_value_type(core_.type(), [this]<class T>(T) { core_.inner == 1 ? run_rows<T>() : run_columns<T>(); });
  }

 private:
  static constexpr auto block = static_cast<std::int64_t>(block_size);

  template <class T>
  [[nodiscard]] T identity() const {
    return value_of<T>(identity_bits(core_.kind, core_.type()));
  }

  void accumulate(void* into, const void* values, std::size_t n) const {
    apply_block({.code = combine_, .type = core_.type()}, into, values, nullptr, into, n);
  }

  /// The elements [begin, begin + length) of the axis in chunk c.
  struct Range {
    std::int64_t begin, length;
  };
  [[nodiscard]] Range range_of(std::int64_t c) const {
    if (core_.chunk == 0) return {0, core_.reduced};
    return {c * core_.chunk, std::min(core_.chunk, core_.reduced - c * core_.chunk)};
  }

  // inner == 1: 256 lanes along the reduced axis. Lanes beyond it hold the identity, which leaves every bit as it is,
  // so the tree may start at the first power of two that covers them.
  template <class T>
  void run_rows() {
    const std::int64_t chunks = core_.chunks();
    parallel_ranges(core_.outer * chunks, 1, threads_, [&](std::int64_t begin, std::int64_t end) {
      alignas(64) T lanes[block_size];
      for (std::int64_t row = begin; row < end; ++row) {
        const Range range = range_of(row % chunks);
        const std::int64_t first = row / chunks * core_.reduced + range.begin;
        const auto used = std::min(block_size, std::bit_ceil(static_cast<std::size_t>(range.length)));
        std::fill_n(lanes, used, identity<T>());
        for (std::int64_t at = 0; at < range.length; at += block) {
          const auto n = static_cast<std::size_t>(std::min(block, range.length - at));
          accumulate(lanes, input_.values(first + at, n), n);
        }
        for (std::size_t width = used / 2; width > 0; width /= 2) accumulate(lanes, lanes + width, width);
        tape_.run(row, row + 1, lanes);
      }
    });
  }

  // inner > 1: 8 lanes along the reduced axis for each column, a block of columns at a time.
  template <class T>
  void run_columns() {
    const std::int64_t width = (core_.inner + block - 1) / block;
    parallel_ranges(core_.outer * core_.chunks() * width, 1, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) reduce_columns<T>(i / width, i % width * block);
    });
  }

  template <class T>
  void reduce_columns(std::int64_t row, std::int64_t column) {
    constexpr std::int64_t lane_count = 8;
    alignas(64) T lanes[lane_count][block_size];
    const auto n = static_cast<std::size_t>(std::min(block, core_.inner - column));
    for (auto& lane : lanes) std::fill_n(lane, n, identity<T>());
    const Range range = range_of(row % core_.chunks());
    const std::int64_t first = row / core_.chunks() * core_.reduced + range.begin;
    for (std::int64_t r = 0; r < range.length; ++r) {
      accumulate(lanes[r % lane_count], input_.values((first + r) * core_.inner + column, n), n);
    }
    for (std::int64_t width = lane_count / 2; width > 0; width /= 2) {
      for (std::int64_t lane = 0; lane < width; ++lane) accumulate(lanes[lane], lanes[lane + width], n);
    }
    const std::int64_t begin = row * core_.inner + column;
    tape_.run(begin, begin + static_cast<std::int64_t>(n), lanes[0]);
  }

  ReduceCore core_;
  TapeRunner input_;
  TapeRunner tape_;
  TapeCode combine_ = TapeCode::add;
  int threads_ = 1;
};

}  // namespace

std::unique_ptr<Step> make_reduce_step(const Operation& operation, int threads) {
  return std::make_unique<ReduceStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
