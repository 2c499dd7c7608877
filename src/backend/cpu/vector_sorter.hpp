// SPDX-License-Identifier: MIT
// Sorts values without their places with vectors (key_vectors.hpp); several threads work on buckets.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <vector>

#include "backend/api/order_cores.hpp"
#include "backend/cpu/key_vectors.hpp"
#include "backend/cpu/sort_axis.hpp"

namespace overtake::backend::cpu {

/// Sorts with vectors. Several threads first move the keys into buckets, of which each thread takes the next one. Their
/// limits come from a sample of the keys; a bucket that is too large for a thread (a frequent key that is alone among
/// its neighbours) is gone through in the same way again, or is seen to hold one key only.
template <class Key>
class VectorSorter {
 public:
  using Axis = SortAxis<Key, Key>;

  [[nodiscard]] static bool pays(std::int64_t n) { return n >= 32 && vector_sort_pays(sizeof(Key)); }

  VectorSorter(const SortCore& core, int parts)
      : form_(key_form(core.input.dtype)),
        descending_(core.descending),
        n_(core.n),
        parts_(core.n >= least_for_buckets && core.n * parts >= 4 * least_for_buckets ? parts : 1),
        counts_(static_cast<std::size_t>(parts_)) {}

  void sort(const Axis& axis) {
    const bool in_place = axis.output_stride == 1;
    const bool alone = parts_ == 1 || (parts_ <= most_for_few_keys && has_few_keys(axis));
    if (!in_place || !alone) keys_.resize(static_cast<std::size_t>(n_));
    if (!in_place && !alone) moved_.resize(keys_.size());
    if (alone) {
      Key* const keys = in_place ? axis.output : &keys_.data()->key;
      read(axis, keys, 0, n_);
      vector_sort(keys, n_);
      return write(axis, keys, 0, n_);
    }
    Key* const from = &keys_.data()->key;
    const Key first = sort_key(*axis.input, form_, descending_, true);
    const Key different = different_bits(
        [&](std::int64_t begin, std::int64_t end) {
          read(axis, from, begin, end);
          return differences(from, begin, end, first);
        },
        n_);
    sort_range(axis, from, in_place ? axis.output : &moved_.data()->key, {0, n_, different}, 0);
  }

 private:
  static constexpr std::int64_t least_for_buckets = 1 << 18;
  static constexpr std::size_t most_buckets = 256;
  static constexpr int digit_bits = 12;
  static constexpr std::size_t digits = std::size_t{1} << digit_bits;
  static constexpr std::size_t sample_size = 4096;
  static constexpr int deepest = 8;
  static constexpr int most_for_few_keys = 4;

  // A vector of these is not set to zero.
  struct Unset {
    Key key;
    Unset() noexcept {}  // NOLINT(modernize-use-equals-default,cppcoreguidelines-pro-type-member-init)
  };

  struct Range {
    std::int64_t begin, end;
    Key different;  // the bits in which keys differ
  };

  // Which bucket a key belongs to.
  struct Buckets {
    int shift = 0;
    std::size_t count = 1;
    std::array<std::uint8_t, digits> of_digit;
    std::size_t operator()(Key key) const { return of_digit[static_cast<std::size_t>(key >> shift) % digits]; }
  };

  // Few keys are sorted by one thread before several could have moved them.
  bool has_few_keys(const Axis& axis) const {
    std::array<Key, 64> sample;
    for (std::uint32_t i = 0; i < sample.size(); ++i) sample[i] = axis.input[sampled(i, n_) * axis.input_stride];
    std::sort(sample.begin(), sample.end());
    return std::unique(sample.begin(), sample.end()) - sample.begin() <= 16;
  }

  // Places that fill [0, n) evenly and follow no period of the data.
  static std::int64_t sampled(std::uint32_t i, std::int64_t n) {
    return static_cast<std::int64_t>(static_cast<double>(i * 0x9e3779b1U) / 4294967296.0 * static_cast<double>(n));
  }

  void read(const Axis& axis, Key* keys, std::int64_t begin, std::int64_t end) const {
    if (axis.input_stride == 1) return make_keys(axis.input + begin, keys + begin, end - begin, form_, descending_);
    for (std::int64_t i = begin; i < end; ++i) {
      keys[i] = sort_key(axis.input[i * axis.input_stride], form_, descending_, true);
    }
  }

  void write(const Axis& axis, const Key* keys, std::int64_t begin, std::int64_t end) const {
    if (axis.output_stride != 1) {
      for (std::int64_t i = begin; i < end; ++i) {
        axis.output[i * axis.output_stride] = sort_value(keys[i], form_, descending_);
      }
    } else if (descending_ || form_.kind != DTypeKind::unsigned_integer) {
      turn_back(keys + begin, axis.output + begin, end - begin, form_, descending_);
    }
  }

