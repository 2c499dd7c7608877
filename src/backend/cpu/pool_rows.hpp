// SPDX-License-Identifier: MIT
// Pooling of one row of windows, vectorised over channels.
#pragma once

#include <cstdint>

#include "backend/api/image_cores.hpp"

namespace overtake::backend::cpu {

/// The windows side by side in the same rows of one image, whose channels come last.
struct PoolRow {
  PoolKind kind = PoolKind::max;
  DType dtype = DType::float32;      ///< of x and dy
  const std::byte* x = nullptr;      ///< the first of the rows that the windows have inside the image
  const std::byte* dy = nullptr;     ///< (windows, channels)
  float* out = nullptr;              ///< (windows, channels); of gradients a row of the image for each of `x`
  std::int64_t rows = 0;             ///< that the windows have inside the image
  std::int64_t first = 0, last = 0;  ///< of those rows, the ones whose gradients are wanted
  std::int64_t w = 0, c = 0, windows = 0, columns = 0;
  std::int64_t stride = 1, padding = 0;  ///< of columns
  std::int64_t counted_rows = 0;         ///< that an average counts
  bool count_padding = false;            ///< of columns
  bool apart = false;                    ///< no place is in two windows
};

/// Computes `out`, to which gradients are added, or written where windows are apart.
void pool_row(const PoolRow& row);

}  // namespace overtake::backend::cpu
