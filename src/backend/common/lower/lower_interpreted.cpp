// SPDX-License-Identifier: MIT
// Writes the words that src/kernels/graph/interpreted.k runs.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <tuple>

#include "backend/api/numbers.hpp"
#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "core/checked.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

// The limits and fixed pointers of interpreted.k.
constexpr int load_pointers = 16;
constexpr int store_pointers = 8;
constexpr int most_tape_loads = 13;
constexpr int most_instructions = 96;
constexpr std::int64_t tile_extent = 32;

// A number of 64 bits as two words, the low one first.
std::pair<std::int32_t, std::int32_t> halves(std::uint64_t bits) {
  return {std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(bits)),
          std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(bits >> 32U))};
}

std::int32_t coded(TapeCode code, ValueType type) {
  return static_cast<std::int32_t>(code) + 256 * static_cast<std::int32_t>(type);
}

struct Pointer {
  int slot = -1;
  std::int64_t offset = 0;
};

class Encoder {
 public:
  explicit Encoder(const Operation& operation) : operation_(operation) {}

  /// Appends a tape; returns the word it starts at.
  std::int32_t add_tape(const Tape& tape, const std::vector<std::int64_t>& extents) {
    if (static_cast<int>(tape.code.size()) > most_instructions || static_cast<int>(tape.stores.size()) > store_pointers)
      too_large();
    const std::size_t at = words_.size();
    words_.resize(at + 14, 1);
    if (!has_short_indices(tape, extents)) too_large();
    const std::size_t pad = Shape::max_rank - extents.size();
    for (std::size_t axis = 0; axis < extents.size(); ++axis) words_[at + pad + axis] = to_index(extents[axis]);
    words_[at + 8] = static_cast<std::int32_t>(tape.code.size());
    words_[at + 9] = static_cast<std::int32_t>(tape.stores.size());
    words_[at + 10] = here();
    for (const TapeInstruction& code : tape.code) add_instruction(code, pad);
    words_[at + 11] = here();
    for (const Access& access : tape.loads) add_load(access, extents, pad);
    words_[at + 12] = here();
    for (const TapeStore& store : tape.stores) {
      words_.insert(words_.end(), {static_cast<std::int32_t>(stores_.size()), static_cast<std::int32_t>(store.dtype),
                                   store.value_register});
      stores_.push_back({store.slot, store.offset});
    }
    words_[at + 13] = here();
    for (const RandomKey& key : tape.random) {
      words_.insert(words_.end(), {static_cast<std::int32_t>(static_cast<std::uint32_t>(key.seed)),
                                   static_cast<std::int32_t>(static_cast<std::uint32_t>(key.seed >> 32U)),
                                   static_cast<std::int32_t>(key.stream)});
    }
    return static_cast<std::int32_t>(at);
  }

  /// A slot that the core reads through load pointer `index`.
  void set_pointer(int index, int slot, std::int64_t offset) { core_.emplace_back(index, Pointer{slot, offset}); }

  LoweredOperation finish(std::string entry, const std::vector<std::int64_t>& numbers, std::int64_t groups) {
    LoweredKernel kernel;
    kernel.entry = std::move(entry);
    kernel.geometry.groups = {static_cast<std::uint32_t>(to_index(groups)), 1, 1};
    kernel.geometry.group_size = {group_size, 1, 1};
    kernel.arguments.push_back({LoweredArgument::Kind::scratch, 0, -1});
    for (const std::int64_t number : numbers) {
      kernel.arguments.push_back({LoweredArgument::Kind::int32, number, -1});
    }
    // Every pointer parameter must name some memory; those not used name the first store's.
    std::vector<Pointer> loads(load_pointers, stores_.empty() ? Pointer{0, 0} : stores_.front());
    std::copy(loads_.begin(), loads_.end(), loads.begin());
    for (const auto& [index, pointer] : core_) loads[static_cast<std::size_t>(index)] = pointer;
    std::vector<Pointer> stores(store_pointers, loads[0]);
    std::copy(stores_.begin(), stores_.end(), stores.begin());
    for (const std::vector<Pointer>* pointers : {&loads, &stores}) {
      for (const Pointer& pointer : *pointers)
        kernel.arguments.push_back({LoweredArgument::Kind::slot, 0, pointer.slot});
      for (const Pointer& pointer : *pointers) {
        kernel.arguments.push_back({LoweredArgument::Kind::offset, pointer.offset, pointer.slot});
      }
    }
    LoweredOperation result;
    result.kernels.push_back(std::move(kernel));
    result.scratch_bytes = result.zeroed_bytes = words_.size() * sizeof(std::int32_t);
    result.words = std::move(words_);
    return result;
  }

  [[noreturn]] void too_large() const {
    throw DeviceError(fmt::format("'{}' is too large for the kernels that are compiled ahead of time", operation_.name),
                      "Install the vendor's run-time compiler (for CUDA: libnvrtc), which has no such limit.");
  }

 private:
  [[nodiscard]] std::int32_t here() const { return static_cast<std::int32_t>(words_.size()); }

