// SPDX-License-Identifier: MIT
#include "backend/common/lower/lowering.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backend/api/numbers.hpp"
#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

template <typename... Cores>
struct Overloaded : Cores... {
  using Cores::operator()...;
};
template <typename... Cores>
Overloaded(Cores...) -> Overloaded<Cores...>;

/// The extent of the tape that a core prescribes.
Shape extent_of(const Operation& operation) {
  return std::visit(Overloaded{[&](const MapCore&) { return operation.extent; },
                               [](const MatMulCore& core) {
                                 return Shape{core.m, core.n};
                               },
                               [](const ReduceCore& core) {
                                 return Shape{core.outer * core.chunks(), core.inner};
                               },
                               [](const RowCore& core) {
                                 const bool wide = core.kind == RowKind::softmax || core.kind == RowKind::log_softmax;
                                 return wide ? Shape{core.rows, core.columns} : Shape{core.rows};
                               },
                               [](const GatherCore& core) {
                                 return Shape{core.outer, core.rows, core.columns};
                               },
                               [](const ScanCore& core) {
                                 return Shape{core.outer, core.n, core.inner};
                               },
                               [](const SortCore& core) {
                                 return Shape{core.outer, core.n, core.inner};
                               },
                               [](const SearchCore& core) { return Shape{core.count}; },
                               [](const HistogramCore& core) { return Shape{core.bins}; },
                               [](const ConvolutionCore& core) { return backend::extent_of(core); },
                               [](const PoolCore& core) { return backend::extent_of(core); },
                               [](const SegmentSumCore& core) {
                                 return Shape{core.outer, core.rows, core.columns};
                               }},
                    operation.core);
}

}  // namespace

LoweredKernel lower_map(const Operation& operation, const LoweringTraits& traits) {
  std::vector<std::int64_t> extents = operation.extent.to_vector();
  if (extents.empty()) extents.push_back(1);
  const std::int64_t count = operation.extent.size();
  // Four elements per work-item read less often but keep fewer work-items busy: worth it once every unit is.
  const bool wide = count >= std::int64_t{traits.compute_units} * 2048 && can_widen(operation.tape, extents);
  const int width = wide ? 4 : 1;
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .width = width});
  KernelText text("map", embedded::kernel_map);
  text.define("GROUP_SIZE", group_size);
  text.define("WIDTH", width);
  text.add_tape("TAPE", tape);
  text.define_tape_call(extents.size(), tape, false);
  text.set_long_indices(!has_short_indices(operation.tape, extents));
  text.add_index(count);
  text.define_coordinates(extents, tape);
  text.add_arguments_of(tape);
  return text.finish(divide_up(count, std::int64_t{group_size} * width), 1, group_size);
}

LoweredKernel lower_gather(const Operation& operation, const GatherCore& core) {
  const std::vector<std::int64_t> extents = extent_of(operation).to_vector();
  const DType dtype = core.source.dtype;
  const ValueType type = value_type_of(dtype);
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = type});
  KernelText text("gather", embedded::kernel_gather);
  text.define("GROUP_SIZE", group_size);
  text.define("CORE_TYPE", kernel_name(type));
  text.define("SOURCE_TYPE", memory_type(dtype).name);
  text.define("WIDEN(value)", fmt::format(fmt::runtime(memory_type(dtype).widen), "(value)"));
  text.define("MISSING", number_text(missing_bits(type), type));
  text.define("INDEX_TYPE", memory_type(core.indices.dtype).name);
  const bool has_start = core.start.slot >= 0;
  text.define("START_PARAMETERS", has_start ? ", GLOBAL const int* RESTRICT start, INDEX start_at" : "");
  text.define("START", has_start ? "start[start_at]" : "0");
  text.add_tape("TAPE", tape);
  text.define_tape_call(3, tape, true);
  const std::int64_t count = core.outer * core.rows * core.columns;
  text.set_long_indices(!has_short_indices(operation.tape, extents) ||
                        !has_short_indices(core.source, {core.outer, core.source_rows, core.columns}));
  for (const std::int64_t number : {count, core.columns, core.rows, core.source_rows}) text.add_index(number);
  text.add_slot(core.source.slot, core.source.offset);
  for (std::size_t axis = 0; axis < 3; ++axis) text.add_index(core.source.strides[axis]);
  text.add_slot(core.indices.slot, core.indices.offset);
  for (std::size_t axis = 0; axis < 3; ++axis) text.add_index(core.indices.strides[axis]);
  if (has_start) text.add_slot(core.start.slot, core.start.offset);
  text.add_arguments_of(tape);
  return text.finish(divide_up(count, group_size), 1, group_size);
}

