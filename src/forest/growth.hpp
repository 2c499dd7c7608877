// SPDX-License-Identifier: MIT
// The contract between what is asked of forests (training, search) and the growers that do it on a processor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/api/device.hpp"
#include "forest/binning.hpp"
#include "overtake/forest.hpp"

namespace overtake::forest {

/// What a split is chosen by: everything that shapes a tree but the limits that only cut it short.
struct SplitRule {
  Criterion criterion = Criterion::gini;
  bool random_thresholds = false;  ///< extra trees
  std::int32_t max_features = 1;
  std::int32_t min_samples_leaf = 1;
  double min_weight_leaf = 0;  ///< in units of the sample weights (before scaling)

  friend bool operator==(const SplitRule&, const SplitRule&) = default;
};

/// One forest to grow: trees 0 .. trees - 1 on the training rows of one fold. Tree t depends on (seed, t), the rows,
/// the rule and the weights only, so a job with looser limits and more trees holds every job with tighter ones.
struct ForestJob {
  SplitRule rule;
  std::int32_t fold = 0;        ///< index into Problem::folds
  std::int32_t weights = 0;     ///< index into Problem::weights
  std::int32_t first_tree = 0;  ///< warm start grows from here
  std::int32_t trees = 0;       ///< last tree + 1
  std::int32_t max_depth = 0;   ///< the root has depth 0; INT32_MAX: none
  std::int32_t min_samples_split = 2;
  bool bootstrap = true;
  std::int64_t draws = 0;  ///< with bootstrap: rows drawn with replacement
  std::uint64_t seed = 0;
};

/// Rows to train on and to score.
struct RowSets {
  std::vector<std::int32_t> train, test;
};

/// Weights of rows: weight(tree, row) = draws of the row x row[row] x the class factor. Fixed point: rounded to a whole
/// number after multiplying with `scale`, a power of two (1 where all weights are whole numbers), but to 1 where less
/// is not 0. The sum over any tree's rows stays below 2^31 (with unequal weights and bootstrap: but for a chance of
/// 2^-100).
struct Weights {
  std::vector<double> row;         ///< empty: 1 each
  bool balance_each_tree = false;  ///< class_weight = balanced_subsample: factors from each tree's drawn rows
  double scale = 1;
};

/// Targets: `labels`, or `values`. Growers make whole numbers of the values of each node (forest_split.k).
struct Targets {
  std::int32_t classes = 0;  ///< 0: regression
  std::vector<std::int32_t> labels;
  std::vector<double> values;
};

/// Everything that growers share: goes to the device once.
struct Problem {
  BinnedData data;
  Targets targets;
  std::vector<RowSets> folds;
  std::vector<Weights> weights;
};

/// A node as growers make it. 32 bytes; the kernels know this layout (kernels/forest.k).
struct NodeRecord {
  std::int32_t feature = -1;  ///< -1: a leaf
  std::int32_t left = -1;     ///< child; the right one is left + 1
  std::uint32_t between = 0;  ///< bins next to the cut that occur in the node: left | right << 16; right 0xffff: only
                              ///< missing values go right
  std::uint32_t cut = 0;      ///< last bin that goes left | (missing goes left) << 16
  std::int32_t samples = 0;   ///< distinct rows
  std::uint32_t weight = 0;   ///< fixed point
  std::int32_t depth = 0;
  std::uint32_t key = 1;  ///< names the node's random numbers; extra trees: its threshold is derived from it
};
static_assert(sizeof(NodeRecord) == 32);

/// A grown tree on the host, in canonical order: depth first, left child first; `left` is the left child's index and
/// `right` the right one's.
struct GrownTree {
  std::vector<NodeRecord> nodes;
  std::vector<std::int32_t> right;
  std::vector<std::uint32_t> class_weights;  ///< nodes x classes, fixed point (classification)
  std::vector<double> means;                 ///< nodes: the weighted mean of the targets (regression)
  std::vector<double> impurities;            ///< nodes, for regression and where asked for (forest/impurity.hpp)
};

/// A candidate's view of a job's forest: its first `trees` trees, where nodes that the candidate's own limits would
/// have made leaves count as leaves.
struct View {
  std::int32_t job = 0;
  std::int32_t trees = 0;
  std::int32_t max_depth = 0;
  std::int32_t min_samples_split = 2;
  /// Limits that need whole trees (forest/pruning.hpp).
  double min_impurity_decrease = 0;
  std::int32_t max_leaf_nodes = 0;  ///< 0: no limit
  double ccp_alpha = 0;

  [[nodiscard]] bool needs_pruning() const noexcept {
    return min_impurity_decrease > 0 || max_leaf_nodes > 0 || ccp_alpha > 0;
  }
};

/// What a view scores on the test rows of its job's fold.
struct ViewOutcome {
  std::vector<std::int64_t> confusion;           ///< classes x classes, [true][predicted]
  std::vector<double> predictions;               ///< test rows x classes, or x 1 for regression; only if asked for
  double squared_error = 0, absolute_error = 0;  ///< regression: sums over the test rows in a canonical order
};

struct GrowerStats {
  std::int64_t launches = 0;
  std::int64_t waits = 0;
  std::int64_t batches = 0;
  std::uint64_t peak_bytes = 0;  ///< planned
  std::uint64_t data_bytes = 0;
  double startup_seconds = 0, upload_seconds = 0, compute_seconds = 0, scoring_seconds = 0;
};

/// Grows forests on one processor. Exact: results do not depend on the processor, threads or batches.
class Grower {
 public:
  virtual ~Grower() = default;
  /// Grows the trees of `jobs` and gives them to `take(job, tree, grown)`, each job's trees in order. Used for models.
  /// Stops early, between batches, when `stop` says so.
  virtual void grow(std::span<const ForestJob> jobs,
                    const std::function<void(std::int32_t, std::int32_t, GrownTree)>& take, const StopToken* stop) = 0;
  /// Grows the trees of `jobs`, scores `views` (View::job indexes `jobs`) and forgets the trees.
  [[nodiscard]] virtual std::vector<ViewOutcome> score(std::span<const ForestJob> jobs, std::span<const View> views,
                                                       bool predictions) = 0;
  [[nodiscard]] virtual GrowerStats stats() const = 0;
};

/// The grower of a device: threads on the cpu, kernels elsewhere. `problem` must outlive it. `memory_limit`: bytes it
/// may plan with; 0: most of what the device has. Throws DeviceError when the problem itself does not fit, naming need
/// and limit, or when the device cannot run the kernels (no run-time compiler).
[[nodiscard]] std::unique_ptr<Grower> make_grower(backend::Device& device, const Problem& problem,
                                                  std::uint64_t memory_limit);

}  // namespace overtake::forest
