// SPDX-License-Identifier: MIT
// Reductions in the canonical order of backend/api/operation.hpp: the lanes of the definition are vector lanes here.
#include <algorithm>
#include <bit>
#include <vector>

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
  static constexpr std::int64_t lane_count = 8;

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

  // inner > 1: 8 lanes along the reduced axis for each column, a panel of columns at a time: long rows are read at
  // the memory's speed, and the lanes stay in the cache of a core.
  template <class T>
  void run_columns() {
    const std::int64_t rows = core_.outer * core_.chunks();
    std::int64_t panel = 32 * block;
    while (panel > block && rows * panels_of(panel) < threads_) panel /= 2;
    const std::int64_t width = panels_of(panel);
    parallel_ranges(rows * width, 1, threads_, [&](std::int64_t begin, std::int64_t end) {
      std::vector<T> lanes(static_cast<std::size_t>(lane_count * std::min(panel, core_.inner)));
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t column = i % width * panel;
        reduce_columns(i / width, column, std::min(panel, core_.inner - column), lanes.data());
      }
    });
  }

  [[nodiscard]] std::int64_t panels_of(std::int64_t panel) const { return (core_.inner + panel - 1) / panel; }

  template <class T>
  void reduce_columns(std::int64_t row, std::int64_t column, std::int64_t columns, T* lanes) {
    // f(first column, count) for each block of the panel.
    const auto in_blocks = [columns](const auto& f) {
      for (std::int64_t at = 0; at < columns; at += block)
        f(at, static_cast<std::size_t>(std::min(block, columns - at)));
    };
    std::fill_n(lanes, lane_count * columns, identity<T>());
    const Range range = range_of(row % core_.chunks());
    const std::int64_t first = row / core_.chunks() * core_.reduced + range.begin;
    if (columns == core_.inner) {
      accumulate_whole_rows(first * columns, range.length * columns, lanes);
    } else {
      for (std::int64_t r = 0; r < range.length; ++r) {
        T* lane = lanes + r % lane_count * columns;
        const std::int64_t from = (first + r) * core_.inner + column;
        in_blocks([&](std::int64_t at, std::size_t n) { accumulate(lane + at, input_.values(from + at, n), n); });
      }
    }
    for (std::int64_t width = lane_count / 2; width > 0; width /= 2) {
      for (std::int64_t lane = 0; lane < width; ++lane) {
        T* into = lanes + lane * columns;
        in_blocks([&](std::int64_t at, std::size_t n) { accumulate(into + at, into + width * columns + at, n); });
      }
    }
    const std::int64_t begin = row * core_.inner + column;
    in_blocks([&](std::int64_t at, std::size_t n) {
      tape_.run(begin + at, begin + at + static_cast<std::int64_t>(n), lanes + at);
    });
  }

  // Eight rows are as contiguous as their lanes: narrow ones need few calls.
  template <class T>
  void accumulate_whole_rows(std::int64_t first, std::int64_t count, T* lanes) {
    const std::int64_t period = lane_count * core_.inner;
    const std::int64_t at_once = period < block ? block / period * period : block;
    for (std::int64_t at = 0; at < count;) {
      const std::int64_t lane = at % period;
      const std::int64_t n = std::min({count - at, at_once, period < block ? at_once : period - lane});
      const auto* values = static_cast<const T*>(input_.values(first + at, static_cast<std::size_t>(n)));
      for (std::int64_t done = 0; done < n; done += period) {
        accumulate(lanes + lane, values + done, static_cast<std::size_t>(std::min(period, n - done)));
      }
      at += n;
    }
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
