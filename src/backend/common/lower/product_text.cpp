// SPDX-License-Identifier: MIT
#include "backend/common/lower/product_text.hpp"

#include <algorithm>

namespace overtake::backend {

void define_panels(KernelText& text, const PanelProduct& product, ProductPhase phase, int width) {
  const MatMulTile& tile = product.plan.tile;
  text.define("TY", tile.ty);
  text.define("TX", tile.tx);
  text.define("TM", tile.tm);
  text.define("TN", tile.tn);
  text.define("BK", tile.bk);
  text.define("SLICES", tile.slices);
  text.define("ONE_PANEL", product.plan.one_panel() ? 1 : 0);
  text.define("RUN", std::min(tile.tn, 4));
  text.define("ROW_SLOT", tile.row_slot());
  text.define("WIDTH", width);
  text.define("RESIDENT", tile.resident());
  if (phase != ProductPhase::finish) {
    text.define("A_STRIDE", tile.row_stride(product.a.by_k));
    text.define("B_STRIDE", tile.column_stride(product.b.by_k));
    text.define("A_BY_K", product.a.by_k ? 1 : 0);
    text.define("B_BY_K", product.b.by_k ? 1 : 0);
    text.define("A_VECTOR", product.a.vector ? 1 : 0);
    text.define("B_VECTOR", product.b.vector ? 1 : 0);
    if (product.dtype == DType::bfloat16) text.define("NARROW", 1);
  }
  text.define("PHASE_WHOLE", phase == ProductPhase::whole ? 1 : 0);
  text.define("PHASE_TICKET", phase == ProductPhase::ticket ? 1 : 0);
  text.define("PHASE_PARTIAL", phase == ProductPhase::partial ? 1 : 0);
  text.define("PHASE_FINISH", phase == ProductPhase::finish ? 1 : 0);
}

void add_split_arguments(KernelText& text, const PanelProduct& product, ProductPhase phase, std::int64_t tickets) {
  if (phase != ProductPhase::whole) {
    text.add_int(product.plan.split_k);
    text.add_int(product.plan.splits);
    text.add_scratch();
    text.add_int(tickets);
  }
  text.add_int(divide_up(product.columns, product.plan.tile.columns()));
}

LoweredKernel finish_product(const KernelText& text, const PanelProduct& product, ProductPhase phase) {
  const MatMulTile& tile = product.plan.tile;
  const std::int64_t tiles = divide_up(product.rows, tile.rows()) * divide_up(product.columns, tile.columns());
  const bool split = phase == ProductPhase::ticket || phase == ProductPhase::partial;
  return text.finish(tiles, split ? product.plan.splits : 1, tile.work_items());
}

LoweredOperation lower_in_phases(const PanelProduct& product, const LoweringTraits& traits,
                                 const std::function<LoweredKernel(ProductPhase, std::int64_t)>& kernel_of) {
  std::int64_t tickets = 0;
  if (product.plan.splits == 1) return single(kernel_of(ProductPhase::whole, tickets));

  const MatMulTile& tile = product.plan.tile;
  const std::int64_t tiles = divide_up(product.rows, tile.rows()) * divide_up(product.columns, tile.columns());
  const std::int64_t partials = tiles * product.plan.splits * tile.work_items() * tile.share() * tile.tn;
  LoweredOperation result;
  if (traits.fence_across_groups) {
    tickets = divide_up(tiles, 64) * 64;
    result.zeroed_bytes = static_cast<std::uint64_t>(tickets) * sizeof(std::int32_t);
    result.kernels = {kernel_of(ProductPhase::ticket, tickets)};
  } else {
    result.kernels = {kernel_of(ProductPhase::partial, tickets), kernel_of(ProductPhase::finish, tickets)};
  }
  result.scratch_bytes = result.zeroed_bytes + static_cast<std::uint64_t>(partials) * size_of(DType::float32);
  return result;
}

}  // namespace overtake::backend
