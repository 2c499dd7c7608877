// SPDX-License-Identifier: MIT
#include <algorithm>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "backend/common/lower/parts.hpp"
#include "backend/common/lower/thin_product.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

constexpr std::int64_t most_rows = 4;
constexpr std::int64_t least_depth = 64;
constexpr std::int64_t least_elements = 1 << 19;
constexpr int vector_bytes = 16;

// An operand seen from the kernel: along its rows or columns, and along k.
struct Side {
  int slot = -1;
  std::int64_t offset = 0, outer = 0, outer_stride = 0, k_stride = 0;
};

// The product, turned so that the few are the rows.
struct Thin {
  std::int64_t depth = 0;
  Side x, w;
  bool is_turned = false;
};

Thin thin_of(const MatMulCore& core) {
  const auto stride = [](std::int64_t extent, std::int64_t step) { return extent == 1 ? 0 : step; };
  const Side a{core.a.slot, core.a.offset, core.m, stride(core.m, core.a.row_stride),
               stride(core.k, core.a.column_stride)};
  const Side b{core.b.slot, core.b.offset, core.n, stride(core.n, core.b.column_stride),
               stride(core.k, core.b.row_stride)};
  const bool is_turned = core.m > core.n;
  return {core.k, is_turned ? b : a, is_turned ? a : b, is_turned};
}

std::int64_t reach(const Side& side, std::int64_t depth) {
  return side.offset + side.outer * std::max<std::int64_t>(side.outer_stride, 1) +
         depth * std::max<std::int64_t>(side.k_stride, 1);
}

// How the work is shared out (product_thin.k).
struct ThinPlan {
  bool by_k = false;
  std::int64_t vector = 1, columns = 1, batch = 1;  // of a work-item
  int parts = 1;                                    // of a column in a group
  std::int64_t splits = 1, split_k = 0;
  int resident = 1;
  [[nodiscard]] int teams() const { return group_size / parts; }
  [[nodiscard]] std::int64_t group_columns() const { return teams() * columns; }
  // Steps of k that a group takes at once.
  [[nodiscard]] std::int64_t stride() const { return parts * batch * (by_k ? vector : 1); }
};

// Loads in flight need registers, and so do sums: of few rows more groups fit on a unit.
void choose_registers(ThinPlan& plan, std::int64_t rows) {
  if (plan.by_k) {
    plan.batch = rows <= 2 ? 4 : 2;
    plan.resident = rows <= 2 ? 4 : 3;
  } else {
    plan.batch = rows <= 2 ? 8 : 4;
    plan.resident = rows <= 2 ? 3 : 2;
  }
}

ThinPlan plan_of(const Thin& thin, DType dtype, const LoweringTraits& traits) {
  // Small groups one after the other keep memory busier than a few that all end at the same time.
  constexpr std::int64_t wanted_of_unit = 8, split_of_unit = 4;
  const std::int64_t whole = vector_bytes / static_cast<std::int64_t>(size_of(dtype));
  const Side& w = thin.w;
  ThinPlan plan;
  plan.by_k = w.k_stride == 1;
  const std::int64_t along = plan.by_k ? thin.depth : w.outer;
  const std::int64_t across = plan.by_k ? w.outer_stride : w.k_stride;
  const bool has_pieces = plan.by_k || w.outer_stride == 1;
  if (has_pieces && along % whole == 0 && across % whole == 0 && w.offset % whole == 0) plan.vector = whole;
  choose_registers(plan, thin.x.outer);
  if (plan.by_k) {
    plan.columns = std::min<std::int64_t>(w.outer, plan.vector == 1 ? 4 : 2);
    plan.parts = 32;
    const auto groups = [&] { return divide_up(w.outer, plan.group_columns()); };
    while (plan.parts < group_size && groups() < wanted_of_unit * traits.compute_units &&
           2 * plan.stride() <= thin.depth) {
      plan.parts *= 2;
    }
  } else {
    plan.columns = plan.vector;
    plan.parts = group_size / lanes_for(divide_up(w.outer, plan.columns), 32);
  }
  const std::int64_t groups = divide_up(w.outer, plan.group_columns());
  const std::int64_t wanted = divide_up(split_of_unit * traits.compute_units, groups);
  const std::int64_t strides = divide_up(thin.depth, plan.stride());
  plan.split_k = divide_up(strides, std::clamp<std::int64_t>(wanted, 1, strides)) * plan.stride();
  plan.splits = divide_up(thin.depth, plan.split_k);
  return plan;
}

