// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "backend/api/device.hpp"
#include "core/parallel.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake {
namespace {

/// A node with all that a walk needs side by side. A leaf leads to itself.
struct Step {
  double threshold = 0;
  std::int32_t feature = 0;
  bool nan_left = false;
  std::array<std::int32_t, 2> child{};  // right, left

  [[nodiscard]] std::int32_t next(const float* row) const noexcept {
    const float value = row[feature];
    const bool left = (static_cast<double>(value) <= threshold) | (std::isnan(value) & nan_left);
    return child[left ? 1 : 0];
  }
};

std::vector<Step> steps_of(const Tree& tree) {
  std::vector<Step> steps(tree.feature.size());
  for (std::int32_t node = 0; node < tree.nodes(); ++node) {
    const bool leaf = tree.feature[node] < 0;
    steps[node] = {tree.threshold[node], leaf ? 0 : tree.feature[node], tree.nan_left[node] != 0,
                   leaf ? std::array{node, node} : std::array{tree.right[node], tree.left[node]}};
  }
  return steps;
}

/// The leaves of `count` rows of `features` values. Several rows walk side by side, so that they wait for memory
/// together.
void find_leaves(const std::vector<Step>& steps, const float* rows, std::int64_t features, std::int64_t count,
                 std::int32_t* leaves) {
  constexpr std::int64_t together = 16;
  for (std::int64_t begin = 0; begin < count; begin += together) {
    const std::int64_t size = std::min(together, count - begin);
    std::array<std::int32_t, together> nodes{};
    for (bool walking = true; walking;) {
      walking = false;
      for (std::int64_t i = 0; i < size; ++i) {
        const std::int32_t next = steps[nodes[i]].next(rows + (begin + i) * features);
        walking |= next != nodes[i];
        nodes[i] = next;
      }
    }
    std::copy_n(nodes.begin(), size, leaves + begin);
  }
}

void require_trained(const Forest& forest) {
  if (forest.trees.empty()) throw UsageError("the forest has no trees; train it or load one before predicting");
}

std::int64_t rows_of(const Forest& forest, std::span<const float> inputs) {
  require_trained(forest);
  const auto features = static_cast<std::size_t>(forest.features);
  if (features == 0 || inputs.size() % features != 0) {
    throw UsageError(fmt::format("{} input values are no whole rows of {} features", inputs.size(), features),
                     "Give rows x features numbers, row by row, with the features the forest was trained on.");
  }
  return static_cast<std::int64_t>(inputs.size() / features);
}

/// Calls visit(row, tree, leaf) for every row and tree, a row's trees in order; different rows on the threads of the
/// cpu device (set_cpu_threads), as far as there is work for them.
template <typename Visit>
void walk_all(const Forest& forest, std::span<const float> inputs, const Visit& visit) {
  constexpr std::int64_t block = 1024;
  constexpr std::int64_t walks_worth_a_thread = 20000;
  const std::int64_t rows = rows_of(forest, inputs);
  const auto trees = static_cast<std::int64_t>(forest.trees.size());
  std::vector<std::vector<Step>> steps;
  steps.reserve(forest.trees.size());
  for (const Tree& tree : forest.trees) steps.push_back(steps_of(tree));
  const std::int64_t useful = rows * trees / walks_worth_a_thread;
  const int threads = static_cast<int>(std::clamp<std::int64_t>(useful, 1, thread_count()));
  const auto walk_block = [&](std::size_t task, std::size_t) {
    const std::int64_t begin = static_cast<std::int64_t>(task) * block;
    const std::int64_t end = std::min(rows, begin + block);
    std::vector<std::int32_t> leaves(static_cast<std::size_t>(end - begin));
    for (std::int64_t tree = 0; tree < trees; ++tree) {
      find_leaves(steps[tree], inputs.data() + begin * forest.features, forest.features, end - begin, leaves.data());
      for (std::int64_t row = begin; row < end; ++row) visit(row, tree, leaves[row - begin]);
    }
  };
  parallel_for(static_cast<std::size_t>((rows + block - 1) / block), threads, walk_block);
}

/// Mean over the trees of the leaves' values.
std::vector<double> means(const Forest& forest, std::span<const float> inputs) {
  const auto outputs = static_cast<std::int64_t>(forest.outputs());
  std::vector<double> sums(static_cast<std::size_t>(rows_of(forest, inputs) * outputs), 0.0);
  walk_all(forest, inputs, [&](std::int64_t row, std::int64_t tree, std::int32_t leaf) {
    const double* values = forest.trees[tree].value.data() + leaf * outputs;
    for (std::int64_t output = 0; output < outputs; ++output) sums[row * outputs + output] += values[output];
  });
  for (double& sum : sums) sum /= static_cast<double>(forest.trees.size());
  return sums;
}

}  // namespace

std::vector<double> Forest::predict_proba(std::span<const float> inputs) const {
  require_trained(*this);
  if (classes == 0) throw UsageError("a regression forest has no class shares; use predict_values for its numbers");
  return means(*this, inputs);
}

std::vector<std::int32_t> Forest::predict(std::span<const float> inputs) const {
  const std::vector<double> probabilities = predict_proba(inputs);
  std::vector<std::int32_t> labels;
  labels.reserve(probabilities.size() / static_cast<std::size_t>(classes));
  for (auto row = probabilities.begin(); row != probabilities.end(); row += classes) {
    labels.push_back(static_cast<std::int32_t>(std::max_element(row, row + classes) - row));
  }
  return labels;
}

std::vector<double> Forest::predict_values(std::span<const float> inputs) const {
  require_trained(*this);
  if (classes > 0) throw UsageError("a classification forest predicts classes; use predict or predict_proba");
  return means(*this, inputs);
}

std::vector<std::int32_t> Forest::apply(std::span<const float> inputs) const {
  const auto count = static_cast<std::int64_t>(trees.size());
  std::vector<std::int32_t> leaves(static_cast<std::size_t>(rows_of(*this, inputs) * count));
  walk_all(*this, inputs,
           [&](std::int64_t row, std::int64_t tree, std::int32_t leaf) { leaves[row * count + tree] = leaf; });
  return leaves;
}

std::vector<std::int32_t> Forest::decision_path(std::span<const float> row, std::size_t tree) const {
  require_trained(*this);
  if (tree >= trees.size()) {
    throw UsageError(fmt::format("tree {} does not exist; the forest has trees 0 to {}", tree,
                                 static_cast<std::int64_t>(trees.size()) - 1));
  }
  if (row.size() != static_cast<std::size_t>(features)) {
    throw UsageError(fmt::format("a row of {} values; the forest was trained on {} features", row.size(), features));
  }
  const std::vector<Step> steps = steps_of(trees[tree]);
  std::vector<std::int32_t> path{0};
  for (std::int32_t next = steps[0].next(row.data()); next != path.back(); next = steps[next].next(row.data())) {
    path.push_back(next);
  }
  return path;
}

}  // namespace overtake
