// SPDX-License-Identifier: MIT
// Sorts values without their places by counting them.
#pragma once

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "backend/api/order_cores.hpp"
#include "backend/api/sort_key.hpp"
#include "backend/cpu/sort_axis.hpp"

namespace overtake::backend::cpu {

/// Counts how often each value is there: for keys of 8 and 16 bits.
template <class Key>
class CountingSorter {
 public:
  using Axis = SortAxis<Key, Key>;
  static constexpr std::int64_t values = std::int64_t{1} << (8 * sizeof(Key));
  static constexpr std::int64_t least = sizeof(Key) == 1 ? 512 : 1 << 18;  ///< elements for which it is worth while

  [[nodiscard]] static bool pays(std::int64_t n) { return n >= least && n <= std::numeric_limits<std::int32_t>::max(); }

  CountingSorter(const SortCore& core, int parts)
      : form_(key_form(core.input.dtype)),
        descending_(core.descending),
        n_(core.n),
        parts_(static_cast<int>(std::clamp<std::int64_t>(n_ / values, 1, parts))),
        counts_(static_cast<std::size_t>(parts_)),
        ends_(static_cast<std::size_t>(values)) {}

  void sort(const Axis& axis) {
    in_parts_of(n_, parts_, [&](std::size_t part, std::int64_t begin, std::int64_t end) {
      counts_[part].assign(static_cast<std::size_t>(tables * values), 0);
      count(axis, counts_[part].data(), begin, end);
    });
    std::fill(ends_.begin(), ends_.end(), 0);
    for (std::int64_t bits = 0; bits < values; ++bits) {
      std::int64_t all = 0;
      for (const auto& counts : counts_) {
        for (std::int64_t table = 0; table < tables; ++table) {
          all += counts[static_cast<std::size_t>(table * values + bits)];
        }
      }
      ends_[sort_key(static_cast<Key>(bits), form_, descending_, true)] += all;
    }
    std::partial_sum(ends_.begin(), ends_.end(), ends_.begin());
    in_parts_of(n_, parts_, [&](std::size_t, std::int64_t begin, std::int64_t end) {
      auto next = std::upper_bound(ends_.begin(), ends_.end(), begin);
      for (std::int64_t i = begin; i < end; ++next) {
        const std::int64_t until = std::min(*next, end);
        const Key value = sort_value(static_cast<Key>(next - ends_.begin()), form_, descending_);
        if (axis.output_stride == 1) {
          std::fill(axis.output + i, axis.output + std::max(i, until), value);
          i = std::max(i, until);
        }
        for (; i < until; ++i) axis.output[i * axis.output_stride] = value;
      }
    });
  }

 private:
  // Neighbours have tables of their own: a count that was just written is slow to read.
  static constexpr std::int64_t tables = sizeof(Key) == 1 ? 4 : 2;

  static void count(const Axis& axis, std::int32_t* counts, std::int64_t begin, std::int64_t end) {
    const Key* input = axis.input;
    const std::int64_t stride = axis.input_stride;
    std::int64_t i = begin;
    for (; i + tables <= end; i += tables) {
      for (std::int64_t table = 0; table < tables; ++table) {
        ++counts[table * values + input[(i + table) * stride]];
      }
    }
    for (; i < end; ++i) ++counts[input[i * stride]];
  }

  KeyForm form_;
  bool descending_;
  std::int64_t n_;
  int parts_;
  std::vector<std::vector<std::int32_t>> counts_;
  std::vector<std::int64_t> ends_;
};

}  // namespace overtake::backend::cpu
