// SPDX-License-Identifier: MIT
// Sorting by keys (backend/api/sort_key.hpp): values by counting (counting_sort.hpp) or with vectors
// (vector_sorter.hpp); with places, or where vectors are not faster, short axes by comparison and long ones by 8 bits a
// pass.
#include <algorithm>
#include <array>
#include <type_traits>

#include "backend/api/sort_key.hpp"
#include "backend/cpu/counting_sort.hpp"
#include "backend/cpu/step.hpp"
#include "backend/cpu/vector_sorter.hpp"

namespace overtake::backend::cpu {
namespace {

constexpr std::size_t digits = 256;
constexpr std::int64_t least_for_passes = 512;
constexpr std::int64_t least_for_threads = 1 << 16;

// What is moved: the key, and where places are wanted, that.
template <class Key>
struct Entry {
  using key_type = Key;
  Key key;
  std::int32_t place;
  // Places differ, so that equal keys keep their order.
  friend bool operator<(const Entry& a, const Entry& b) {
    return a.key < b.key || (a.key == b.key && a.place < b.place);
  }
};

template <class Key>
struct BareKey {
  using key_type = Key;
  Key key;
  friend bool operator<(const BareKey& a, const BareKey& b) { return a.key < b.key; }
};

template <class Moved>
class AxisSorter {
  using Key = typename Moved::key_type;
  static constexpr bool wants_places = std::is_same_v<Moved, Entry<Key>>;

 public:
  using Axis = SortAxis<Key, std::conditional_t<wants_places, std::int64_t, Key>>;

  /// `parts` threads work on each axis.
  AxisSorter(const SortCore& core, int parts)
      : form_(key_form(core.input.dtype)),
        descending_(core.descending),
        n_(core.n),
        parts_(parts),
        entries_(static_cast<std::size_t>(core.n)),
        moved_(static_cast<std::size_t>(core.n >= least_for_passes ? core.n : 0)),
        counts_(static_cast<std::size_t>(parts)) {}

  void sort(const Axis& axis) {
    in_parts([&](std::size_t, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const Key key = sort_key(axis.input[i * axis.input_stride], form_, descending_, !wants_places);
        if constexpr (wants_places) {
          entries_[static_cast<std::size_t>(i)] = {key, static_cast<std::int32_t>(i)};
        } else {
          entries_[static_cast<std::size_t>(i)] = {key};
        }
      }
    });
    if (n_ < least_for_passes) {
      std::sort(entries_.begin(), entries_.end());
    } else {
      for (std::size_t shift = 0; shift < 8 * sizeof(Key); shift += 8) pass(shift);
    }
    in_parts([&](std::size_t, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const Moved& entry = entries_[static_cast<std::size_t>(i)];
        if constexpr (wants_places) {
          axis.output[i * axis.output_stride] = entry.place;
        } else {
          axis.output[i * axis.output_stride] = sort_value(entry.key, form_, descending_);
        }
      }
    });
  }

 private:
  template <class Body>
  void in_parts(const Body& body) {
    in_parts_of(n_, parts_, body);
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
        const Moved& entry = entries_[static_cast<std::size_t>(i)];
        moved_[static_cast<std::size_t>(places[digit_of(entry.key, shift)]++)] = entry;
      }
    });
    entries_.swap(moved_);
  }

  KeyForm form_;
  bool descending_;
  std::int64_t n_;
  int parts_;
  std::vector<Moved> entries_, moved_;
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
    output_ = slots[static_cast<std::size_t>(target_slot_)];
  }

  void run() override {
    with_key_type(core_.input.dtype, [this]<class Key>(Key) {
      if (!core_.values) return sort<AxisSorter<Entry<Key>>, Key>();
      if constexpr (sizeof(Key) <= 2) {
        if (CountingSorter<Key>::pays(core_.n)) return sort<CountingSorter<Key>, Key>();
      }
      if constexpr (sizeof(Key) >= 2) {
        if (VectorSorter<Key>::pays(core_.n)) return sort<VectorSorter<Key>, Key>();
      }
      sort<AxisSorter<BareKey<Key>>, Key>();
    });
  }

 private:
  template <class Sorter, class Key>
  void sort() {
    using Result = typename Sorter::Axis::Result;
    const std::int64_t rows = core_.outer * core_.inner;
    const auto axis = [this](std::int64_t row) {
      const std::int64_t o = row / core_.inner, j = row % core_.inner;
      const auto& strides = core_.input.strides;
      return typename Sorter::Axis{reinterpret_cast<const Key*>(input_) + o * strides[0] + j * strides[2], strides[1],
                                   reinterpret_cast<Result*>(output_) + o * core_.n * core_.inner + j, core_.inner};
    };
    if (rows < threads_ && core_.n >= least_for_threads) {
      Sorter sorter(core_, threads_);
      for (std::int64_t row = 0; row < rows; ++row) sorter.sort(axis(row));
      return;
    }
    parallel_ranges(rows, 1, threads_, [&](std::int64_t begin, std::int64_t end) {
      Sorter sorter(core_, 1);
      for (std::int64_t row = begin; row < end; ++row) sorter.sort(axis(row));
    });
  }

  SortCore core_;
  int target_slot_;
  int threads_ = 1;
  const std::byte* input_ = nullptr;
  std::byte* output_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_sort_step(const Operation& operation, int threads) {
  return std::make_unique<SortStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
