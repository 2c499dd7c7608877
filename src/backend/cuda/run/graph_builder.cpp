// SPDX-License-Identifier: MIT
#include "backend/cuda/run/graph_builder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backend/cuda/driver/dependencies.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {

GraphBuilder::GraphBuilder(const DriverApi& api, const Launcher& launcher, GraphShape shape)
    : api_(api), launcher_(launcher), shape_(shape), captured_(launcher.size()) {}

CUgraph GraphBuilder::captured(std::size_t step) {
  if (captured_[step]) return captured_[step].get();
  if (!capture_stream_) {
    CUstream stream = nullptr;
    check(api_, api_.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
    capture_stream_ = {stream, api_.cuStreamDestroy};
  }
  // Relaxed: a library may load its kernels' code while its call is captured.
  check(api_, api_.cuStreamBeginCapture(capture_stream_.get(), CU_STREAM_CAPTURE_MODE_RELAXED), "cuStreamBeginCapture");
  CUgraph graph = nullptr;
  try {
    launcher_.enqueue(step, capture_stream_.get());
  } catch (...) {
    static_cast<void>(api_.cuStreamEndCapture(capture_stream_.get(), &graph));
    const GraphHandle discard(graph, api_.cuGraphDestroy);
    throw;
  }
  check(api_, api_.cuStreamEndCapture(capture_stream_.get(), &graph), "cuStreamEndCapture");
  captured_[step] = {graph, api_.cuGraphDestroy};
  return graph;
}

void GraphBuilder::add_node(CUgraph graph, std::size_t step, std::span<const CUgraphNode> waits, CUgraphNode& node) {
  const BoundStep& bound = launcher_.step(step);
  if (bound.function == nullptr) {
    check(api_, api_.cuGraphAddChildGraphNode(&node, graph, waits.data(), waits.size(), captured(step)),
          "cuGraphAddChildGraphNode");
    return;
  }
  check(api_, api_.cuGraphAddKernelNode(&node, graph, waits.data(), waits.size(), &bound.node),
        fmt::format("cuGraphAddKernelNode for step {}", step));
}

ReplayGraph GraphBuilder::build(int copies, CUstream stream) {
  const std::size_t steps = launcher_.size();
  const auto dependencies =
      shape_ == GraphShape::parallel ? find_dependencies(launcher_.uses(), copies) : chain_dependencies(steps, copies);
  CUgraph raw = nullptr;
  check(api_, api_.cuGraphCreate(&raw, 0), "cuGraphCreate");
  const GraphHandle graph(raw, api_.cuGraphDestroy);
  std::vector<CUgraphNode> nodes(dependencies.size());
  std::vector<CUgraphNode> waits;
  for (std::size_t index = 0; index < dependencies.size(); ++index) {
    waits.clear();
    for (const int before : dependencies[index]) waits.push_back(nodes[before]);
    add_node(graph.get(), index % steps, waits, nodes[index]);
  }
  CUgraphExec executable = nullptr;
  check(api_, api_.cuGraphInstantiate(&executable, graph.get(), 0), "cuGraphInstantiate");
  ReplayGraph replay{{executable, api_.cuGraphExecDestroy}, static_cast<int>(nodes.size())};
  check(api_, api_.cuGraphUpload(executable, stream), "cuGraphUpload");
  return replay;
}

std::vector<int> split_runs(int times, int largest) {
  std::vector<int> runs;
  for (; times >= largest; times -= largest) runs.push_back(largest);
  if (times > 0) runs.push_back(times);
  return runs;
}

int largest_unrolling(std::size_t steps) {
  constexpr std::size_t most_copies = 16;
  constexpr std::size_t most_nodes = 2048;
  return static_cast<int>(std::clamp<std::size_t>(most_nodes / std::max<std::size_t>(steps, 1), 1, most_copies));
}

}  // namespace overtake::backend::cuda