bool can_load_x(const Thin& thin, const ThinPlan& plan) {
  const Side& x = thin.x;
  return plan.by_k && x.k_stride == 1 && x.offset % plan.vector == 0 && x.outer_stride % plan.vector == 0;
}

void define_plan(KernelText& text, const Thin& thin, const ThinPlan& plan) {
  text.define("ROWS", thin.x.outer);
  text.define("BY_K", plan.by_k ? 1 : 0);
  text.define("VECTOR", plan.vector);
  text.define("X_VECTOR", can_load_x(thin, plan) ? 1 : 0);
  text.define("COLUMNS", plan.columns);
  text.define("BATCH", plan.batch);
  text.define("PARTS", plan.parts);
  text.define("TEAMS", plan.teams());
  text.define("DISTANCE", plan.by_k ? 1 : plan.teams());
  text.define("TURNED", thin.is_turned ? 1 : 0);
  text.define("SPLIT", plan.splits > 1 ? 1 : 0);
  text.define("RESIDENT", plan.resident);
}

}  // namespace

bool is_thin(const MatMulCore& core) {
  const Thin thin = thin_of(core);
  const bool is_short = std::max(reach(thin.x, core.k), reach(thin.w, core.k)) <= most_short;
  const bool runs = thin.w.k_stride == 1 || thin.w.outer_stride == 1;
  return thin.x.outer > 0 && thin.x.outer <= most_rows && core.k >= least_depth && is_short && runs &&
         thin.w.outer >= divide_up(least_elements, core.k);
}

LoweredOperation lower_thin_product(const Operation& operation, const MatMulCore& core, const LoweringTraits& traits) {
  const Thin thin = thin_of(core);
  const ThinPlan plan = plan_of(thin, core.dtype, traits);
  const bool is_split = plan.splits > 1;
  const std::vector<std::int64_t> extents = operation.extent.to_vector();
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = ValueType::float32});
  KernelText text("product_thin", embedded::kernel_product_thin);
  define_plan(text, thin, plan);
  if (core.dtype == DType::bfloat16) text.define("NARROW", 1);
  for (const std::int64_t number : {thin.w.outer, thin.depth, plan.split_k}) text.add_int(number);
  text.add_slot(thin.x.slot, thin.x.offset);
  text.add_int(thin.x.outer_stride);
  text.add_int(thin.x.k_stride);
  text.add_slot(thin.w.slot, thin.w.offset);
  text.add_int(plan.by_k ? thin.w.outer_stride : thin.w.k_stride);
  if (is_split) {
    text.define("OUTPUT_PARAMETERS", ", GLOBAL float* RESTRICT scratch");
    text.add_scratch();
  } else {
    text.add_tape("TAPE", tape);
    text.define("OUTPUT_PARAMETERS", "TAPE_PARAMETERS");
    text.define_tape_call(extents.size(), tape, true);
    text.add_arguments_of(tape);
  }
  LoweredOperation result = single(text.finish(divide_up(thin.w.outer, plan.group_columns()), plan.splits, group_size));
  if (!is_split) return result;
  result.kernels.push_back(lower_parts(operation, plan.splits));
  result.scratch_bytes = bytes_of_parts(operation, plan.splits);
  return result;
}

}  // namespace overtake::backend
