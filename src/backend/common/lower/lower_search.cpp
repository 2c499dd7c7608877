// SPDX-License-Identifier: MIT
// Searches in sorted values, and sums of segments: one work-item per element of the result.
#include <array>

#include "backend/api/numbers.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "backend/common/lower/sort_keys.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

std::int64_t groups_for(std::int64_t count) { return (count + group_size - 1) / group_size; }

}  // namespace

LoweredKernel lower_search(const Operation& operation, const SearchCore& core) {
  const std::string source = std::string(embedded::kernel_sort_keys) + std::string(embedded::kernel_search);
  const std::vector<std::int64_t> extents{core.count};
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = ValueType::int64});
  const bool ordered = core.order.slot >= 0;
  KernelText text("search", source);
  define_keys(text, core.values.dtype);
  text.define("GROUP_SIZE", group_size);
  text.define("RIGHT", core.right ? 1 : 0);
  text.define("ORDER_PARAMETERS",
              ordered ? ", GLOBAL const int64* RESTRICT order, INDEX order_at, INDEX order_s0" : "");
  text.define("ORDERED(k)", ordered ? "((INDEX)order[order_at + (k)*order_s0])" : "(k)");
  text.add_tape("TAPE", tape);
  text.define_tape_call(1, tape, true);
  text.set_long_indices(!has_short_indices(operation.tape, extents) || !has_short_indices(core.values, {core.count}) ||
                        !has_short_indices(core.sorted, {core.n}));
  text.add_index(core.count);
  text.add_index(core.n);
  for (const Access* access : {&core.values, &core.sorted, &core.order}) {
    if (access->slot < 0) continue;
    text.add_slot(access->slot, access->offset);
    text.add_index(access->strides[0]);
  }
  text.add_arguments_of(tape);
  return text.finish(groups_for(core.count), 1, group_size);
}

LoweredKernel lower_segment_sum(const Operation& operation, const SegmentSumCore& core) {
  const std::vector<std::int64_t> extents{core.outer, core.rows, core.columns};
  const ValueType type = value_type_of(core.values.dtype);
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = type});
  KernelText text("segment", embedded::kernel_segment);
  text.define("VALUE", kernel_name(type));
  text.define("ZERO", number_text(identity_bits(ReduceKind::sum, type), type));
  text.add_function("combine", TapeCode::add, type);
  text.define("GROUP_SIZE", group_size);
  text.add_tape("TAPE", tape);
  text.define_tape_call(3, tape, true);
  text.set_long_indices(!has_short_indices(operation.tape, extents) ||
                        !has_short_indices(core.values, {core.outer, core.given, core.columns}));
  const std::int64_t count = core.outer * core.rows * core.columns;
  for (const std::int64_t number : {count, core.rows, core.columns}) text.add_index(number);
  text.add_slot(core.values.slot, core.values.offset);
  for (std::size_t axis = 0; axis < 3; ++axis) text.add_index(core.values.strides[axis]);
  for (const Access* access : {&core.order, &core.starts}) {
    text.add_slot(access->slot, access->offset);
    text.add_index(access->strides[0]);
  }
  text.add_arguments_of(tape);
  return text.finish(groups_for(count), 1, group_size);
}

}  // namespace overtake::backend
