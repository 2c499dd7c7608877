// SPDX-License-Identifier: MIT
// The model. A compute unit finishes 128 multiply-adds a cycle at best; a tile reaches the share of it that its reads of local
// memory leave (a work-item issues tm * tn multiply-adds for each (tm + tn) / 4 or so reads). Against that stands latency: a
// group must wait for its panels, whatever its size. A product costs the larger of the two, in rounds of as many groups as
// the units hold; splitting k adds a round trip of the partial sums. Constants fitted on an H200 (docs/dialect.md).
#include "backend/common/matmul_tiling.hpp"

#include <algorithm>
#include <vector>

namespace overtake::backend {
namespace {

constexpr double start_cycles = 1200;      // first panel from memory, last values to memory
constexpr double panel_cycles = 500;       // each further panel, when nothing else runs meanwhile
constexpr double split_cycles = 1800;      // partial sums out, ticket, partial sums in
constexpr double partial_cycles = 40;      // each further partial sum
constexpr double kernel_cycles = 2500;     // a second kernel instead of the ticket
constexpr double peak_rate = 128;          // multiply-adds of a unit in a cycle
constexpr std::int64_t scratch_limit = 64LL << 20U;
constexpr int most_splits = 64;

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::vector<MatMulTile> candidates(std::int64_t m) {
  std::vector<MatMulTile> tiles = {
      {16, 16, 1, 1, 128}, {4, 64, 1, 1, 64}, {64, 4, 1, 1, 64}, {16, 16, 2, 2, 64}, {8, 16, 4, 4, 32},
      {16, 16, 4, 4, 16},  {16, 16, 8, 4, 16}, {16, 16, 4, 8, 16}, {16, 16, 8, 8, 16},
  };
  // Tiles whose height fits the batch, so that no rows are computed in vain.
  const auto fit = static_cast<int>(divide_up(m, 8));
  if (fit >= 5 && fit <= 16) {
    tiles.push_back({8, 16, fit, 4, 16});
    tiles.push_back({8, 32, fit, 4, 16});
    if (fit <= 13) tiles.push_back({8, 16, fit, 8, 16});
  }
  return tiles;
}

/// Share of the peak rate that a full unit reaches with this tile: issue slots left over from reading local memory.
double efficiency(const MatMulTile& tile) {
  const double reads = tile.tm < 3 ? tile.tm : tile.row_slot() / 4.0;
  const double others = tile.tn < 4 ? tile.tn : tile.tn / 4.0;
  const double useful = static_cast<double>(tile.tm) * tile.tn;
  return useful / (useful + 2.0 * (reads + others));
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
  const std::int64_t panels = std::int64_t{one_panel ? 4 : 8} * bk * (row_stride(true) + column_stride(true));
  const std::int64_t exchange = slices > 1 ? std::int64_t{4} * work_items() * share() * tn : 0;
  return std::max(panels, exchange) + 64;
}

double estimate_cycles(const MatMulPlan& plan, std::int64_t m, std::int64_t n, std::int64_t k,
                       const LoweringTraits& traits) {
  const MatMulTile& tile = plan.tile;
  const std::int64_t groups = divide_up(m, tile.rows()) * divide_up(n, tile.columns()) * plan.splits;
  const std::int64_t panels = divide_up(std::min(plan.split_k, k), tile.bk);
  const std::int64_t steps = plan.one_panel() ? divide_up(std::min(plan.split_k, k), 8) * 8 : panels * tile.bk;
  const std::int64_t per_unit = divide_up(groups, traits.compute_units);
  const std::int64_t resident = std::max<std::int64_t>(1, std::min<std::int64_t>(1024 / tile.work_items(), 4));
  const double work = static_cast<double>(tile.rows()) * tile.columns() * static_cast<double>(steps) /
                      (peak_rate * efficiency(tile));
  const double rounds = static_cast<double>(divide_up(per_unit, resident));
  const double wait = rounds * (start_cycles + static_cast<double>(panels - 1) * panel_cycles);
  double cycles = start_cycles + std::max(static_cast<double>(per_unit) * work, wait);
  if (plan.splits > 1) {
    cycles += split_cycles + partial_cycles * plan.splits * tile.tm * tile.tn / 16.0;
    if (!traits.fence_across_groups) cycles += kernel_cycles;
  }
  return cycles;
}

MatMulPlan plan_matmul(std::int64_t m, std::int64_t n, std::int64_t k, const LoweringTraits& traits) {
  MatMulPlan best;
  double least = -1;
  for (const MatMulTile& tile : candidates(m)) {
    if (tile.work_items() > traits.max_group_size) continue;
    const std::int64_t tiles = divide_up(m, tile.rows()) * divide_up(n, tile.columns());
    const std::int64_t panels = divide_up(k, tile.bk);
    for (int wanted = 1; wanted <= most_splits && wanted <= panels; ++wanted) {
      const std::int64_t split_k = divide_up(panels, wanted) * tile.bk;
      const auto splits = static_cast<int>(divide_up(k, split_k));
      if (splits != wanted) continue;
      const std::int64_t bytes = tiles * splits * tile.rows() * tile.columns() * 4;
      if (splits > 1 && bytes > scratch_limit) break;
      const MatMulPlan plan{tile, splits, split_k};
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
