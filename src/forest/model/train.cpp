// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "backend/api/device.hpp"
#include "core/clock.hpp"
#include "core/parallel.hpp"
#include "core/sample_weights.hpp"
#include "forest/grow/need.hpp"
#include "forest/make_grower.hpp"
#include "forest/model/assemble.hpp"
#include "forest/model/data_identity.hpp"
#include "forest/model/host_memory.hpp"
#include "forest/model/notes.hpp"
#include "forest/model/resolve.hpp"
#include "forest/problem/binning.hpp"
#include "forest/problem/targets.hpp"
#include "forest/tree/out_of_bag.hpp"
#include "overtake/error.hpp"
#include "overtake/forest/training.hpp"
#include "overtake/forest/work.hpp"
#include "overtake/memory.hpp"

namespace overtake {
namespace {

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
  check_sample_weights(sample_weight, data.rows);
}

/// The names of the parameters in which two forests differ.
std::vector<std::string> differences(const ForestParameters& a, const ForestParameters& b) {
  std::vector<std::string> names;
  if (a.kind != b.kind) names.emplace_back("kind");
  const Parameters of_a = a.all(), of_b = b.all();
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    if (of_a[i].second != of_b[i].second) names.push_back(of_a[i].first);
  }
  return names;
}

/// Refuses data other than those the earlier forest was grown from, saying what differs. Where a file of an earlier
/// version does not say what they were, the check is left out and a note says so: the trees are worth keeping.
void check_same_data(const Forest& earlier, const Dataset& data, const ForestOptions& options,
                     std::span<const float> sample_weight, std::vector<std::string>& notes) {
  std::string difference;
  const auto renamed = [](const auto& before, const auto& now) {
    return !before.empty() && !now.empty() && before != now;
  };
  if (earlier.features != data.features) {
    difference = fmt::format("there are {} features, not {}", data.features, earlier.features);
  } else if (earlier.classes != data.classes) {
    difference = fmt::format("there are {} classes, not {}", data.classes, earlier.classes);
  } else if (renamed(earlier.feature_names, options.feature_names)) {
    difference = "the features have other names";
  } else if (renamed(earlier.class_names, options.class_names)) {
    difference = "the classes have other names";
  } else if (earlier.data_fingerprint.empty()) {
    notes.emplace_back(
        "the earlier forest is from a version that did not record its data, so nothing could check that "
        "these are the same; with other data the result is not one forest");
  } else {
    difference = forest::data_difference(earlier.data_fingerprint, forest::data_fingerprint(data, sample_weight));
  }
  if (difference.empty()) return;
  throw DataError(fmt::format("these are not the data that the earlier forest was grown from: {}", difference),
                  "More trees need the same rows in the same order, with the same targets and sample weights; or train "
                  "a new forest.");
}

/// The trees that a warm start keeps.
std::vector<Tree> kept_trees(const ForestParameters& parameters, const Forest* earlier) {
  if (earlier == nullptr) return {};
  ForestParameters same = earlier->parameters;
  same.n_estimators = parameters.n_estimators;
  same.warm_start = true;
  same.oob_score = parameters.oob_score;
  if (!(same == parameters)) {
    throw UsageError(
        fmt::format("warm_start: the earlier forest has another {}", fmt::join(differences(same, parameters), ", ")),
        "Only n_estimators and oob_score may change; train a new forest for the rest.");
  }
  if (static_cast<std::size_t>(parameters.n_estimators) < earlier->trees.size()) {
    throw UsageError(fmt::format("warm_start: n_estimators={} is less than the {} trees there are",
                                 parameters.n_estimators, earlier->trees.size()),
                     "Ask for more trees, or turn warm_start off.");
  }
  return earlier->trees;
}