LoweredKernel lower_reduce(const Operation& operation, const ReduceCore& core, const LoweringTraits& traits) {
  const std::vector<std::int64_t> extents = extent_of(operation).to_vector();
  const std::vector<std::int64_t> input_extents = {core.outer, core.reduced, core.inner};
  const ValueType type = core.type();
  const bool fastest = core.inner > 1;
  // Few elements keep more units busy one by one.
  const bool many = core.outer * core.reduced * core.inner >= std::int64_t{traits.compute_units} * (1 << 14);
  const bool wide = fastest && many && type == ValueType::float32 && can_widen(core.input, input_extents) &&
                    can_widen(operation.tape, extents);
  const int width = wide ? 4 : 1;
  const TapeSource input =
      write_tape(core.input, {.name = "input", .extents = input_extents, .width = width, .returns_value = true});
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = type, .width = width});
  const std::int64_t length = core.chunk == 0 ? core.reduced : std::min(core.chunk, core.reduced);
  const int lanes = fastest ? core.lanes() : lanes_for(length, core.lanes());
  const int outputs = wide ? lanes_for(core.inner / width, group_size / lanes) : group_size / lanes;

  KernelText text("reduce", embedded::kernel_reduce);
  text.define("VALUE", kernel_name(type));
  text.define("IDENTITY", number_text(identity_bits(core.kind, type), type));
  text.add_function("combine", combining_code(core.kind), type);
  text.define("GROUP_SIZE", lanes * outputs);
  text.define("WIDTH", width);
  text.define("LANES", lanes);
  text.define("STRIDE", core.lanes());
  text.define("OUTPUTS", outputs);
  text.define("OUTPUT_FASTEST", fastest ? 1 : 0);
  text.define("LANE_DISTANCE", fastest ? outputs : 1);
  // Loads in flight for each work-item: as many as there are to do, up to 16, or to 8 of four elements.
  text.define("BATCH", lanes_for(divide_up(length, core.lanes()), wide ? 8 : 16));
  text.add_tape("INPUT", input);
  text.add_tape("TAPE", tape);
  text.define("INPUT(i, r, j)",
              "NAME(input)(i, r, j, (UINDEX)(((i) * reduced + (r)) * inner + (j))" + input.call + ")");
  text.define_tape_call(2, tape, true);
  text.set_long_indices(!has_short_indices(core.input, input_extents) || !has_short_indices(operation.tape, extents));
  for (const std::int64_t number : {core.outer, core.reduced, core.inner, core.chunks(), length})
    text.add_index(number);
  text.add_arguments_of(input);
  text.add_arguments_of(tape);
  const std::int64_t rows = core.outer * core.chunks();
  const std::int64_t groups = fastest ? rows * divide_up(core.inner, outputs * width) : divide_up(rows, outputs);
  return text.finish(groups, 1, lanes * outputs);
}

LoweredKernel lower_rows(const Operation& operation, const RowCore& core) {
  const std::vector<std::int64_t> extents = extent_of(operation).to_vector();
  const bool argmax = core.kind == RowKind::argmax;
  const bool entropy = core.kind == RowKind::cross_entropy;
  const TapeSource tape =
      write_tape(operation.tape, {.extents = extents, .core = argmax ? ValueType::int64 : ValueType::float32});
  const int lanes = lanes_for(core.columns, group_size);
  const int outputs = group_size / lanes;

  KernelText text("rows", embedded::kernel_rows);
  text.define("KIND_ARGMAX", argmax ? 1 : 0);
  text.define("KIND_CROSS_ENTROPY", entropy ? 1 : 0);
  text.define("KIND_LOG_SOFTMAX", core.kind == RowKind::log_softmax ? 1 : 0);
  text.define("GROUP_SIZE", group_size);
  text.define("LANES", lanes);
  text.define("OUTPUTS", outputs);
  text.define("LABEL_PARAMETERS",
              entropy ? ", GLOBAL const int* RESTRICT labels, int labels_at, int label_stride" : "");
  text.add_tape("TAPE", tape);
  text.define_tape_call(extents.size(), tape, true);
  text.add_int(core.rows);
  text.add_int(core.columns);
  (void)to_index(core.input.offset + core.rows * core.input.strides[0] + core.columns * core.input.strides[1]);
  text.add_slot(core.input.slot, core.input.offset);
  text.add_int(core.input.strides[0]);
  text.add_int(core.input.strides[1]);
  if (entropy) {
    text.add_slot(core.labels.slot, core.labels.offset);
    text.add_int(core.labels.strides[0]);
  }
  text.add_arguments_of(tape);
  return text.finish(divide_up(core.rows, outputs), 1, group_size);
}

LoweredOperation lower(const Operation& operation, const LoweringTraits& traits) {
  if (operation.extent.size() == 0) return {};
  if (operation.extent != extent_of(operation)) {
    throw InternalError(fmt::format("lowering {}: the tape's extent {} is not the core's", operation.name,
                                    operation.extent.to_string()));
  }
  if (traits.max_group_size < group_size) {
    throw DeviceError(
        fmt::format("this device runs groups of {} work-items; {} are needed", traits.max_group_size, group_size),
        "Use another device.");
  }
  return std::visit(Overloaded{[&](const MapCore&) { return single(lower_map(operation, traits)); },
                               [&](const MatMulCore& core) { return lower_matmul(operation, core, traits); },
                               [&](const ReduceCore& core) { return single(lower_reduce(operation, core, traits)); },
                               [&](const RowCore& core) { return single(lower_rows(operation, core)); },
                               [&](const GatherCore& core) { return single(lower_gather(operation, core)); },
                               [&](const ScanCore& core) { return lower_scan(operation, core); },
                               [&](const SortCore& core) { return lower_sort(operation, core, traits); },
                               [&](const SearchCore& core) { return single(lower_search(operation, core)); },
                               [&](const SegmentSumCore& core) { return single(lower_segment_sum(operation, core)); },
                               [&](const HistogramCore& core) { return lower_histogram(operation, core); },
                               [&](const ConvolutionCore& core) { return lower_convolution(operation, core, traits); },
                               [&](const PoolCore& core) { return lower_pool(operation, core); }},
                    operation.core);
}

}  // namespace overtake::backend
