// SPDX-License-Identifier: MIT
// Scans in the canonical order of ScanCore.
#include <array>

#include "backend/cpu/memory_types.hpp"
#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {
namespace {

constexpr std::int64_t piece = ScanCore::piece;
constexpr std::int64_t block = ScanCore::block;
constexpr auto lanes = static_cast<std::size_t>(ScanCore::lanes);

template <TapeCode code, class T>
T combined(T a, T b) {
  return formulas::formula(formulas::Code<code>(), a, b);
}

// The totals of the pieces before each one, and of the block.
template <TapeCode code, class T>
void scan_totals(std::array<T, lanes>& totals, std::size_t used) {
  for (std::size_t distance = 1; distance < used; distance *= 2) {
    for (std::size_t lane = used; lane-- > distance;) {
      totals[lane] = combined<code>(totals[lane], totals[lane - distance]);
    }
  }
}

// Scans `n` elements of one block, at most; returns its total. `from` and `to` may be the same memory.
template <TapeCode code, class T>
T scan_block(const T* from, std::int64_t from_stride, T* to, std::int64_t to_stride, std::int64_t n) {
  std::array<T, lanes> totals;
  const auto used = static_cast<std::size_t>((n + piece - 1) / piece);
  for (std::int64_t first = 0; first < n; first += piece) {
    T running = code == TapeCode::add ? T{0} : T{1};
    for (std::int64_t i = first; i < std::min(first + piece, n); ++i) {
      running = combined<code>(running, from[i * from_stride]);
      to[i * to_stride] = running;
    }
    totals[static_cast<std::size_t>(first / piece)] = running;
  }
  scan_totals<code>(totals, used);
  for (std::int64_t i = piece; i < n; ++i) {
    T& value = to[i * to_stride];
    value = combined<code>(totals[static_cast<std::size_t>(i / piece) - 1], value);
  }
  return totals[used - 1];
}

// An axis of totals, in place.
template <TapeCode code, class T>
void scan_axis(T* values, std::int64_t n) {
  std::vector<T> totals(static_cast<std::size_t>((n + block - 1) / block));
  for (std::size_t b = 0; b < totals.size(); ++b) {
    const std::int64_t first = static_cast<std::int64_t>(b) * block;
    totals[b] = scan_block<code>(values + first, 1, values + first, 1, std::min(block, n - first));
  }
  if (totals.size() < 2) return;
  scan_axis<code>(totals.data(), static_cast<std::int64_t>(totals.size()));
  for (std::int64_t i = block; i < n; ++i) {
    values[i] = combined<code>(totals[static_cast<std::size_t>(i / block) - 1], values[i]);
  }
}

class ScanStep final : public Step {
 public:
  ScanStep(const Operation& operation, int threads)
      : core_(std::get<ScanCore>(operation.core)),
        target_slot_(operation.tape.stores.at(0).slot),
        blocks_((core_.n + block - 1) / block) {
    const double count =
        static_cast<double>(core_.outer) * static_cast<double>(core_.n) * static_cast<double>(core_.inner);
    threads_ = worthwhile_threads(2 * count, threads);
  }

  void bind(SlotPointers slots) override {
    input_ = address_of(slots, core_.input);
    output_ = slots[static_cast<std::size_t>(target_slot_)];
  }

  void run() override {
    with_value_type(value_type_of(core_.input.dtype), [this]<class T>(T) {
      if (core_.kind == ReduceKind::sum) return scan<TapeCode::add, T>();
      scan<TapeCode::multiply, T>();
    });
  }

 private:
  template <TapeCode code, class T>
  void scan() {
    const std::int64_t rows = core_.outer * core_.inner;
    std::vector<T> totals(blocks_ > 1 ? static_cast<std::size_t>(rows * blocks_) : 0);
    const auto& strides = core_.input.strides;
    parallel_ranges(rows * blocks_, 1, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t row = i / blocks_, first = i % blocks_ * block;
        const T* from = reinterpret_cast<const T*>(input_) + row / core_.inner * strides[0] + first * strides[1] +
                        row % core_.inner * strides[2];
        const T total =
            scan_block<code>(from, strides[1], target<T>(row, first), core_.inner, std::min(block, core_.n - first));
        if (blocks_ > 1) totals[static_cast<std::size_t>(i)] = total;
      }
    });
    if (blocks_ == 1) return;
    for (std::int64_t row = 0; row < rows; ++row) scan_axis<code>(totals.data() + row * blocks_, blocks_);
    parallel_ranges(rows * blocks_, 1, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t row = i / blocks_, first = i % blocks_ * block;
        if (first == 0) continue;
        const T before = totals[static_cast<std::size_t>(i) - 1];
        T* to = target<T>(row, first);
        for (std::int64_t k = 0; k < std::min(block, core_.n - first); ++k) {
          to[k * core_.inner] = combined<code>(before, to[k * core_.inner]);
        }
      }
    });
  }

  template <class T>
  T* target(std::int64_t row, std::int64_t i) const {
    return reinterpret_cast<T*>(output_) + (row / core_.inner * core_.n + i) * core_.inner + row % core_.inner;
  }

  ScanCore core_;
  int target_slot_;
  std::int64_t blocks_;
  int threads_ = 1;
  const std::byte* input_ = nullptr;
  std::byte* output_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_scan_step(const Operation& operation, int threads) {
  return std::make_unique<ScanStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