template <typename T>
bool all_equal(const std::vector<T>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

forest::ForestNeed need_of(const ForestParameters& parameters, const Dataset& data, std::int32_t earlier, int growing) {
  forest::ForestNeed need;
  need.rows = data.rows;
  need.features = static_cast<std::int32_t>(data.features);
  need.classes = data.classes;
  need.max_bins = static_cast<int>(std::min<std::int64_t>(parameters.max_bins, data.rows));
  need.out_of_bag = parameters.oob_score;
  need.trees = parameters.n_estimators - earlier;
  need.earlier_trees = earlier;
  need.growing = growing;
  return need;
}

/// Of a tree, on average, as the first trees say it.
double nodes_of_first(const std::vector<Tree>& trees, std::int32_t first) {
  constexpr std::size_t most = 8;
  const auto begin = static_cast<std::size_t>(first);
  const std::size_t end = std::min(trees.size(), begin + most);
  double nodes = 0;
  for (std::size_t i = begin; i < end; ++i) nodes += trees[i].nodes();
  return end > begin ? nodes / static_cast<double>(end - begin) : 1;
}

/// Fills in what the forest is grown from: all rows.
forest::Resolved prepare_problem(const ForestParameters& parameters, const Dataset& data, const ForestOptions& options,
                                 std::span<const float> sample_weight, forest::Problem& problem) {
  const int threads = thread_count();
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
  return resolved;
}

/// What growing gave, and what it took.
void count_trees(const Forest& forest, const forest::GrowerStats& stats, ForestReport& report) {
  report.trees = static_cast<std::int64_t>(forest.trees.size());
  report.nodes = 0;
  for (const Tree& tree : forest.trees) report.nodes += tree.nodes();
  report.batches = stats.batches;
  report.launches = stats.launches;
  report.peak_bytes = stats.peak_bytes;
  report.seconds.upload = stats.upload_seconds;
  report.seconds.compute = stats.startup_seconds + stats.compute_seconds;
}

/// Says so where the data give a forest nothing to learn.
void note_the_data(const Dataset& data, const forest::BinEdges& edges, std::vector<std::string>& notes) {
  if (data.rows == 1) {
    notes.emplace_back("there is only one row, so there is nothing to learn");
    return;
  }
  if (data.task == Task::classification && all_equal(data.labels)) {
    notes.emplace_back("the rows hold only one class, so there is nothing to learn");
  }
  if (data.task == Task::regression && all_equal(data.targets)) {
    notes.emplace_back("the target is the same number in every row, so there is nothing to learn");
  }
  for (std::int32_t feature = 0; feature < edges.features; ++feature) {
    if (edges.bins(feature) + edges.has_missing[feature] > 1) return;
  }
  notes.emplace_back("no feature has two different values, so every tree is a single leaf");
}

/// All that comes before the trees. It stays where it is: the grower refers to the problem.
struct ForestStart {
  std::vector<Tree> kept;
  std::vector<std::string> notes;
  forest::ForestNeed need;
  forest::Problem problem;
  forest::Resolved resolved;
  double prepared = 0;  ///< seconds
  std::unique_ptr<forest::Grower> grower;

  [[nodiscard]] std::int32_t first_tree() const noexcept { return static_cast<std::int32_t>(kept.size()); }
};

/// What plans and runs do alike, and where both are refused.
void begin(ForestStart& start, const ForestParameters& parameters, const Dataset& data, const ForestOptions& options,
           std::span<const float> sample_weight, const Forest* earlier) {
  const auto began = Clock::now();
  parameters.check();
  check_data(parameters, data, sample_weight);
  if (!parameters.warm_start) earlier = nullptr;
  start.kept = kept_trees(parameters, earlier);
  if (earlier != nullptr) check_same_data(*earlier, data, options, sample_weight, start.notes);
  backend::Device& device = options.device.impl();
  forest::ForestNeed& need = start.need = need_of(parameters, data, start.first_tree(), device.is_host() ? 1 : 0);
  need.weighted = !sample_weight.empty();
  forest::KeptTrees(need.trees, std::max(1, data.classes), forest::TreeRoom::now(options.host_memory_limit));
  require_host_memory(host_memory_of(need), options.host_memory_limit, fmt::format("training on {} rows", data.rows),
                      forest::smaller_forests);

  start.resolved = prepare_problem(parameters, data, options, sample_weight, start.problem);
  start.resolved.job.first_tree = start.first_tree();
  forest::check_visits(forest::visits_of(start.resolved.job, data.rows));
  start.prepared = seconds_since(began);
  if (device.info().kind == DeviceKind::none) {
    throw DeviceError("the null device computes nothing: no trees come back from it", "Use cpu, cuda or opencl.");
  }
  start.grower =
      forest::make_grower(device, start.problem,
                          forest::grower_limit(device, start.problem, options.memory_limit, options.host_memory_limit));
  need.growing = static_cast<int>(start.grower->host_round({&start.resolved.job, 1}, 1.0).threads);
  need.max_bins = start.problem.data.edges.widest();
}

}  // namespace

void check_training(const ForestParameters& parameters, const Dataset& data, const ForestOptions& options,
                    std::span<const float> sample_weight, const Forest* earlier) {
  ForestStart start;
  begin(start, parameters, data, options, sample_weight, earlier);
  const ForestWork work = forest_work(data, {parameters});
  forest::check_first_trees(*start.grower, start.problem,
                            {parameters, start.resolved, sample_weight, options.host_memory_limit},
                            work.kept_nodes / std::max(1.0, work.trees), options.stop);
}

Forest train_forest(const ForestParameters& parameters, const Dataset& data, const ForestOptions& options,
                    std::span<const float> sample_weight, const Forest* earlier, ForestReport* report) {
  const auto began = Clock::now();
  const std::uint64_t peak_before = host_memory_peak();
  ForestStart start;
  begin(start, parameters, data, options, sample_weight, earlier);
  const forest::Problem& problem = start.problem;
  forest::ForestNeed& need = start.need;
  const std::uint64_t held = host_memory_held() - std::min(host_memory_held(), forest::problem_bytes(problem));
  const std::int32_t first_tree = start.first_tree();
  const forest::ForestJob& job = start.resolved.job;
  Forest forest = forest::grow_forest(*start.grower, problem, data,
                                      {parameters, start.resolved, sample_weight, options.host_memory_limit},
                                      std::move(start.kept), options.stop, options.observer);
  forest.feature_names = options.feature_names;
  forest.class_names = options.class_names;
  if (report != nullptr) {
    std::vector<std::string>& notes = start.notes;
    note_the_data(data, problem.data.edges, notes);
    if (const std::string note = forest::out_of_bag_note(forest); !note.empty()) notes.push_back(note);
    report->device = options.device.id();
    forest::add_notes(forest::bin_notes(problem.data.edges, options.feature_names, parameters.max_bins), notes);
    forest::add_notes(forest::weight_notes(problem.weights[0], problem.folds[0].train), notes);
    report->notes = std::move(notes);
    count_trees(forest, start.grower->stats(), *report);
    report->binned_bytes = problem.data.size_bytes();
    need.nodes = nodes_of_first(forest.trees, first_tree);
    const double filled = need.nodes / static_cast<double>(forest::most_nodes(problem, job));
    need.device_bytes = start.grower->host_round({&job, 1}, filled).device_bytes;
    report->planned_host_bytes = std::max(peak_before, held + host_memory_of(need).bytes(MemoryPlace::host));
    report->host_peak_bytes = host_memory_peak();
    report->seconds.prepare = start.prepared;
    report->seconds.wall = seconds_since(began);
    report->seconds.finish = report->seconds.wall - start.prepared - report->seconds.upload - report->seconds.compute;
  }
  return forest;
}

}  // namespace overtake
