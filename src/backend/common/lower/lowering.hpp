// SPDX-License-Identifier: MIT
// Turns an operation of a schedule into dialect kernels: source text, launch geometry, arguments. Shared by every
// backend that compiles the dialect (cuda, opencl). Pure host code: needs no device.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/api/device.hpp"
#include "backend/api/operation.hpp"

namespace overtake::backend {

[[nodiscard]] constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) noexcept { return (a + b - 1) / b; }

/// What lowering must know of a device.
struct LoweringTraits {
  int compute_units = 1;
  std::uint64_t local_bytes = 48 * 1024;  ///< local (shared) memory a group may use, without opting in to more
  int max_group_size = 1024;
  /// MEM_FENCE orders global memory between groups (CUDA: yes; OpenCL 1.2 promises it only within a group). When false,
  /// a product split along k is finished by a second kernel instead of by the last group to arrive.
  bool fence_across_groups = false;
  /// Products may be split along k, which keeps many units busy and takes memory for the parts.
  bool splits_products = true;
};

/// One argument of a lowered kernel.
struct LoweredArgument {
  enum class Kind : std::uint8_t {
    slot,    ///< pointer to the memory of slot `slot`
    offset,  ///< int32: `value` plus the distance, in elements, from the pointer passed for slot `slot` to the slot's
             ///  first element. A backend that can add to a pointer passes the slot's own address and a distance of 0;
             ///  one that cannot (cl_mem) passes the arena and its arena_offset in elements.
    offset64,  ///< the same as int64
    scratch,   ///< pointer to the start of the operation's scratch memory
    int32,     ///< the number `value`
    int64,     ///< the number `value`
    index,     ///< while a kernel is written: int32 or int64, as its indices are
  } kind = Kind::int32;
  std::int64_t value = 0;
  int slot = -1;

  friend bool operator==(const LoweredArgument&, const LoweredArgument&) = default;
};

/// Products of matrices of float32 in an operation's scratch memory that one kernel does: for `batch` numbers i,
/// result(i) = a(i) b(i) (m x k by k x n), or that added to result(i). Results are row-major without gaps.
struct ScratchProducts {
  struct Operand {
    std::int64_t offset = 0;  ///< of the first, in elements from the start of scratch memory
    std::int64_t step = 0;    ///< elements from one to the next
    std::int64_t row_stride = 0, column_stride = 0;
  };
  std::int64_t batch = 1, m = 0, n = 0, k = 0;
  Operand a, b;
  std::int64_t result_offset = 0, result_step = 0;
  bool adds = false;
};

/// One kernel launch. `source` is complete but for the dialect prelude; it is independent of shapes wherever that costs
/// no speed, so that networks of different sizes share compiled kernels. `entry` is unique to the source (it carries a
/// hash of it), so several sources can be concatenated, in any order, and compiled as one program; equal entries mean
/// equal sources, to be compiled once.
struct LoweredKernel {
  std::string entry;
  std::string source;
  LaunchGeometry geometry;
  std::vector<LoweredArgument> arguments;
  std::optional<ScratchProducts> products = {};  ///< what it does, for backends with a library for that
};

struct LoweredOperation {
  std::vector<LoweredKernel> kernels;  ///< to be launched in this order; empty for an operation without elements
  /// Scratch memory of this operation, 256-byte aligned. Operations that may run at the same time need memory of their
  /// own; others may share, except for the first `zeroed_bytes`: these belong to one operation alone, must be zero
  /// before its first launch, and every run leaves them zero.
  std::uint64_t scratch_bytes = 0;
  std::uint64_t zeroed_bytes = 0;
  /// If not empty (lower_interpreted() only): what the first `zeroed_bytes` hold instead of zeros. To be uploaded once,
  /// before the first launch; kernels only read it.
  std::vector<std::int32_t> words;
};

/// Kernels compute with 32-bit indices, or 64-bit ones where an operand is larger. Throws UsageError for a product or a
/// function of rows whose operand has 2^31 elements or more, InternalError for an operation that
/// breaks the contract of operation.hpp.
[[nodiscard]] LoweredOperation lower(const Operation& operation, const LoweringTraits& traits);

/// The same for a device without a run-time compiler: one launch of a kernel of src/kernels/graph/interpreted.k
/// (compiled ahead of time; `entry` is its name there, `source` is empty), which reads the tape from the words at the
/// start of its scratch memory. Slower than lower(). Throws DeviceError for an operation beyond the limits of that file
/// (13 loads, 8 stores, 96 instructions for each tape).
[[nodiscard]] LoweredOperation lower_interpreted(const Operation& operation);

/// What lower_interpreted() can take.
[[nodiscard]] FusionLimits interpreted_limits() noexcept;

}  // namespace overtake::backend
