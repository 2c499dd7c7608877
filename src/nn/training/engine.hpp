// SPDX-License-Identifier: MIT
// How a Trainer runs its epochs. `graph` replays a compiled plan of one step. An engine that keeps a small network's
// whole training loop on the chip takes its place beside it: it needs the row orders of several epochs at a time, which
// is why orders are given apart from running.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "overtake/nn/trainer.hpp"

namespace overtake::nn {

/// Sums over the epochs run since the last reset.
struct EpochStatistics {
  double loss_sum = 0;         ///< of the rows' losses
  double correct = 0;          ///< rows (or, for binary_error, means of the rows' elements) that were right
  std::int64_t bad_steps = 0;  ///< steps whose loss was not finite, over the whole training
};

struct EngineStats {
  double compile_seconds = 0;
  int launches_per_step = 0;
  std::uint64_t bytes = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// The most epochs set_orders() takes at once.
  [[nodiscard]] virtual int epochs_at_once() const = 0;
  /// The row orders of the next epochs, one after the other: epochs * rows indices.
  virtual void set_orders(std::span<const std::int32_t> rows_of_epochs) = 0;
  /// The orders set before, from their first again.
  virtual void rewind_orders() = 0;
  /// Enqueues the next epoch of the orders. Returns the steps enqueued: fewer than an epoch's if `stop` was requested.
  [[nodiscard]] virtual std::int64_t run_epoch(const StopToken* stop) = 0;
  /// Zeroes the sums of losses and right answers, in order with the epochs.
  virtual void reset_statistics() = 0;
  /// Waits for the epochs, reads the sums of each candidate and zeroes them.
  [[nodiscard]] virtual std::vector<EpochStatistics> read_statistics() = 0;
  [[nodiscard]] virtual EngineStats stats() const = 0;
  /// Throws UsageError if a model's code would build another step by now than the one that was compiled.
  virtual void require_unchanged() const = 0;
};

/// One network of a task. The arrays behind model and optimiser must be buffers of their own (graph::copy_of).
struct EngineCandidate {
  Module& model;
  optim::Optimizer& optimizer;
};

/// What an engine trains: one network or several of one device, side by side on the same batches. Each gets the bits
/// that it would get alone.
struct EngineTask {
  std::vector<EngineCandidate> candidates;
  const Loss& loss;
  Array inputs;            ///< on the models' device
  Array targets;           ///< on the models' device
  std::int64_t batch = 1;  ///< 1 .. rows
  int epochs_at_once = 1;
  double clip_grad_norm = 0;  ///< 0: gradients as they are
  Precision precision = Precision::fp32;
  int accumulate = 1;  ///< parts of a batch
};

/// Compiles. Throws UsageError for an engine that cannot run the task.
[[nodiscard]] std::unique_ptr<Engine> make_engine(EngineKind kind, const EngineTask& task);

}  // namespace overtake::nn
