// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "backend/common/lower/load_pattern.hpp"
#include "backend/common/lower/product_text.hpp"
#include "backend/common/lower/thin_product.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

/// How a matrix lies in memory, seen from matmul.k: its outer extent (m of a, n of b) against k.
struct Layout : PanelLayout {
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

}  // namespace

LoweredOperation lower_matmul(const Operation& operation, const MatMulCore& core, const LoweringTraits& traits) {
  if (is_thin(core)) return lower_thin_product(operation, core, traits);
  return lower_matmul(operation, core, traits, plan_matmul(core.m, core.n, core.k, traits));
}

LoweredOperation lower_matmul(const Operation& operation, const MatMulCore& core, const LoweringTraits& traits,
                              const MatMulPlan& plan) {
  (void)to_index(core.m * core.n);
  const Layout a = layout_of(core.a.offset, core.m, core.a.row_stride, core.k, core.a.column_stride);
  const Layout b = layout_of(core.b.offset, core.n, core.b.column_stride, core.k, core.b.row_stride);
  const PanelProduct product{core.m, core.n, core.k, plan, a, b, core.dtype};
  const std::vector<std::int64_t> extents = {core.m, core.n};
  const bool wide = plan.tile.tn % 4 == 0 && can_widen(operation.tape, extents);
  const int width = wide ? 4 : 1;
  const TapeSource tape =
      write_tape(operation.tape, {.extents = extents, .core = ValueType::float32, .width = width, .loads_apart = true});
  return lower_in_phases(product, traits, [&](ProductPhase phase, std::int64_t tickets) {
    KernelText text("matmul", embedded::kernel_matmul);
    define_panels(text, product, phase, width);
    const bool stores = phase != ProductPhase::partial;
    if (stores) {
      text.add_tape("TAPE", tape);
      text.define_tape_call(2, tape, true);
    } else {
      text.define("TAPE_PARAMETERS", "");
    }
    text.add_int(core.m);
    text.add_int(core.n);
    if (phase != ProductPhase::finish) {
      text.add_int(core.k);
      text.add_slot(core.a.slot, core.a.offset);
      text.add_int(a.stride);
      text.add_slot(core.b.slot, core.b.offset);
      text.add_int(b.stride);
    }
    add_split_arguments(text, product, phase, tickets);
    if (stores) text.add_arguments_of(tape);
    return finish_product(text, product, phase);
  });
}

}  // namespace overtake::backend
