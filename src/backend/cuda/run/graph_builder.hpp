// SPDX-License-Identifier: MIT
// CUDA graphs of one or several repetitions of a plan's steps.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/cuda/driver/driver_api.hpp"
#include "backend/cuda/run/launcher.hpp"

namespace overtake::backend::cuda {

/// Which waits a graph has.
enum class GraphShape : std::uint8_t {
  chain,     ///< each step waits for the one before it
  parallel,  ///< each step waits only for the steps whose data it needs
};

/// An instantiated graph and the graphs it was made from.
struct ReplayGraph {
  GraphExecHandle executable;
  int nodes = 0;
};

/// Builds graphs for a bound launcher. Libraries' work is captured once and becomes child graphs of every copy.
class GraphBuilder {
 public:
  GraphBuilder(const DriverApi& api, const Launcher& launcher, GraphShape shape);

  /// A graph of `copies` repetitions, uploaded to the device. Throws DeviceError.
  [[nodiscard]] ReplayGraph build(int copies, CUstream stream);

 private:
  [[nodiscard]] CUgraph captured(std::size_t step);
  void add_node(CUgraph graph, std::size_t step, std::span<const CUgraphNode> waits, CUgraphNode& node);

  const DriverApi& api_;
  const Launcher& launcher_;
  GraphShape shape_;
  StreamHandle capture_stream_;
  std::vector<GraphHandle> captured_;  // by step; empty for kernels
};

/// The numbers of repetitions to launch, in order, for `times` runs: as few graphs as possible, each of at most
/// `largest` repetitions, without needing many different ones.
[[nodiscard]] std::vector<int> split_runs(int times, int largest);

/// Repetitions worth unrolling into one graph of a plan of `steps` steps: up to 16, fewer when that is many nodes.
[[nodiscard]] int largest_unrolling(std::size_t steps);

}  // namespace overtake::backend::cuda
