// SPDX-License-Identifier: MIT
// The model, in clock cycles. A group costs work (multiply-adds at 128 a cycle against reads of local memory at 32
// floats a cycle), movement of its panels, an epilogue and the exchange between its slices; a unit runs its groups'
// work one after the other. Against that stands latency: a round of resident groups waits for its panels and its chain
// of sums, whatever their size. The larger of the two counts, and the smaller in part, because they overlap badly.
// Splitting k adds a round trip of the partial sums through memory. The constants are a least-squares fit to 6,400
// timings on an H200 (33 products of a multilayer perceptron with batch 100, widths 2 to 4096); with them the plans
// chosen are 1.2 % slower than the best ones.
#include "backend/common/lower/matmul_tiling.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace overtake::backend {
namespace {

constexpr double larger_work = 0.678, smaller_work = 0.515;  // shares of multiply-adds and local reads
constexpr double per_moved_line = 1.456;                     // 32 floats of a panel, into local memory
constexpr double per_stored_line = 3.093;                    // 32 results
constexpr double per_slice = 43.6, per_exchanged_line = 2.9;
constexpr double round_cycles = 2102, round_per_panel = 78.3, round_per_step = 5.86;
constexpr double base_cycles = 667;
constexpr double overlap_loss = 1.248;
constexpr double split_cycles = 2888, per_partial = 19.3, per_partial_float = 0.175;
constexpr double kernel_cycles = 2500;                 // a second kernel instead of the ticket
constexpr std::int64_t element_bytes = sizeof(float);  // products are of float32
constexpr std::int64_t scratch_limit = 64LL << 20U;

std::vector<MatMulTile> candidates(std::int64_t m, std::int64_t k) {
  // Products with k of a batch (100, 60) are cut into panels without rest where that is easy.
  const int bk = k % 20 == 0 && k % 16 != 0 && k <= 320 ? 20 : 16;
  std::vector<MatMulTile> tiles = {
      {16, 16, 1, 1, 32, 1}, {64, 4, 1, 1, 64, 1}, {8, 32, 1, 1, 64, 1}, {8, 32, 1, 1, 104, 1}, {8, 8, 2, 2, 64, 4},
      {8, 8, 2, 2, 128, 4},  {8, 8, 2, 4, 64, 4},  {4, 8, 4, 4, 64, 8},  {8, 8, 4, 4, 64, 4},   {8, 8, 4, 4, 32, 2},
      {16, 16, 2, 2, 32, 1}, {8, 16, 4, 4, bk, 1}, {8, 16, 4, 4, 32, 2}, {16, 8, 8, 8, bk, 1},
  };
  // Tiles whose height fits the batch, so that no rows are computed in vain.
  const auto fit = static_cast<int>(divide_up(m, 8));
  if (fit >= 5 && fit <= 13) {
    tiles.push_back({8, 16, fit, 4, 16, 2});
    tiles.push_back({8, 8, fit, 8, 16, 2});
    tiles.push_back({8, 8, fit, 4, 32, 4});
  }
  return tiles;
}

}  // namespace

int MatMulTile::row_stride(bool by_k) const noexcept {
  const int length = ty * row_slot();
  if (!by_k) return length;
  // Work-items that write different k at the same time should meet different banks.
  if (row_slot() == 1) return length + 1;
  return row_slot() == 2 ? length + 2 : length + 4;
}

int MatMulTile::column_stride(bool by_k) const noexcept {
  if (!by_k) return columns();
  return columns() + (tn < 4 ? tn : 4);
}

int MatMulTile::resident() const noexcept {
  constexpr int unit_registers = 65536;
  const int wanted = std::min(255, 64 + tm * tn * 3 / 2);
  return std::clamp(unit_registers / (work_items() * wanted), 1, 1024 / work_items());
}

std::int64_t MatMulTile::local_bytes(bool one_panel) const noexcept {
  const std::int64_t panels = (one_panel ? 1 : 2) * element_bytes * bk * (row_stride(true) + column_stride(true));
  const std::int64_t exchange = slices > 1 ? element_bytes * work_items() * share() * tn : 0;
  return std::max(panels, exchange) + 64;
}

