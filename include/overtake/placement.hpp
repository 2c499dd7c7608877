// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/device.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/network.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/optim.hpp"

/// Which processor will finish a training first, and what processors really reach.
namespace overtake {

/// A training that is to be placed. The trial steps run on models of their own; nothing of the caller's changes.
struct PlacementRequest {
  std::function<nn::Sequential()> model;  ///< builds the network; called once for each trial
  std::function<std::unique_ptr<optim::Optimizer>(nn::Module&)> optimizer;
  nn::Loss loss;
  Array inputs, targets;                        ///< the training rows, on the CPU
  Array validation_inputs, validation_targets;  ///< judged after each epoch; undefined: none
  std::int64_t batch_size = 100;
  int epochs = 100;
  int threads = 0;                 ///< of the CPU; 0: the faster of one and all
  std::uint64_t memory_limit = 0;  ///< bytes for each device; 0: no limit
  const StopToken* stop = nullptr;
};

/// What one processor is expected to take.
struct Prediction {
  std::string device;
  int threads = 0;           ///< cpu: those asked for, else the faster of one and all
  double seconds = 0;        ///< start_seconds + all steps
  double start_seconds = 0;  ///< opening the device, compiling, moving the data
  double step_seconds = 0;   ///< of a network
  std::string failure;       ///< not empty: cannot run this training, and why
};

/// Which device, and why. Candidates are the CPU and the first GPU that can run the work, the largest first, whatever
/// its backend. GPUs are not even looked at when the CPU is done before one could have started. OpenCL on the CPU is no
/// candidate.
struct Placement {
  std::string device;
  int threads = 0;  ///< for set_cpu_threads() when the CPU was chosen
  std::vector<Prediction> predictions;
  std::string reason;  ///< the predicted times, or why there are none, in one sentence
};

/// Times a few steps of the training on the CPU (with `threads`, or with one thread and all) and on the GPU, each for a
/// fraction of a second, and chooses the device with the shorter predicted time. Leaves the number of CPU threads at
/// the CPU's prediction. Throws DeviceError when no device can run the training.
[[nodiscard]] Placement choose_device(const PlacementRequest& request);

/// The same for a network that train_network() is to train on `data`. Throws what check_network_memory() throws, too.
[[nodiscard]] Placement choose_device(const PreparedData& data, const NetworkOptions& options, int threads = 0);

/// Chooses for forests, by a cost model: `work` in row visits (forest_work), the row visits a second of such a device,
/// and the time it takes to start (docs/search.md). Opens a GPU only to choose it. Throws UsageError unless `work` is a
/// number of at least 0.
[[nodiscard]] Placement choose_forest_device(double work);

/// Threads that the CPU computes with from now on, at most 4096: networks, forests, and the predictions of forests.
/// 0: OVERTAKE_THREADS, or one for each core this process may use. Throws UsageError for other numbers.
void set_cpu_threads(int threads);

/// How many that is now.
[[nodiscard]] int cpu_threads();

/// Throws UsageError, naming the variable, for an environment variable whose value cannot be used (OVERTAKE_THREADS). A
/// program calls it when it starts; without it such a value counts as unset.
void check_environment();

/// What a device reached in a short measurement.
struct MeasuredPeak {
  double gflops =
      0;  ///< float32, a multiply-add counted as 2: matrix product, elsewhere than on the CPU also plain chains
  double gbs = 0;  ///< reading and writing large arrays, 1e9 bytes a second, both directions counted
};

/// Measures for about `seconds` (each of the two figures takes half), the compiling of kernels not counted. Throws
/// DeviceError when the device fails.
[[nodiscard]] MeasuredPeak measure_peak(const Device& device, double seconds = 0.3);

}  // namespace overtake