  void add_instruction(const TapeInstruction& code, std::size_t pad) {
    std::int32_t b = code.b;
    std::int32_t c = code.c;
    if (code.code == TapeCode::constant) std::tie(b, c) = halves(code.bits);
    if (code.code == TapeCode::load || code.code == TapeCode::random || code.code == TapeCode::random_bits)
      b = code.index;
    if (code.code == TapeCode::coordinate) b = static_cast<std::int32_t>(code.index + pad);
    words_.insert(words_.end(), {coded(code.code, code.type), code.a, b, c});
  }
  void add_load(const Access& access, const std::vector<std::int64_t>& extents, std::size_t pad) {
    if (static_cast<int>(loads_.size()) >= most_tape_loads) too_large();
    words_.insert(words_.end(), {static_cast<std::int32_t>(loads_.size()), static_cast<std::int32_t>(access.dtype)});
    for (std::size_t axis = 0; axis < Shape::max_rank; ++axis) {
      const bool moves = axis >= pad && extents[axis - pad] > 1;
      words_.push_back(moves ? narrow<std::int32_t>(access.strides[axis - pad], "a stride") : 0);
    }
    loads_.push_back({access.slot, access.offset});
  }

  const Operation& operation_;
  std::vector<std::int32_t> words_;
  std::vector<Pointer> loads_;
  std::vector<Pointer> stores_;
  std::vector<std::pair<int, Pointer>> core_;
};

LoweredOperation encode(const Operation& operation, const MapCore&) {
  Encoder encoder(operation);
  std::vector<std::int64_t> extents = operation.extent.to_vector();
  const std::int64_t tape = encoder.add_tape(operation.tape, extents);
  const std::int64_t count = to_index(operation.extent.size());
  return encoder.finish("interpreted_map", {tape, count}, divide_up(count, group_size));
}

[[noreturn]] void no_kernels(const Operation& operation) {
  throw DeviceError(fmt::format("'{}' has no kernels that are compiled ahead of time", operation.name),
                    "Install the vendor's run-time compiler (for CUDA: libnvrtc).");
}

LoweredOperation encode(const Operation& operation, const MatMulCore& core) {
  if (core.dtype != DType::float32) no_kernels(operation);
  Encoder encoder(operation);
  const std::int64_t tape = encoder.add_tape(operation.tape, {core.m, core.n});
  encoder.set_pointer(15, core.a.slot, core.a.offset);
  encoder.set_pointer(14, core.b.slot, core.b.offset);
  (void)to_index(core.m * core.n);
  const std::int64_t column_tiles = divide_up(core.n, tile_extent);
  return encoder.finish("interpreted_matmul",
                        {tape, core.m, core.n, core.k, core.a.row_stride, core.a.column_stride, core.b.row_stride,
                         core.b.column_stride, column_tiles},
                        divide_up(core.m, tile_extent) * column_tiles);
}

LoweredOperation encode(const Operation& operation, const ReduceCore& core) {
  Encoder encoder(operation);
  const std::int64_t rows = core.outer * core.chunks();
  const std::int64_t input = encoder.add_tape(core.input, {core.outer, core.reduced, core.inner});
  const std::int64_t tape = encoder.add_tape(operation.tape, {rows, core.inner});
  const auto [low, high] = halves(identity_bits(core.kind, core.type()));
  return encoder.finish("interpreted_reduce",
                        {tape, input, coded(combining_code(core.kind), core.type()), low, high, core.reduced,
                         core.inner, core.chunks(), core.chunk == 0 ? core.reduced : core.chunk, core.lanes()},
                        rows * divide_up(core.inner, group_size / core.lanes()));
}

LoweredOperation encode(const Operation& operation, const RowCore& core) {
  Encoder encoder(operation);
  const std::int64_t tape = encoder.add_tape(operation.tape, operation.extent.to_vector());
  encoder.set_pointer(15, core.input.slot, core.input.offset);
  if (core.kind == RowKind::cross_entropy) encoder.set_pointer(14, core.labels.slot, core.labels.offset);
  return encoder.finish("interpreted_rows",
                        {tape, static_cast<std::int64_t>(core.kind), core.rows, core.columns, core.input.strides[0],
                         core.input.strides[1], core.labels.strides[0]},
                        core.rows);
}

LoweredOperation encode(const Operation& operation, const GatherCore& core) {
  Encoder encoder(operation);
  const std::int64_t tape = encoder.add_tape(operation.tape, {core.outer, core.rows, core.columns});
  encoder.set_pointer(15, core.source.slot, core.source.offset);
  encoder.set_pointer(14, core.indices.slot, core.indices.offset);
  const bool has_start = core.start.slot >= 0;
  if (has_start) encoder.set_pointer(13, core.start.slot, core.start.offset);
  const auto [low, high] = halves(missing_bits(value_type_of(core.source.dtype)));
  const std::int64_t count = core.outer * core.rows * core.columns;
  const auto& s = core.source.strides;
  const auto& t = core.indices.strides;
  return encoder.finish(
      "interpreted_gather",
      {tape, count, core.columns, core.rows, core.source_rows, static_cast<std::int64_t>(core.source.dtype), s[0], s[1],
       s[2], static_cast<std::int64_t>(core.indices.dtype), t[0], t[1], t[2], low, high, has_start ? 1 : 0},
      divide_up(count, group_size));
}

// Scans, sorting, searching, sums of segments, counts, convolutions and pooling.
template <class Core>
LoweredOperation encode(const Operation& operation, const Core&) {
  no_kernels(operation);
}

}  // namespace

FusionLimits interpreted_limits() noexcept {
  return {.loads = most_tape_loads, .stores = store_pointers, .instructions = most_instructions};
}

LoweredOperation lower_interpreted(const Operation& operation) {
  if (operation.extent.size() == 0) return {};
  return std::visit([&](const auto& core) { return encode(operation, core); }, operation.core);
}

}  // namespace overtake::backend
