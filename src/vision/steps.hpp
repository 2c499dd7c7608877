// SPDX-License-Identifier: MIT
// Batches of images run through a network: one compiled plan a size of batch, over arrays that the loader fills.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "graph/compiled_step.hpp"
#include "overtake/optim.hpp"
#include "overtake/vision.hpp"
#include "vision/network.hpp"

namespace overtake::vision {

/// Over rows.
struct RowSums {
  double loss = 0;
  double wrong = 0;
};

class Steps {
 public:
  /// All must outlive it. The network and the optimiser have arrays of their own (nn::take_own_buffers).
  Steps(Prepared& prepared, optim::Optimizer& optimizer, const ImageTrainingOptions& options, const Device& device);

  /// One step of the optimiser. Does not wait for the device.
  void train(const ImageBatch& batch);
  /// Adds to the sums alone; the network is in evaluation mode.
  void judge(const ImageBatch& batch);
  /// Of the rows since the last call, each before its step. Waits for the device.
  [[nodiscard]] RowSums take_sums();
  /// What the next rows are added to.
  void set_sums(const RowSums& sums);
  /// Lets the plans go.
  void clear() { plans_.clear(); }

  [[nodiscard]] double compile_seconds() const noexcept { return compile_seconds_; }
  [[nodiscard]] std::uint64_t plan_bytes() const noexcept { return plan_bytes_; }  ///< of the largest plan that trains
  [[nodiscard]] int launches() const noexcept { return launches_; }                ///< of a whole step

 private:
  // Batches of one size: arrays that the loader fills, and the plan over them.
  struct BatchPlan {
    Array inputs, labels;
    std::optional<graph::CompiledStep> step;
  };

  BatchPlan& plan_for(std::int64_t rows, bool trains);
  [[nodiscard]] BatchPlan planned(std::int64_t rows, bool trains);
  void run(BatchPlan& plan, const ImageBatch& batch);
  void step(const Array& images, const Array& labels);
  void add_to_sums(const Array& logits, const Array& labels, const Array& loss);

  Prepared& prepared_;
  nn::Module& network_;
  optim::Optimizer& optimizer_;
  const ImageTrainingOptions& options_;
  Device device_;
  Array loss_, wrong_;                                        // the sums, on the device
  std::map<std::pair<std::int64_t, bool>, BatchPlan> plans_;  // by rows, and whether it trains
  double compile_seconds_ = 0;
  std::uint64_t plan_bytes_ = 0;
  int launches_ = 0;
};

}  // namespace overtake::vision
