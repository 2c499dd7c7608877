// SPDX-License-Identifier: MIT
// How much work it is to train a network, counted before any is done.
#pragma once

#include <cstdint>
#include <vector>

#include "overtake/report.hpp"

namespace overtake {

/// A multilayer perceptron that is to be trained, as far as time and memory depend on it.
struct NetworkShape {
  std::vector<std::int64_t> widths;  ///< inputs, hidden layers, outputs
  std::int64_t rows = 0, validation_rows = 0;
  std::int64_t batch_size = 100;
  int epochs = 100;
  int moments = 0;  ///< numbers that the optimiser keeps for each weight: 2 of Adam
};

/// What training it takes, in counts that a device's rates turn into seconds (docs/placement.md).
struct NetworkWork {
  double steps = 0, epochs = 0;
  double judged = 0;        ///< epochs after which validation rows are judged
  double layers = 0;        ///< steps x layers
  double flops = 0;         ///< of products, a multiply-add counted as 2
  double weights = 0;       ///< steps x weights
  double values = 0;        ///< steps x rows of a batch x widths, forward
  double wide_layers = 0;   ///< of at least 32 outputs, whose products a library prepares once for each size of a batch
  double row_values = 0;    ///< epochs x rows x inputs, shuffled
  double device_bytes = 0;  ///< weights and what training keeps of them, activations, the rows
  double transfer_bytes = 0;
};

/// Counts.
[[nodiscard]] NetworkWork network_work(const NetworkShape& shape);
/// Counts what answering `rows` rows takes, in batches of 4096: a third of a training step's launches each.
[[nodiscard]] NetworkWork answering_work(const std::vector<std::int64_t>& widths, std::int64_t rows);
/// By the names of its fields.
[[nodiscard]] report::Json to_json(const NetworkWork& work);

}  // namespace overtake
