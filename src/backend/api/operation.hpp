// SPDX-License-Identifier: MIT
// What a backend executes: a schedule, i.e. a list of operations over numbered slots. An operation is a core (the part
// that is not element-wise) followed by a tape (the fused element-wise part, with every load and store).
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "backend/api/image_cores.hpp"
#include "backend/api/order_cores.hpp"
#include "backend/api/reduce_kind.hpp"
#include "backend/api/tape.hpp"
#include "overtake/dtype.hpp"

namespace overtake::backend {

/// Only the tape. No `core` instruction occurs in it.
struct MapCore {
  friend bool operator==(const MapCore&, const MapCore&) = default;
};

/// core(m, n) = sum over k of a(m, k) * b(k, n), float32. Each operand is addressed as
/// slot[offset + i * row_stride + j * column_stride]; one of the two strides is 1 unless the extent is 1.
/// The tape's extent is (m, n). Operands are both of `dtype`, float32 or bfloat16, whose products are exact in float32.
/// `tf32`: the device may round operands of float32 to 10 bits of mantissa; else they are multiplied as they are.
struct MatMulCore {
  struct Operand {
    int slot = -1;
    std::int64_t offset = 0;
    std::int64_t row_stride = 0;
    std::int64_t column_stride = 0;
    friend bool operator==(const Operand&, const Operand&) = default;
  };
  std::int64_t m = 0, n = 0, k = 0;
  Operand a, b;
  DType dtype = DType::float32;
  bool tf32 = false;
  friend bool operator==(const MatMulCore&, const MatMulCore&) = default;
};

/// core(outer * chunks + c, inner) = reduction over r of input(outer, r, inner), r in [c * chunk, (c + 1) * chunk) of
/// the axis. The input is a tape of its own over the extent (outer, reduced, inner) with one store-less result: its
/// last instruction's register, in whose type it is reduced. The main tape's extent is (outer * chunks(), inner).
///
/// Canonical order of a sum or product (every backend, same bits for the same inputs): `lanes` partial results, lane l
/// taking the elements r = l, l+lanes, l+2*lanes, ... of the chunk in order starting from the identity, then a binary
/// tree: for (w = lanes/2; w > 0; w /= 2) partial[l] += partial[l+w] for l < w. lanes = 256 when inner is 1, else 8.
/// max and min propagate NaN. Longer axes are reduced in chunks of chunk_length(), then the chunks' results the same
/// way.
struct ReduceCore {
  ReduceKind kind = ReduceKind::sum;
  std::int64_t outer = 1, reduced = 1, inner = 1;
  std::int64_t chunk = 0;  ///< 0: the whole axis
  Tape input;
  [[nodiscard]] int lanes() const noexcept { return inner == 1 ? 256 : 8; }
  [[nodiscard]] std::int64_t chunks() const noexcept { return chunk == 0 ? 1 : (reduced + chunk - 1) / chunk; }
  [[nodiscard]] ValueType type() const { return result_of(input.code.back()); }
  friend bool operator==(const ReduceCore&, const ReduceCore&) = default;
};

/// Elements of a chunk: enough for a group of work-items, few enough for long axes to fill a processor.
[[nodiscard]] constexpr std::int64_t chunk_length(std::int64_t inner) noexcept { return inner == 1 ? 65536 : 1024; }

enum class RowKind : std::uint8_t {
  softmax,        ///< core(row, column): exp(x - max) / sum
  log_softmax,    ///< core(row, column): x - max - log(sum)
  cross_entropy,  ///< core(row): max + log(sum) - x[label]; NaN for a label outside the columns
  argmax,         ///< core(row), int64: first largest column; NaN counts as largest
};

/// A function of whole rows. `input` is addressed as slot[offset + row * strides[0] + column * strides[1]], `labels`
/// (cross entropy) as slot[offset + row * strides[0]]. The tape's extent is (rows, columns) for softmax and
/// log_softmax, else (rows).
struct RowCore {
  RowKind kind = RowKind::softmax;
  std::int64_t rows = 0, columns = 0;
  Access input;
  Access labels;
  friend bool operator==(const RowCore&, const RowCore&) = default;
};

/// core(o, i, j) = source(o, index(o, start * rows + i, j), j); both are addressed as slot[offset + o * strides[0] +
/// row * strides[1] + j * strides[2]]. Indices are int32 or int64, negative ones count from the end; `start` (int32) is
/// read from its slot (0 when slot is -1). An index outside [-source_rows, source_rows) gives NaN (whole numbers: the
/// smallest value of their register's type, narrowed; bool: true). The tape's extent is (outer, rows, columns).
struct GatherCore {
  std::int64_t outer = 1, rows = 0, columns = 0, source_rows = 0;
  Access source;
  Access indices;
  Access start;
  friend bool operator==(const GatherCore&, const GatherCore&) = default;
};

struct Operation {
  using CoreVariant = std::variant<MapCore, MatMulCore, ReduceCore, RowCore, GatherCore, ScanCore, SortCore, SearchCore,
                                   SegmentSumCore, HistogramCore, ConvolutionCore, PoolCore>;

  CoreVariant core;
  Shape extent;  ///< of the tape; rank 1 to 4, contiguous dimensions already merged for maps
  Tape tape;
  std::string name;  ///< for profiles and error messages: "matmul+bias+relu"

  friend bool operator==(const Operation& a, const Operation& b) {
    return a.core == b.core && a.extent == b.extent && a.tape == b.tape;
  }
};

/// A piece of memory that operations read and write: one array. Whoever reads or writes it says the same dtype.
struct Slot {
  std::uint64_t bytes = 0;
  DType dtype = DType::float32;
  /// External slots are bound by the caller; the others live in the executable's arena at `arena_offset` bytes
  /// (256-byte aligned; two slots share bytes only when the one is dead before the other is first written, in list
  /// order).
  bool external = false;
  std::uint64_t arena_offset = 0;

  friend bool operator==(const Slot&, const Slot&) = default;
};

/// A slot of so many elements.
[[nodiscard]] constexpr Slot slot_of(std::int64_t elements, DType dtype, bool external = false,
                                     std::uint64_t arena_offset = 0) noexcept {
  return {static_cast<std::uint64_t>(elements) * size_of(dtype), dtype, external, arena_offset};
}

/// Operations in an order that is always correct to run one after the other. In one operation a store may go to a slot
/// that a tape load of the same operation reads at the same element (in-place update); cores never read a stored slot.
struct Schedule {
  std::vector<Slot> slots;
  std::vector<Operation> operations;
  std::uint64_t arena_bytes = 0;

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// Slots read and written by an operation, for dependency analysis.
struct SlotUse {
  std::vector<int> reads;
  std::vector<int> writes;
};
[[nodiscard]] SlotUse slots_used(const Operation& operation);

}  // namespace overtake::backend
