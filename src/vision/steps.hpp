// SPDX-License-Identifier: MIT
// Batches of images run through a network: one compiled plan a size of batch, over arrays that the loader fills.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

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

  /// Makes the plan of a step of so many rows, in as many parts as memory asks for, those of the options at least, and
  /// gives the rows of a part. `most`: no more than these; 0: any number. To be called first. Throws MemoryError where
  /// one row does not fit.
  [[nodiscard]] std::int64_t fit(std::int64_t rows, std::int64_t most);
  /// One step of the optimiser. Does not wait for the device.
  void train(const ImageBatch& batch);
  /// Adds to the sums alone; the network is in evaluation mode.
  void judge(const ImageBatch& batch);
  /// Of the rows since the last call, each before its step. Waits for the device.
  [[nodiscard]] RowSums take_sums();
  /// What the next rows are added to.
  void set_sums(const RowSums& sums);

  /// What train() overwrites in place and a checkpoint or the next step reads.
  [[nodiscard]] std::vector<Array> changed_arrays();

  [[nodiscard]] double compile_seconds() const noexcept { return compile_seconds_; }
  [[nodiscard]] std::uint64_t plan_bytes() const noexcept { return plan_bytes_; }  ///< of the largest plan that trains
  [[nodiscard]] int launches() const noexcept { return launches_; }                ///< of a whole step

 private:
  enum class Work : std::uint8_t {
    learn,  // a whole step
    add,    // a part's gradients to those of the step
    judge,
  };
  // Batches of one size: arrays that the loader fills, and the plan over them.
  struct BatchPlan {
    Array inputs, labels;
    std::optional<graph::CompiledStep> step;
  };

  void run(Work work, const ImageBatch& batch);
  BatchPlan& plan_for(std::int64_t rows, Work work);
  [[nodiscard]] BatchPlan planned(std::int64_t rows, Work work);
  void plan_parts();
  void list_state(Work work, std::vector<Array*>& state, std::vector<Array>& changing);
  void compute(Work work, const Array& images, const Array& labels);

  Prepared& prepared_;
  nn::Module& network_;
  optim::Optimizer& optimizer_;
  const ImageTrainingOptions& options_;
  Device device_;
  Array loss_, wrong_;  // the sums, on the device
  std::int64_t part_rows_ = 0;
  Array share_;                   // of a step's rows, that are in a part
  std::vector<Array> gradients_;  // of a step, where it has parts
  std::map<std::pair<std::int64_t, Work>, BatchPlan> plans_;
  std::optional<graph::CompiledStep> apply_;  // the optimiser's step from gradients_, which become 0
  double compile_seconds_ = 0;
  std::uint64_t plan_bytes_ = 0;
  int launches_ = 0;
};

}  // namespace overtake::vision
