// SPDX-License-Identifier: MIT
// Sums of losses and right answers, kept on the device one lane per row of the batch: a step adds to them element by
// element, in the operations that made the values, and needs no reduction. They are reduced when they are read.
#pragma once

#include <cstdint>
#include <vector>

#include "overtake/nn/loss.hpp"

namespace overtake::nn {

class RowSums {
 public:
  /// Lanes for `rows` rows, zero; none for 0 rows.
  RowSums(std::int64_t rows, ErrorRate metric, const Device& device);

  /// Adds a batch (inside a traced step). `row_losses` has one loss a row.
  void add(const Array& row_losses, const Array& output, const Array& target);
  /// Sets losses and right answers, but not the bad steps, to zero (inside a traced step).
  void clear();

  /// The sums as one-element arrays. The count of bad steps is that of the first lane to go bad; a lane that went bad
  /// stays bad until cleared.
  [[nodiscard]] Array loss() const;
  [[nodiscard]] Array correct() const;
  [[nodiscard]] Array bad_steps() const;

  /// What a CompiledStep that uses this reassigns.
  [[nodiscard]] std::vector<Array*> state();
  [[nodiscard]] bool empty() const noexcept { return rows_ == 0; }

 private:
  std::int64_t rows_;
  ErrorRate error_rate_;
  Device device_;
  Array losses_;
  Array correct_;
  Array bad_;
};

/// The three values as one array (3,), so that one read brings them.
[[nodiscard]] Array packed(const Array& first, const Array& second, const Array& third);

}  // namespace overtake::nn
