// SPDX-License-Identifier: MIT
#include "forest/tree/out_of_bag.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/parallel.hpp"
#include "forest/grow/sampling.hpp"
#include "overtake/forest/forest.hpp"
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

/// The rows that some tree did not see, with what those trees say of them.
struct Scored {
  std::vector<std::int32_t> labels, true_labels;
  std::vector<double> values, true_values;
};

Scored scored_rows(const Forest& forest, const Dataset& data) {
  const auto width = static_cast<std::size_t>(forest.outputs());
  Scored scored;
  for (std::size_t row = 0; row < static_cast<std::size_t>(data.rows); ++row) {
    const double* first = &forest.oob_prediction[row * width];
    if (std::isnan(*first)) continue;
    if (forest.classes == 0) {
      scored.values.push_back(*first);
      scored.true_values.push_back(data.targets[row]);
    } else {
      scored.labels.push_back(static_cast<std::int32_t>(std::max_element(first, first + width) - first));
      scored.true_labels.push_back(data.labels[row]);
    }
  }
  return scored;
}

/// Fills in oob_rows and, where it is defined, oob_score.
void score(Forest& forest, const Dataset& data) {
  const Scored scored = scored_rows(forest, data);
  forest.oob_rows = rows_out_of_bag(forest);
  forest.oob_score.reset();
  if (forest.classes > 0 && forest.oob_rows > 0) forest.oob_score = accuracy(scored.labels, scored.true_labels);
  if (forest.classes == 0 && forest.oob_rows > 1) forest.oob_score = r2(scored.values, scored.true_values);
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
    parallel_for((train.size() + block - 1) / block, [&](std::size_t part) {
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
  forest.oob_prediction = std::move(sums);
  score(forest, data);
}

std::int64_t rows_out_of_bag(const Forest& forest) {
  std::int64_t rows = 0;
  for (std::size_t at = 0; at < forest.oob_prediction.size(); at += static_cast<std::size_t>(forest.outputs())) {
    rows += std::isnan(forest.oob_prediction[at]) ? 0 : 1;
  }
  return rows;
}

std::string out_of_bag_note(const Forest& forest) {
  if (forest.oob_prediction.empty()) return {};
  const auto rows = static_cast<std::int64_t>(forest.oob_prediction.size()) / forest.outputs();
  if (forest.oob_rows == 0) {
    return fmt::format(
        "there is no out-of-bag score: every tree has all rows in its bag ({}); more trees, or a smaller "
        "max_samples, leave some out",
        rows);
  }
  const std::int64_t left = rows - forest.oob_rows;
  std::string note = fmt::format(
      "the out-of-bag score judges {} of {} rows: {} in the bag of every tree; more trees "
      "leave none unjudged",
      forest.oob_rows, rows, left == 1 ? "1 is" : fmt::format("{} are", left));
  if (!forest.oob_score)
    note = "r2 is not defined for a single row, and only one row is out of the bag of some tree; grow more trees";
  return left > 0 || !forest.oob_score ? note : std::string();
}

}  // namespace overtake::forest