  static Key differences(const Key* keys, std::int64_t begin, std::int64_t end, Key first) {
    Key different = 0;
    for (std::int64_t i = begin; i < end; ++i) different = static_cast<Key>(different | (keys[i] ^ first));
    return different;
  }

  // The bits of all parts of [0, n) together.
  template <class Body>
  Key different_bits(const Body& body, std::int64_t n) {
    std::atomic<Key> all = 0;
    in_parts_of(n, parts_, [&](std::size_t, std::int64_t begin, std::int64_t end) { all |= body(begin, end); });
    return all;
  }

  // Sorts the range of `from`, writes it to `to` and from there to the axis.
  void sort_range(const Axis& axis, Key* from, Key* to, const Range& range, int depth) {
    const std::int64_t n = range.end - range.begin;
    if (range.different == 0) {
      in_parts_of(n, parts_, [&](std::size_t, std::int64_t begin, std::int64_t end) {
        begin += range.begin, end += range.begin;
        std::copy(from + begin, from + end, to + begin);
        write(axis, to, begin, end);
      });
      return;
    }
    const Buckets buckets = choose_buckets(from, range);
    const std::vector<std::int64_t> limits = move(from, to, range, buckets);
    std::vector<std::size_t> light;
    for (std::size_t bucket = 0; bucket < buckets.count; ++bucket) {
      const std::int64_t begin = limits[bucket], end = limits[bucket + 1];
      const bool heavy = 2 * parts_ * (end - begin) > 3 * n_ && depth < deepest;
      if (!heavy && begin < end) light.push_back(bucket);
      if (!heavy) continue;
      const Key first = to[begin];
      const Key different = different_bits(
          [&](std::int64_t part_begin, std::int64_t part_end) {
            std::copy(to + begin + part_begin, to + begin + part_end, from + begin + part_begin);
            return differences(from, begin + part_begin, begin + part_end, first);
          },
          end - begin);
      sort_range(axis, from, to, {begin, end, different}, depth + 1);
    }
    const auto size = [&](std::size_t bucket) { return limits[bucket + 1] - limits[bucket]; };
    std::sort(light.begin(), light.end(), [&](std::size_t a, std::size_t b) { return size(a) > size(b); });
    std::atomic<std::size_t> next = 0;
    ThreadPool::instance().run(parts_, [&](int) {
      for (std::size_t i = next++; i < light.size(); i = next++) {
        vector_sort(to + limits[light[i]], size(light[i]));
        write(axis, to, limits[light[i]], limits[light[i] + 1]);
      }
    });
  }

  Buckets choose_buckets(const Key* keys, const Range& range) const {
    Buckets buckets;
    buckets.shift = std::max(0, static_cast<int>(std::bit_width(range.different)) - digit_bits);
    std::array<std::size_t, digits> counts{};
    for (std::uint32_t i = 0; i < sample_size; ++i) {
      const Key key = keys[range.begin + sampled(i, range.end - range.begin)];
      ++counts[static_cast<std::size_t>(key >> buckets.shift) % digits];
    }
    const std::size_t wanted = std::clamp<std::size_t>(16 * static_cast<std::size_t>(parts_), 32, most_buckets);
    std::size_t inside = 0;
    for (std::size_t digit = 0; digit < digits; ++digit) {
      if (inside > 0 && inside + counts[digit] > 2 * sample_size / wanted && buckets.count < most_buckets) {
        ++buckets.count;
        inside = 0;
      }
      inside += counts[digit];
      buckets.of_digit[digit] = static_cast<std::uint8_t>(buckets.count - 1);
    }
    return buckets;
  }

  // Moves a range into buckets; gives where each begins, and the end.
  std::vector<std::int64_t> move(const Key* from, Key* to, const Range& range, const Buckets& buckets) {
    const std::int64_t n = range.end - range.begin;
    in_parts_of(n, parts_, [&](std::size_t part, std::int64_t begin, std::int64_t end) {
      auto& counts = counts_[part];
      counts.fill(0);
      for (std::int64_t i = range.begin + begin; i < range.begin + end; ++i) ++counts[buckets(from[i])];
    });
    std::vector<std::int64_t> limits;
    std::int64_t next = range.begin;
    for (std::size_t bucket = 0; bucket < buckets.count; ++bucket) {
      limits.push_back(next);
      for (auto& counts : counts_) {
        const std::int64_t count = counts[bucket];
        counts[bucket] = next;
        next += count;
      }
    }
    limits.push_back(next);
    in_parts_of(n, parts_, [&](std::size_t part, std::int64_t begin, std::int64_t end) {
      auto& places = counts_[part];
      for (std::int64_t i = range.begin + begin; i < range.begin + end; ++i) to[places[buckets(from[i])]++] = from[i];
    });
    return limits;
  }

  KeyForm form_;
  bool descending_;
  std::int64_t n_;
  int parts_;
  std::vector<Unset> keys_, moved_;
  std::vector<std::array<std::int64_t, most_buckets>> counts_;
};

}  // namespace overtake::backend::cpu
