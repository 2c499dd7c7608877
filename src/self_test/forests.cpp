// SPDX-License-Identifier: MIT
// Forests are whole numbers and exact: the kernels must grow, bit for bit, what the host grows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/philox.hpp"
#include "forest/device/grower.hpp"
#include "forest/host/grower.hpp"
#include "overtake/error.hpp"
#include "self_test/check.hpp"

namespace overtake::self_test {
namespace {

using forest::ForestJob;
using forest::GrownTree;
using forest::Problem;

struct ProblemShape {
  std::int32_t rows = 300, features = 5, classes = 3;  ///< classes 0: numbers
  int max_bins = 256;
  bool missing = false;
};

/// A table whose classes or numbers follow from its features, with noise, so that trees are deep.
Problem make_problem(const ProblemShape& shape) {
  const auto draw = [](std::uint32_t stream, std::uint64_t index) { return philox::uniform(99, stream, 0, index); };
  std::vector<float> inputs;
  Problem problem;
  problem.targets.classes = shape.classes;
  for (std::int32_t row = 0; row < shape.rows; ++row) {
    float sum = 0;
    for (std::int32_t f = 0; f < shape.features; ++f) {
      const auto index =
          static_cast<std::uint64_t>(row) * static_cast<std::uint64_t>(shape.features) + static_cast<std::uint64_t>(f);
      const float value = std::floor(draw(1, index) * 4096.0F) / 64.0F;
      const bool is_missing = shape.missing && f % 2 == 0 && draw(2, index) < 0.1F;
      inputs.push_back(is_missing ? std::numeric_limits<float>::quiet_NaN() : value);
      sum += value / 64.0F;
    }
    const float noise = draw(3, static_cast<std::uint64_t>(row));
    const float target = sum / static_cast<float>(shape.features) * 0.7F + noise * 0.3F;
    if (shape.classes > 0) {
      const auto label = static_cast<std::int32_t>(target * static_cast<float>(3 * shape.classes));
      problem.targets.labels.push_back(label % shape.classes);
    } else {
      problem.targets.values.push_back(std::floor(target * 1000.0F) / 8.0);
    }
  }
  problem.data = forest::bin_features(inputs, shape.rows, shape.features, shape.max_bins, 1);
  problem.weights.emplace_back();
  Fold sets;
  for (std::int32_t row = 0; row < shape.rows; ++row) (row % 4 == 0 ? sets.test : sets.train).push_back(row);
  problem.folds.push_back(std::move(sets));
  return problem;
}

ForestJob make_job(const Problem& problem, std::int32_t trees) {
  ForestJob job;
  job.rule.criterion = problem.targets.classes > 0 ? Criterion::gini : Criterion::squared_error;
  job.rule.max_features = std::max(1, problem.data.edges.features / 2);
  job.trees = trees;
  job.max_depth = INT32_MAX;
  job.draws = static_cast<std::int64_t>(problem.folds[0].train.size());
  job.seed = 7;
  return job;
}

std::map<std::int32_t, GrownTree> grow(forest::Grower& grower, const ForestJob& job) {
  std::map<std::int32_t, GrownTree> trees;
  const auto take = [&trees](std::int32_t, std::int32_t tree, GrownTree grown) { trees[tree] = std::move(grown); };
  grower.grow(std::span(&job, 1), take, nullptr);
  return trees;
}

/// The first field of a node that differs; empty if none does.
const char* difference(const forest::NodeRecord& a, const forest::NodeRecord& b) {
  if (a.feature != b.feature) return "feature";
  if (a.left != b.left) return "child";
  if (a.between != b.between || a.cut != b.cut) return "threshold";
  if (a.samples != b.samples) return "number of rows";
  if (a.weight != b.weight) return "weight";
  if (a.depth != b.depth) return "depth";
  return a.key != b.key ? "key" : "";
}

void expect_same_tree(std::int32_t number, const GrownTree& actual, const GrownTree& expected) {
  if (actual.nodes.size() != expected.nodes.size()) {
    throw WrongResult(fmt::format("tree {} has {} nodes, not {}", number, actual.nodes.size(), expected.nodes.size()));
  }
  for (std::size_t i = 0; i < actual.nodes.size(); ++i) {
    const std::string_view field = difference(actual.nodes[i], expected.nodes[i]);
    if (!field.empty()) throw WrongResult(fmt::format("tree {}: another {} at node {}", number, field, i));
  }
  if (actual.right != expected.right) throw WrongResult(fmt::format("tree {}: other children", number));
  if (actual.class_weights != expected.class_weights)
    throw WrongResult(fmt::format("tree {}: other class weights", number));
  if (actual.means != expected.means || actual.impurities != expected.impurities)
    throw WrongResult(fmt::format("tree {}: other means", number));
}

/// Two views: the whole forest, and one that is cut short.
std::vector<forest::View> views_of(const ForestJob& job) {
  std::vector<forest::View> views(2);
  for (forest::View& view : views) view.trees = job.trees;
  views[0].max_depth = job.max_depth;
  views[1].max_depth = 3;
  return views;
}

/// Grows and scores on host and device.
void compare(const Device& device, const Problem& problem, std::int32_t trees, std::int32_t large_rows) {
  const ForestJob job = make_job(problem, trees);
  const std::vector<forest::View> views = views_of(job);
  const auto host = forest::make_host_grower(problem, 0);
  forest::KernelTuning tuning;
  tuning.large_rows = large_rows;
  std::map<std::int32_t, GrownTree> grown;
  std::vector<FoldOutcome> outcomes;
  try {
    const auto grower = forest::make_kernel_grower(device.impl(), problem, 0, tuning);
    grown = grow(*grower, job);
    outcomes = grower->score(std::span(&job, 1), views, true, nullptr).value();
  } catch (const DeviceError&) {
    return;  // no compiler or no double precision: it says so to everybody who wants forests there
  }
  for (const auto& [number, tree] : grow(*host, job)) {
    const auto found = grown.find(number);
    if (found == grown.end()) throw WrongResult(fmt::format("tree {} is missing", number));
    expect_same_tree(number, found->second, tree);
  }
  const auto expected = host->score(std::span(&job, 1), views, true, nullptr).value();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (outcomes[i].confusion != expected[i].confusion) throw WrongResult("other scores of classes");
    if (outcomes[i].predictions != expected[i].predictions) throw WrongResult("other predictions");
    if (outcomes[i].squared_error != expected[i].squared_error) throw WrongResult("other scores of numbers");
  }
}

constexpr std::int32_t never_large = 1 << 30, soon_large = 20;

}  // namespace

void check_forests_of_classes(const Device& device) {
  const Problem problem = make_problem({.missing = true});
  compare(device, problem, 2, never_large);
  compare(device, problem, 2, soon_large);
}

void check_forests_of_numbers(const Device& device) {
  const Problem problem = make_problem({.classes = 0, .missing = true});
  compare(device, problem, 2, never_large);
  compare(device, problem, 2, soon_large);
}

void check_forests_of_many_classes(const Device& device) {
  // Wide bins, and more classes than local memory holds.
  const Problem problem = make_problem({.rows = 700, .classes = 150, .max_bins = 400});
  compare(device, problem, 1, never_large);
  compare(device, problem, 1, soon_large);
}

void check_large_forests(const Device& device) {
  constexpr std::int32_t usual = forest::KernelTuning{}.large_rows;
  compare(device, make_problem({.rows = 20000, .features = 4, .classes = 5}), 1, usual);
  compare(device, make_problem({.rows = 6000, .features = 3, .classes = 0}), 1, usual);
}

}  // namespace overtake::self_test
