// SPDX-License-Identifier: MIT
// Passes over all rows behind a training: a batch that does not fit into a device's memory is halved until it does.
#pragma once

#include <cstdint>

#include "overtake/memory.hpp"

namespace overtake::nn {

/// body(batch) for the largest of `most`, half of it, ..., 1 for which there is memory. What it computes of rows may
/// not depend on how many are computed together. Throws MemoryError where one does not fit.
template <class Body>
auto with_batch_that_fits(std::int64_t most, const Body& body) {
  for (std::int64_t batch = most;; batch /= 2) {
    try {
      return body(batch);
    } catch (const MemoryError&) {
      if (batch <= 1) throw;
    }
  }
}

}  // namespace overtake::nn
