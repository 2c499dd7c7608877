// SPDX-License-Identifier: MIT
// Sorting by keys (backend/api/sort_key.hpp): short axes by comparison, long ones by 8 bits a pass.
#include <algorithm>
#include <array>

#include "backend/api/sort_key.hpp"
#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {
namespace {

constexpr std::size_t digits = 256;
constexpr std::int64_t least_for_passes = 512;
constexpr std::int64_t least_for_threads = 1 << 16;

template <class Key>
struct Entry {
  Key key;
  std::int32_t place;
};

// One axis, as it lies in memory.
template <class Key>
struct Axis {
  const Key* input;
  std::int64_t input_stride;
  std::int64_t* output;
  std::int64_t output_stride;
};

template <class Key>
class AxisSorter {
 public:
  /// `parts` threads work on each axis.
  AxisSorter(const SortCore& core, int parts)
      : form_(key_form(core.input.dtype)),
        descending_(core.descending),
        n_(core.n),
        parts_(parts),
        entries_(static_cast<std::size_t>(core.n)),
        moved_(static_cast<std::size_t>(core.n >= least_for_passes ? core.n : 0)),
        counts_(static_cast<std::size_t>(parts)) {}

  void sort(const Axis<Key>& axis) {
    in_parts([&](std::size_t, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const Key key = sort_key(axis.input[i * axis.input_stride], form_, descending_);
        entries_[static_cast<std::size_t>(i)] = {key, static_cast<std::int32_t>(i)};
      }
    });
    if (n_ < least_for_passes) {
      // Places differ, so that equal keys keep their order.
      std::sort(entries_.begin(), entries_.end(), [](const Entry<Key>& a, const Entry<Key>& b) {
        return a.key < b.key || (a.key == b.key && a.place < b.place);
      });
    } else {
      for (std::size_t shift = 0; shift < 8 * sizeof(Key); shift += 8) pass(shift);
    }
    in_parts([&](std::size_t, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        axis.output[i * axis.output_stride] = entries_[static_cast<std::size_t>(i)].place;
      }
    });
  }

 private:
  template <class Body>
  void in_parts(const Body& body) {
    if (parts_ == 1) return body(0, 0, n_);
    ThreadPool::instance().run(
        parts_, [&](int part) { body(static_cast<std::size_t>(part), n_ * part / parts_, n_ * (part + 1) / parts_); });
  }

  static std::size_t digit_of(Key key, std::size_t shift) { return static_cast<std::size_t>(key >> shift) % digits; }

  void pass(std::size_t shift) {
    in_parts([&](std::size_t part, std::int64_t begin, std::int64_t end) {
      auto& counts = counts_[part];
      counts.fill(0);
      for (std::int64_t i = begin; i < end; ++i) ++counts[digit_of(entries_[static_cast<std::size_t>(i)].key, shift)];
    });
    // Where the elements of each digit begin, part by part; nothing moves if all have one digit.
    std::int64_t next = 0;
    bool moves = true;
    for (std::size_t digit = 0; digit < digits; ++digit) {
      const std::int64_t before = next;
      for (auto& counts : counts_) {
        const std::int64_t count = counts[digit];
        counts[digit] = next;
        next += count;
      }
      moves = moves && next - before < n_;
    }
    if (!moves) return;
    in_parts([&](std::size_t part, std::int64_t begin, std::int64_t end) {
      auto& places = counts_[part];
      for (std::int64_t i = begin; i < end; ++i) {
        const Entry<Key>& entry = entries_[static_cast<std::size_t>(i)];
        moved_[static_cast<std::size_t>(places[digit_of(entry.key, shift)]++)] = entry;
      }
    });
    entries_.swap(moved_);
  }

  KeyForm form_;
  bool descending_;
  std::int64_t n_;
  int parts_;
  std::vector<Entry<Key>> entries_, moved_;
  std::vector<std::array<std::int64_t, digits>> counts_;
};

class SortStep final : public Step {
 public:
  SortStep(const Operation& operation, int threads)
      : core_(std::get<SortCore>(operation.core)), target_slot_(operation.tape.stores.at(0).slot) {
    const double count =
        static_cast<double>(core_.outer) * static_cast<double>(core_.n) * static_cast<double>(core_.inner);
    constexpr double work_of_element = 32;
    threads_ = worthwhile_threads(work_of_element * count, threads);
  }

  void bind(SlotPointers slots) override {
    input_ = slots[static_cast<std::size_t>(core_.input.slot)] +
             core_.input.offset * static_cast<std::int64_t>(size_of(core_.input.dtype));
    output_ = reinterpret_cast<std::int64_t*>(slots[static_cast<std::size_t>(target_slot_)]);
  }

  void run() override {
    with_key_type(core_.input.dtype, [this]<class Key>(Key) { sort<Key>(); });
  }

 private:
  template <class Key>
  void sort() {
    const std::int64_t rows = core_.outer * core_.inner;
    const auto axis = [this](std::int64_t row) {
      const std::int64_t o = row / core_.inner, j = row % core_.inner;
      const auto& strides = core_.input.strides;
      return Axis<Key>{reinterpret_cast<const Key*>(input_) + o * strides[0] + j * strides[2], strides[1],
                       output_ + o * core_.n * core_.inner + j, core_.inner};
    };
    if (rows < threads_ && core_.n >= least_for_threads) {
      AxisSorter<Key> sorter(core_, threads_);
      for (std::int64_t row = 0; row < rows; ++row) sorter.sort(axis(row));
      return;
    }
    parallel_ranges(rows, 1, threads_, [&](std::int64_t begin, std::int64_t end) {
      AxisSorter<Key> sorter(core_, 1);
      for (std::int64_t row = begin; row < end; ++row) sorter.sort(axis(row));
    });
  }

  SortCore core_;
  int target_slot_;
  int threads_ = 1;
  const std::byte* input_ = nullptr;
  std::int64_t* output_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_sort_step(const Operation& operation, int threads) {
  return std::make_unique<SortStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
