// SPDX-License-Identifier: MIT
// Cores whose result depends on the order of elements: scans, sorting, searching, sums of segments; and counts.
#pragma once

#include <cstdint>

#include "backend/api/reduce_kind.hpp"
#include "backend/api/tape.hpp"

namespace overtake::backend {

/// core(o, i, j) = sum or product of input(o, 0 ... i, j), where input is addressed as slot[offset + o * strides[0] + i
/// * strides[1] + j * strides[2]] and is of a type that registers hold as it is. The extent is (outer, n, inner); the
/// tape is `core` and one store of the same type.
///
/// Canonical order (every backend, same bits): the axis is cut into pieces of `piece` elements and blocks of `lanes`
/// pieces. Within a piece the running value starts from the identity and takes one element after the other. The totals
/// of a block's pieces are scanned by doubling: for (d = 1; d < lanes; d *= 2) total[l] = total[l] + total[l - d], all
/// l
/// >= d at once. The totals of the blocks (total[lanes - 1] of each) are scanned the same way as an axis of their own.
/// The result is before_block + (before_piece + running), each of them the identity where nothing comes before.
struct ScanCore {
  static constexpr std::int64_t piece = 16;
  static constexpr std::int64_t lanes = 256;
  static constexpr std::int64_t block = piece * lanes;

  ReduceKind kind = ReduceKind::sum;  ///< sum or product
  std::int64_t outer = 1, n = 1, inner = 1;
  Access input;
  friend bool operator==(const ScanCore&, const ScanCore&) = default;
};

/// core(o, i, j), int64: the place along the axis of the element that comes i-th when input(o, ..., j) is sorted, equal
/// ones in their old order. -0 equals +0; NaNs, of whatever sign and payload, are equal and above all numbers. Any
/// dtype, addressed as by ScanCore, n below 2^31. The extent is (outer, n, inner); the tape is `core` and one store of
/// int64.
///
/// `values`: core(o, i, j), of the input's dtype, is that element itself. -0 then comes before +0, and NaNs are the
/// positive quiet one without payload; the store is of that dtype.
struct SortCore {
  bool descending = false;
  bool values = false;
  std::int64_t outer = 1, n = 1, inner = 1;
  Access input;
  friend bool operator==(const SortCore&, const SortCore&) = default;
};

/// core(i), int64: how many of the `n` elements of `sorted` are below value i (`right`: not above it), in the order of
/// SortCore, ascending. sorted[offset + k * strides[0]] must be in that order; with an `order` (int64; slot -1: none),
/// sorted[offset + order[k] * strides[0]] must be. Values, of the same dtype, are values[offset + i * strides[0]]. The
/// extent is (count).
struct SearchCore {
  bool right = false;
  std::int64_t count = 0, n = 0;
  Access values;
  Access sorted;
  Access order;
  friend bool operator==(const SearchCore&, const SearchCore&) = default;
};

/// core(o, r, j) = sum over k from starts(r) to before starts(r + 1), one after the other from 0, of values(o,
/// order(k), j); order(k) is in [0, given). Values are addressed as slot[offset + o * strides[0] + row * strides[1] + j
/// * strides[2]] and of a type that registers hold as it is; order and starts, int64, as slot[offset + k * strides[0]].
/// The extent is (outer, rows, columns).
struct SegmentSumCore {
  std::int64_t outer = 1, rows = 0, columns = 1, given = 0;
  Access values;
  Access order;
  Access starts;
  friend bool operator==(const SegmentSumCore&, const SegmentSumCore&) = default;
};

/// core(i), int64: how many of the `n` whole numbers ids[offset + k * strides[0]] are i. Others than 0 ... bins - 1 are
/// not counted. The extent is (bins); the tape is `core` and one store of int64.
struct HistogramCore {
  std::int64_t n = 0, bins = 0;
  Access ids;
  friend bool operator==(const HistogramCore&, const HistogramCore&) = default;
};

}  // namespace overtake::backend
