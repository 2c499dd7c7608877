// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "backend/api/device.hpp"
#include "forest/grow/grower.hpp"
#include "forest/grow/need.hpp"
#include "forest/problem/problem.hpp"
#include "overtake/forest/work.hpp"

namespace overtake::forest {

/// How kernels share the work. The defaults are for use; tests change them to reach every path with little data.
struct KernelTuning {
  std::int32_t large_rows =
      static_cast<std::int32_t>(large_node_rows);  ///< nodes with more rows are grown level by level, by many groups
  std::int32_t groups_per_unit = 20;               ///< of subtrees, for each compute unit
  bool soft_real = false;  ///< double precision from whole numbers, even where the device has its own
};

/// Grows forests with kernels/forest/*.k on a device that compiles at run time. Throws what make_grower throws.
[[nodiscard]] std::unique_ptr<Grower> make_kernel_grower(backend::Device& device, const Problem& problem,
                                                         const GrowerLimit& limit, const KernelTuning& tuning = {});

}  // namespace overtake::forest
