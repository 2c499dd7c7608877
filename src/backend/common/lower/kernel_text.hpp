// SPDX-License-Identifier: MIT
// Assembles one kernel: defines, functions written for it, and the template of its family.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "backend/common/lower/lowering.hpp"
#include "backend/common/lower/matmul_tiling.hpp"
#include "backend/common/lower/tape_source.hpp"

namespace overtake::backend {

/// Work-items of a group in the families whose speed does not depend on it.
inline constexpr int group_size = 256;

/// The most elements that indices of 32 bits count: loops step past the end by less than a group's share.
inline constexpr std::int64_t most_short = std::numeric_limits<std::int32_t>::max() - (1 << 20);

class KernelText {
 public:
  /// `family` begins the entry name; `source` is the family's template.
  KernelText(std::string_view family, std::string_view source) : family_(family), source_(source) {}

  void define(std::string_view name, std::string_view value);
  void define(std::string_view name, std::int64_t value) { define(name, std::to_string(value)); }
  /// Adds the function of a tape and defines PREFIX_PARAMETERS for the kernel's parameter list.
  void add_tape(std::string_view prefix, const TapeSource& tape);
  /// Adds an element function of two values under a name of the kernel's own: NAME(name).
  void add_function(std::string_view name, TapeCode code, ValueType type);
  /// Defines TAPE(value): a call of NAME(tape) with the coordinates c0 ... of `rank`; with loads apart (LOADS_APART is
  /// 1), TAPE(value, loaded) and TAPE_LOAD.
  void define_tape_call(std::size_t rank, const TapeSource& tape, bool has_core);

  /// Defines COORDINATES, statements that find c0 ... of the element `linear` where the tape uses them (else they are
  /// 0), and COORDINATE_PARAMETERS, whose arguments it adds.
  void define_coordinates(const std::vector<std::int64_t>& extents, const TapeSource& tape);

  /// The kernel's own arguments come first, then those of the tapes in the order given.
  void add(const LoweredArgument& argument) { arguments_.push_back(argument); }
  void add_int(std::int64_t value);
  /// A number that is an INDEX in the kernel.
  void add_index(std::int64_t value) { arguments_.push_back({LoweredArgument::Kind::index, value, -1}); }
  /// Indices of 64 bits: INDEX and UINDEX of the text.
  void set_long_indices(bool are_long) { long_indices_ = are_long; }
  void add_slot(int slot, std::int64_t offset);
  void add_scratch() { arguments_.push_back({LoweredArgument::Kind::scratch, 0, -1}); }
  void add_arguments_of(const TapeSource& tape);

  [[nodiscard]] LoweredKernel finish(std::int64_t groups_x, std::int64_t groups_y, int work_items) const;

 private:
  std::string_view family_;
  std::string_view source_;
  std::string defines_;
  std::string functions_;
  bool uses_random_ = false;
  bool long_indices_ = false;
  std::vector<LoweredArgument> arguments_;
};

/// How reductions share a group of `group_size` work-items: `lanes` for each output.
[[nodiscard]] int lanes_for(std::int64_t elements, int most);

/// An operation of one kernel and no scratch memory.
[[nodiscard]] LoweredOperation single(LoweredKernel kernel);

[[nodiscard]] LoweredKernel lower_map(const Operation& operation, const LoweringTraits& traits);
[[nodiscard]] LoweredKernel lower_gather(const Operation& operation, const GatherCore& core);
[[nodiscard]] LoweredKernel lower_reduce(const Operation& operation, const ReduceCore& core,
                                         const LoweringTraits& traits);
[[nodiscard]] LoweredKernel lower_rows(const Operation& operation, const RowCore& core);
[[nodiscard]] LoweredOperation lower_scan(const Operation& operation, const ScanCore& core);
[[nodiscard]] LoweredOperation lower_sort(const Operation& operation, const SortCore& core,
                                          const LoweringTraits& traits);
[[nodiscard]] LoweredKernel lower_search(const Operation& operation, const SearchCore& core);
[[nodiscard]] LoweredKernel lower_segment_sum(const Operation& operation, const SegmentSumCore& core);
[[nodiscard]] LoweredOperation lower_histogram(const Operation& operation, const HistogramCore& core);
[[nodiscard]] LoweredOperation lower_convolution(const Operation& operation, const ConvolutionCore& core,
                                                 const LoweringTraits& traits);
/// With a tile and split given. Not for groups, or arrays that need indices of 64 bits.
[[nodiscard]] LoweredOperation lower_convolution(const Operation& operation, const ConvolutionCore& core,
                                                 const LoweringTraits& traits, const MatMulPlan& plan);
[[nodiscard]] LoweredOperation lower_pool(const Operation& operation, const PoolCore& core);
[[nodiscard]] LoweredOperation lower_matmul(const Operation& operation, const MatMulCore& core,
                                            const LoweringTraits& traits);
/// With a tile and split given, for measurements of the model that usually picks them.
[[nodiscard]] LoweredOperation lower_matmul(const Operation& operation, const MatMulCore& core,
                                            const LoweringTraits& traits, const MatMulPlan& plan);

}  // namespace overtake::backend
