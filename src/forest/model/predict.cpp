// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/parallel.hpp"
#include "forest/model/walks.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake {
namespace {

using forest::Walks;

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
void walk_all(const Forest& forest, const Walks& walks, std::span<const float> inputs, const Visit& visit) {
  constexpr std::int64_t block = 1024;
  constexpr std::int64_t walks_worth_a_thread = 20000;
  const std::int64_t rows = rows_of(forest, inputs);
  const auto trees = static_cast<std::int64_t>(forest.trees.size());
  const std::int64_t useful = rows * trees / walks_worth_a_thread;
  const int threads = static_cast<int>(std::clamp<std::int64_t>(useful, 1, thread_count()));
  const auto walk_block = [&](std::size_t task, std::size_t) {
    const std::int64_t begin = static_cast<std::int64_t>(task) * block;
    const std::int64_t end = std::min(rows, begin + block);
    std::array<std::int32_t, block>
        leaves;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
    for (std::int64_t tree = 0; tree < trees; ++tree) {
      walks.find_leaves(tree, inputs.data() + begin * forest.features, forest.features, end - begin, leaves.data());
      for (std::int64_t row = begin; row < end; ++row) visit(row, tree, leaves[row - begin]);
    }
  };
  parallel_for(static_cast<std::size_t>((rows + block - 1) / block), threads, walk_block);
}

/// Mean over the trees of the leaves' values.
std::vector<double> means(const Forest& forest, const Walks& walks, std::span<const float> inputs) {
  const auto outputs = static_cast<std::int64_t>(forest.outputs());
  std::vector<double> sums(static_cast<std::size_t>(rows_of(forest, inputs) * outputs), 0.0);
  walk_all(forest, walks, inputs, [&](std::int64_t row, std::int64_t tree, std::int32_t leaf) {
    const double* values = forest.trees[tree].value.data() + leaf * outputs;
    for (std::int64_t output = 0; output < outputs; ++output) sums[row * outputs + output] += values[output];
  });
  for (double& sum : sums) sum /= static_cast<double>(forest.trees.size());
  return sums;
}

}  // namespace

std::vector<double> forest::predict_shares(const Forest& forest, const Walks& walks, std::span<const float> inputs) {
  require_trained(forest);
  if (forest.classes == 0) {
    throw UsageError("a regression forest has no class shares; use predict_values for its numbers");
  }
  return means(forest, walks, inputs);
}

std::vector<double> forest::predict_values(const Forest& forest, const Walks& walks, std::span<const float> inputs) {
  require_trained(forest);
  if (forest.classes > 0) throw UsageError("a classification forest predicts classes; use predict or predict_proba");
  return means(forest, walks, inputs);
}

std::vector<std::int32_t> forest::predict_classes(const Forest& forest, const Walks& walks,
                                                  std::span<const float> inputs) {
  const std::vector<double> shares = predict_shares(forest, walks, inputs);
  std::vector<std::int32_t> labels;
  labels.reserve(shares.size() / static_cast<std::size_t>(forest.classes));
  for (auto row = shares.begin(); row != shares.end(); row += forest.classes) {
    labels.push_back(static_cast<std::int32_t>(std::max_element(row, row + forest.classes) - row));
  }
  return labels;
}

std::vector<std::int32_t> forest::find_leaves(const Forest& forest, const Walks& walks, std::span<const float> inputs) {
  const auto count = static_cast<std::int64_t>(forest.trees.size());
  std::vector<std::int32_t> leaves(static_cast<std::size_t>(rows_of(forest, inputs) * count));
  walk_all(forest, walks, inputs,
           [&](std::int64_t row, std::int64_t tree, std::int32_t leaf) { leaves[row * count + tree] = leaf; });
  return leaves;
}

std::vector<double> Forest::predict_proba(std::span<const float> inputs) const {
  return forest::predict_shares(*this, Walks(trees), inputs);
}

std::vector<std::int32_t> Forest::predict(std::span<const float> inputs) const {
  return forest::predict_classes(*this, Walks(trees), inputs);
}

std::vector<double> Forest::predict_values(std::span<const float> inputs) const {
  return forest::predict_values(*this, Walks(trees), inputs);
}

std::vector<std::int32_t> Forest::apply(std::span<const float> inputs) const {
  return forest::find_leaves(*this, Walks(trees), inputs);
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
  return Walks(std::span(&trees[tree], 1)).path(row.data());
}

}  // namespace overtake
