// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "forest/assemble.hpp"
#include "forest/binning.hpp"
#include "forest/growth.hpp"
#include "forest/notes.hpp"
#include "forest/resolve.hpp"
#include "forest/targets.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void check_data(const ForestParameters& parameters, const Dataset& data, std::span<const float> sample_weight) {
  if (data.rows < 1) throw DataError("there are no rows to train on");
  if (data.features < 1) throw DataError("there are no features to learn from");
  if (static_cast<std::int64_t>(data.inputs.size()) != data.rows * data.features) {
    throw UsageError(fmt::format("inputs: {} numbers, expected {} rows x {} features", data.inputs.size(), data.rows,
                                 data.features));
  }
  if (data.rows > (std::int64_t{1} << 30)) throw DataError("forests take at most 2^30 rows");
  if (parameters.task != data.task) {
    throw UsageError("the parameters and the data are not of one task",
                     "Use ForestParameters::defaults(kind, data.task).");
  }
  forest::check_sample_weights(sample_weight, data.rows);
}

/// The trees that a warm start keeps.
std::vector<Tree> kept_trees(const ForestParameters& parameters, const Dataset& data, const Forest* earlier) {
  if (earlier == nullptr || !parameters.warm_start) return {};
  ForestParameters same = earlier->parameters;
  same.n_estimators = parameters.n_estimators;
  same.warm_start = true;
  same.oob_score = parameters.oob_score;
  if (!(same == parameters) || earlier->features != data.features || earlier->classes != data.classes) {
    throw UsageError("warm_start: the earlier forest has other parameters or data",
                     "Only n_estimators may change; train a new forest for the rest.");
  }
  if (static_cast<std::size_t>(parameters.n_estimators) < earlier->trees.size()) {
    throw UsageError(fmt::format("warm_start: n_estimators={} is less than the {} trees there are",
                                 parameters.n_estimators, earlier->trees.size()),
                     "Ask for more trees, or turn warm_start off.");
  }
  return earlier->trees;
}

}  // namespace

Forest train_forest(const ForestParameters& parameters, const Dataset& data, const ForestOptions& options,
                    std::span<const float> sample_weight, const Forest* earlier, ForestReport* report) {
  const auto start = Clock::now();
  parameters.check();
  check_data(parameters, data, sample_weight);
  std::vector<Tree> kept = kept_trees(parameters, data, earlier);

  forest::Problem problem;
  const int threads = backend::open_device("cpu").threads();
  problem.data = forest::bin_features(data.inputs, data.rows, static_cast<std::int32_t>(data.features),
                                      parameters.max_bins, threads);
  problem.folds.resize(1);
  problem.folds[0].train.resize(static_cast<std::size_t>(data.rows));
  std::iota(problem.folds[0].train.begin(), problem.folds[0].train.end(), 0);
  forest::Scope scope;
  scope.features = static_cast<std::int32_t>(data.features);
  scope.rows = data.rows;
  scope.total_weight = sample_weight.empty() ? static_cast<double>(data.rows)
                                             : std::accumulate(sample_weight.begin(), sample_weight.end(), 0.0);
  const forest::Resolved resolved = forest::resolve(parameters, scope);
  const forest::TrainingRows training{problem.folds[0].train, parameters.bootstrap ? resolved.job.draws : 0};
  problem.weights.push_back(
      forest::make_weights(data, training, sample_weight, parameters.class_weight, options.class_names));
  problem.targets = forest::make_targets(data, parameters.criterion);
  const double prepared = seconds_since(start);

  backend::Device& device = options.device.impl();
  const auto grower = forest::make_grower(device, problem, options.memory_limit);
  Forest forest = forest::grow_forest(*grower, problem, data, {parameters, resolved}, std::move(kept), options.stop,
                                      options.observer);
  forest.feature_names = options.feature_names;
  forest.class_names = options.class_names;
  if (report != nullptr) {
    const forest::GrowerStats stats = grower->stats();
    report->device = device.info().id;
    report->notes = forest::bin_notes(problem.data.edges, options.feature_names, parameters.max_bins);
    forest::add_notes(forest::weight_notes(problem.weights[0], problem.folds[0].train), report->notes);
    report->trees = static_cast<std::int64_t>(forest.trees.size());
    report->nodes = 0;
    for (const Tree& tree : forest.trees) report->nodes += tree.nodes();
    report->batches = stats.batches;
    report->launches = stats.launches;
    report->peak_bytes = stats.peak_bytes;
    report->binned_bytes = problem.data.size_bytes();
    report->seconds.prepare = prepared;
    report->seconds.upload = stats.upload_seconds;
    report->seconds.compute = stats.startup_seconds + stats.compute_seconds;
    report->seconds.wall = seconds_since(start);
    report->seconds.finish = report->seconds.wall - prepared - report->seconds.upload - report->seconds.compute;
  }
  return forest;
}

}  // namespace overtake
