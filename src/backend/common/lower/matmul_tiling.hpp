// SPDX-License-Identifier: MIT
// Which tile and which split of k a product uses: a cost model over a short list.
#pragma once

#include <cstdint>

#include "backend/common/lower/lowering.hpp"

namespace overtake::backend {

/// A group of slices x ty x tx work-items computes ty*tm x tx*tn elements, reading panels of bk steps of k (see
/// matmul.k).
struct MatMulTile {
  int ty = 16, tx = 16, tm = 1, tn = 1, bk = 16, slices = 1;

  [[nodiscard]] int rows() const noexcept { return ty * tm; }
  [[nodiscard]] int columns() const noexcept { return tx * tn; }
  [[nodiscard]] int work_items() const noexcept { return slices * ty * tx; }
  /// Elements between the tm rows of one work-item and those of the next in local memory: readable four at a time.
  [[nodiscard]] int row_slot() const noexcept { return tm < 3 ? tm : (tm + 3) / 4 * 4; }
  [[nodiscard]] int row_stride(bool by_k) const noexcept;
  [[nodiscard]] int column_stride(bool by_k) const noexcept;
  /// Groups a unit should hold at the same time. With fewer, each work-item has more registers, which the compiler uses
  /// to load the next panel early.
  [[nodiscard]] int resident() const noexcept;
  /// Rows of its tm that each slice finishes.
  [[nodiscard]] int share() const noexcept { return (tm + slices - 1) / slices; }
  /// One or two buffers for a panel of each operand, or the exchange of the slices' sums.
  [[nodiscard]] std::int64_t local_bytes(bool one_panel) const noexcept;

  friend bool operator==(const MatMulTile&, const MatMulTile&) = default;
};

struct MatMulPlan {
  MatMulTile tile;
  int splits = 1;            ///< of k
  std::int64_t split_k = 0;  ///< steps of k in each, a multiple of tile.bk

  /// A group reads one panel only.
  [[nodiscard]] bool one_panel() const noexcept { return split_k == tile.bk; }

  friend bool operator==(const MatMulPlan&, const MatMulPlan&) = default;
};

/// What a kernel that is not quite a product of matrices leaves of the plans.
struct PlanLimits {
  int results = 64;  ///< of a work-item
  int splits = 64;
};

/// The cheapest plan by the model of matmul_tiling.cpp. Never more than about `scratch_limit` bytes of partial sums.
[[nodiscard]] MatMulPlan plan_matmul(std::int64_t m, std::int64_t n, std::int64_t k, const LoweringTraits& traits,
                                     const PlanLimits& limits = {});

/// The model's estimate for one plan, in clock cycles.
[[nodiscard]] double estimate_cycles(const MatMulPlan& plan, std::int64_t m, std::int64_t n, std::int64_t k,
                                     const LoweringTraits& traits);

}  // namespace overtake::backend