double estimate_cycles(const MatMulPlan& plan, std::int64_t m, std::int64_t n, std::int64_t k,
                       const LoweringTraits& traits) {
  const MatMulTile& tile = plan.tile;
  const std::int64_t groups = divide_up(m, tile.rows()) * divide_up(n, tile.columns()) * plan.splits;
  const std::int64_t panels_of_split = plan.split_k / tile.bk;
  const auto panels = static_cast<double>(panels_of_split);
  const std::int64_t unrolled = std::int64_t{4} * tile.slices;
  const auto steps =
      static_cast<double>(plan.one_panel() ? divide_up(std::min(plan.split_k, k), unrolled) * unrolled : plan.split_k);
  const auto per_unit = static_cast<double>(divide_up(groups, traits.compute_units));
  const double area = static_cast<double>(tile.rows()) * tile.columns();

  const double additions = area / 128.0;
  const double reads = (tile.tm + tile.tn) * static_cast<double>(tile.ty * tile.tx) / 32.0;
  double group = steps * (larger_work * std::max(additions, reads) + smaller_work * std::min(additions, reads));
  group += panels * tile.bk * (tile.rows() + tile.columns()) / 32.0 * per_moved_line + area / 32.0 * per_stored_line;
  double exchange = 0;
  if (tile.slices > 1) {
    exchange = tile.slices * per_slice;
    group += exchange + area * tile.slices / 32.0 * per_exchanged_line;
  }
  const double rounds = std::ceil(per_unit / tile.resident());
  const double chain = steps / tile.slices * round_per_step * std::sqrt(tile.tm * tile.tn / 16.0);
  const double work = per_unit * group;
  const double wait = rounds * (round_cycles + panels * round_per_panel + chain) + exchange;
  double cycles = base_cycles + std::max(work, wait) + overlap_loss * std::min(work, wait);
  if (plan.splits > 1) {
    cycles += split_cycles + plan.splits * std::ceil(area / tile.work_items()) * per_partial;
    cycles += static_cast<double>(groups) * area * per_partial_float / traits.compute_units;
    if (!traits.fence_across_groups) cycles += kernel_cycles;
  }
  return cycles;
}

MatMulPlan plan_matmul(std::int64_t m, std::int64_t n, std::int64_t k, const LoweringTraits& traits,
                       const PlanLimits& limits) {
  MatMulPlan best;
  double least = -1;
  for (const MatMulTile& tile : candidates(m, k)) {
    if (tile.work_items() > traits.max_group_size || tile.tm * tile.tn > limits.results) continue;
    const std::int64_t tiles = divide_up(m, tile.rows()) * divide_up(n, tile.columns());
    const std::int64_t panels = divide_up(k, tile.bk);
    const int most_splits = traits.splits_products ? limits.splits : 1;
    for (int wanted = 1; wanted <= most_splits && wanted <= panels; ++wanted) {
      const std::int64_t split_k = divide_up(panels, wanted) * tile.bk;
      const auto splits = static_cast<int>(divide_up(k, split_k));
      if (splits != wanted) continue;
      const std::int64_t bytes = tiles * splits * tile.rows() * tile.columns() * element_bytes;
      if (splits > 1 && bytes > scratch_limit) break;
      const MatMulPlan plan{tile, splits, split_k};
      if (tile.bk % (plan.one_panel() ? 4 * tile.slices : tile.slices) != 0) continue;
      if (tile.local_bytes(plan.one_panel()) > static_cast<std::int64_t>(traits.local_bytes)) continue;
      const double cycles = estimate_cycles(plan, m, n, k, traits);
      if (least < 0 || cycles < least) {
        least = cycles;
        best = plan;
      }
    }
  }
  if (least < 0) best = {MatMulTile{16, 16, 1, 1, 16}, 1, divide_up(k, 16) * 16};
  return best;
}

}  // namespace overtake::backend
