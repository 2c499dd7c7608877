// SPDX-License-Identifier: MIT
#include "forest/out_of_bag.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "forest/assemble.hpp"
#include "forest/sampling.hpp"

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

double accuracy(const std::vector<double>& shares, std::size_t classes, const Dataset& data) {
  std::int64_t right = 0;
  std::int64_t scored = 0;
  for (std::size_t row = 0; row < data.labels.size(); ++row) {
    const double* first = &shares[row * classes];
    if (std::isnan(*first)) continue;
    ++scored;
    right += std::max_element(first, first + classes) - first == data.labels[row] ? 1 : 0;
  }
  return scored > 0 ? static_cast<double>(right) / static_cast<double>(scored)
                    : std::numeric_limits<double>::quiet_NaN();
}

double r2(const std::vector<double>& predictions, const Dataset& data) {
  double mean = 0;
  double scored = 0;
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    if (std::isnan(predictions[row])) continue;
    mean += data.targets[row];
    scored += 1;
  }
  mean /= scored;
  double error = 0;
  double total = 0;
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    if (std::isnan(predictions[row])) continue;
    const double y = data.targets[row];
    error += (y - predictions[row]) * (y - predictions[row]);
    total += (y - mean) * (y - mean);
  }
  return 1 - error / total;
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
  forest.oob_score = forest.classes > 0 ? accuracy(sums, outputs, data) : r2(sums, data);
  forest.oob_prediction = std::move(sums);
}

}  // namespace overtake::forest
