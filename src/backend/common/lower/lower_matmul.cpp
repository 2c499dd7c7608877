// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "backend/common/lower/matmul_tiling.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

/// How a matrix lies in memory, seen from matmul.k: its outer extent (m of a, n of b) against k.
struct Layout {
  bool by_k = false;    ///< neighbours in memory are neighbours in k
  bool vector = false;  ///< four neighbours can be loaded at once
  std::int64_t stride = 0;
};

Layout layout_of(std::int64_t offset, std::int64_t outer, std::int64_t outer_stride, std::int64_t k,
                 std::int64_t k_stride) {
  const bool k_runs = k > 1 && k_stride == 1;
  const bool outer_runs = outer > 1 && outer_stride == 1;
  if (!k_runs && !outer_runs && k > 1 && outer > 1) {
    throw InternalError(
        fmt::format("lowering a product: strides {} and {}, neither of them 1", outer_stride, k_stride));
  }
  Layout layout;
  layout.by_k = k_runs || (k == 1 && !outer_runs);  // where k is 1, the place in it is always 0
  const std::int64_t other = layout.by_k ? outer : k;
  layout.stride = other == 1 ? 0 : (layout.by_k ? outer_stride : k_stride);
  layout.vector = offset % 4 == 0 && layout.stride % 4 == 0 && (layout.by_k ? k : outer) % 4 == 0;
  (void)to_index(offset + outer * (outer == 1 ? 1 : outer_stride) + k * (k == 1 ? 1 : k_stride));
  return layout;
}

enum class Phase { whole, ticket, partial, finish };

struct Product {
  const Operation& operation;
  const MatMulCore& core;
  MatMulPlan plan;
  Layout a, b;
  std::int64_t tickets = 0;  // ints at the start of scratch
};

LoweredKernel kernel_of(const Product& product, Phase phase) {
  const MatMulTile& tile = product.plan.tile;
  const MatMulCore& core = product.core;
  const std::vector<std::int64_t> extents = {core.m, core.n};
  const bool wide = tile.tn % 4 == 0 && can_widen(product.operation.tape, extents);
  const TapeSource tape =
      write_tape(product.operation.tape,
                 {.extents = extents, .core = ValueType::float32, .width = wide ? 4 : 1, .loads_apart = true});
  KernelText text("matmul", embedded::kernel_matmul);
  text.define("TY", tile.ty);
  text.define("TX", tile.tx);
  text.define("TM", tile.tm);
  text.define("TN", tile.tn);
  text.define("BK", tile.bk);
  text.define("SLICES", tile.slices);
  text.define("ONE_PANEL", product.plan.one_panel() ? 1 : 0);
  text.define("RUN", std::min(tile.tn, 4));
  text.define("ROW_SLOT", tile.row_slot());
  text.define("WIDTH", wide ? 4 : 1);
  text.define("RESIDENT", tile.resident());
  if (phase != Phase::finish) {
    text.define("A_STRIDE", tile.row_stride(product.a.by_k));
    text.define("B_STRIDE", tile.column_stride(product.b.by_k));
    text.define("A_BY_K", product.a.by_k ? 1 : 0);
    text.define("B_BY_K", product.b.by_k ? 1 : 0);
    text.define("A_VECTOR", product.a.vector ? 1 : 0);
    text.define("B_VECTOR", product.b.vector ? 1 : 0);
  }
  text.define("PHASE_WHOLE", phase == Phase::whole ? 1 : 0);
  text.define("PHASE_TICKET", phase == Phase::ticket ? 1 : 0);
  text.define("PHASE_PARTIAL", phase == Phase::partial ? 1 : 0);
  text.define("PHASE_FINISH", phase == Phase::finish ? 1 : 0);
  const bool stores = phase != Phase::partial;
  if (stores) {
    text.add_tape("TAPE", tape);
    text.define_tape_call(2, tape, true);
  } else {
    text.define("TAPE_PARAMETERS", "");
  }

  text.add_int(core.m);
  text.add_int(core.n);
  if (phase != Phase::finish) {
    text.add_int(core.k);
    text.add_slot(core.a.slot, core.a.offset);
    text.add_int(product.a.stride);
    text.add_slot(core.b.slot, core.b.offset);
    text.add_int(product.b.stride);
  }
  if (phase != Phase::whole) {
    text.add_int(product.plan.split_k);
    text.add_int(product.plan.splits);
    text.add_scratch();
    text.add_int(product.tickets);
  }
  const std::int64_t column_tiles = divide_up(core.n, tile.columns());
  text.add_int(column_tiles);
  if (stores) text.add_arguments_of(tape);
  const std::int64_t tiles = divide_up(core.m, tile.rows()) * column_tiles;
  const bool split = phase == Phase::ticket || phase == Phase::partial;
  return text.finish(tiles, split ? product.plan.splits : 1, tile.work_items());
}

}  // namespace

LoweredOperation lower_matmul(const Operation& operation, const MatMulCore& core, const LoweringTraits& traits) {
  return lower_matmul(operation, core, traits, plan_matmul(core.m, core.n, core.k, traits));
}

LoweredOperation lower_matmul(const Operation& operation, const MatMulCore& core, const LoweringTraits& traits,
                              const MatMulPlan& plan) {
  (void)to_index(core.m * core.n);
  Product product{operation, core, plan, {}, {}, 0};
  product.a = layout_of(core.a.offset, core.m, core.a.row_stride, core.k, core.a.column_stride);
  product.b = layout_of(core.b.offset, core.n, core.b.column_stride, core.k, core.b.row_stride);
  if (product.plan.splits == 1) return single(kernel_of(product, Phase::whole));

  const MatMulTile& tile = product.plan.tile;
  const std::int64_t tiles = divide_up(core.m, tile.rows()) * divide_up(core.n, tile.columns());
  const std::int64_t partials = tiles * product.plan.splits * tile.work_items() * tile.share() * tile.tn;
  LoweredOperation result;
  if (traits.fence_across_groups) {
    product.tickets = divide_up(tiles, 64) * 64;
    result.zeroed_bytes = static_cast<std::uint64_t>(product.tickets) * sizeof(std::int32_t);
    result.kernels = {kernel_of(product, Phase::ticket)};
  } else {
    result.kernels = {kernel_of(product, Phase::partial), kernel_of(product, Phase::finish)};
  }
  result.scratch_bytes = result.zeroed_bytes + static_cast<std::uint64_t>(partials) * size_of(DType::float32);
  return result;
}

}  // namespace overtake::backend
