// SPDX-License-Identifier: MIT
#include "forest/out_of_bag.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "forest/assemble.hpp"
#include "forest/sampling.hpp"
#include "overtake/metrics.hpp"

namespace overtake::forest {
namespace {

std::int32_t leaf_of(const Tree& tree, const float* row) {
  std::int32_t node = 0;
  while (tree.feature[node] >= 0) {
    const float value = row[tree.feature[node]];
    const bool left = std::isnan(value) ? tree.nan_left[node] != 0 : static_cast<double>(value) <= tree.threshold[node];
    node = left ? tree.left[node] : tree.right[node];
  }
  return node;
}

/// The metric over the rows that some tree left out.
double score_of(const std::vector<double>& answers, std::size_t outputs, const Dataset& data) {
  std::vector<std::int32_t> labels, known_labels;
  std::vector<double> numbers, known_numbers;
  for (std::size_t row = 0; row < static_cast<std::size_t>(data.rows); ++row) {
    const double* first = &answers[row * outputs];
    if (std::isnan(*first)) continue;
    if (data.task == Task::classification) {
      labels.push_back(static_cast<std::int32_t>(std::max_element(first, first + outputs) - first));
      known_labels.push_back(data.labels[row]);
    } else {
      numbers.push_back(*first);
      known_numbers.push_back(data.targets[row]);
    }
  }
  return data.task == Task::classification ? accuracy(labels, known_labels) : r2(numbers, known_numbers);
}

}  // namespace

void add_out_of_bag(Forest& forest, const Problem& problem, const ForestJob& job, const Dataset& data) {
  const std::vector<std::int32_t>& train = problem.folds[job.fold].train;
  const auto outputs = static_cast<std::size_t>(forest.outputs());
  const auto rows = static_cast<std::size_t>(data.rows);
  const auto features = static_cast<std::size_t>(data.features);
  std::vector<double> sums(rows * outputs, 0.0);
  std::vector<std::int32_t> trees(rows, 0);
  constexpr std::size_t block = 1024;
  for (std::size_t number = 0; number < forest.trees.size(); ++number) {
    const Tree& tree = forest.trees[number];
    const std::vector<std::uint32_t> counts = draw_counts(problem, job, static_cast<std::int32_t>(number));
    on_host_threads((train.size() + block - 1) / block, [&](std::size_t part) {
      const std::size_t end = std::min(train.size(), (part + 1) * block);
      for (std::size_t i = part * block; i < end; ++i) {
        if (counts[i] > 0) continue;
        const auto row = static_cast<std::size_t>(train[i]);
        const auto leaf = static_cast<std::size_t>(leaf_of(tree, &data.inputs[row * features]));
        for (std::size_t output = 0; output < outputs; ++output) {
          sums[row * outputs + output] += tree.value[leaf * outputs + output];
        }
        ++trees[row];
      }
    });
  }
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t output = 0; output < outputs; ++output) {
      double& sum = sums[row * outputs + output];
      sum = trees[row] > 0 ? sum / trees[row] : std::numeric_limits<double>::quiet_NaN();
    }
  }
  forest.oob_score = score_of(sums, outputs, data);
  forest.oob_prediction = std::move(sums);
}

}  // namespace overtake::forest
