// SPDX-License-Identifier: MIT
#include "forest/host/tree.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <type_traits>

#include "core/stop.hpp"
#include "forest/grow/formulas.hpp"
#include "forest/grow/impurity.hpp"
#include "forest/grow/sampling.hpp"
#include "forest/host/split.hpp"

namespace overtake::forest {
namespace {

/// Sums of the rows of a node.
struct NodeSums {
  NodeRecord record = formulas::forest_new_node(0, FOREST_ROOT_KEY);
  std::vector<std::uint32_t> class_weights;
  double low = std::numeric_limits<double>::infinity();  // targets
  double high = -std::numeric_limits<double>::infinity();
  double scale = 1;
  std::int64_t sum = 0, fine = 0;  // of weight * number and of weight * forest_fine
};

/// A node whose rows are known and which is not yet in the tree.
struct Pending {
  std::size_t begin = 0, end = 0;
  std::int32_t parent = -1;
  bool is_right = false;
  NodeSums sums;
};

template <typename Entry>
class TreeGrower final : public HostTreeGrower {
 public:
  explicit TreeGrower(const Problem& problem)
      : problem_(problem), finder_(problem), order_(static_cast<std::size_t>(problem.data.edges.features)) {
    std::iota(order_.begin(), order_.end(), 0);
  }

  [[nodiscard]] std::optional<GrownTree> grow(const ForestJob& job, std::int32_t tree, bool impurities,
                                              const StopToken* stop) override {
    job_ = &job;
    stop_ = stop;
    stopped_ = false;
    tree_number_ = tree;
    tree_ = {};
    finder_.set_rule(job.rule, scale());
    load_rows();
    Pending root;
    root.end = rows_.size();
    root.sums.class_weights.resize(classes());
    for (const Entry& entry : rows_) add(root.sums, entry);
    number(root);
    pending_.clear();
    pending_.push_back(std::move(root));
    while (!pending_.empty() && !must_stop()) {
      const Pending node = std::move(pending_.back());
      pending_.pop_back();
      place(node);
    }
    if (stopped_) return std::nullopt;
    if (impurities && !is_class) add_impurities();
    return std::move(tree_);
  }

 private:
  static constexpr bool is_class = std::is_same_v<Entry, ClassEntry>;

  /// Once true it stays so, whatever becomes of the token: the tree lacks something.
  [[nodiscard]] bool must_stop() { return stopped_ = stopped_ || is_stopped(stop_); }

  [[nodiscard]] std::size_t classes() const { return static_cast<std::size_t>(problem_.targets.classes); }
  [[nodiscard]] double scale() const { return problem_.weights[job_->weights].scale; }

  void load_rows() {
    const std::vector<std::int32_t>& train = problem_.folds[job_->fold].train;
    const std::vector<std::uint32_t> weights = tree_weights(problem_, *job_, tree_number_);
    rows_.clear();
    rows_.reserve(train.size());
    for (std::size_t i = 0; i < train.size(); ++i) {
      if (weights[i] == 0) continue;
      const auto row = static_cast<std::uint32_t>(train[i]);
      if constexpr (is_class) {
        rows_.push_back({row, weights[i], static_cast<std::uint32_t>(problem_.targets.labels[row])});
      } else {
        rows_.push_back({row, weights[i], 0});
      }
    }
  }

  void add(NodeSums& sums, const Entry& entry) const {
    sums.record.weight += entry.weight;
    sums.record.samples += 1;
    if constexpr (is_class) {
      sums.class_weights[entry.label] += entry.weight;
    } else {
      sums.low = std::min(sums.low, problem_.targets.values[entry.row]);
      sums.high = std::max(sums.high, problem_.targets.values[entry.row]);
    }
  }

  /// Makes the targets of a node whole numbers, and their sum.
  void number(Pending& node) {
    if constexpr (!is_class) {
      NodeSums& sums = node.sums;
      sums.scale = formulas::forest_scale(sums.low, sums.high, sums.record.weight);
      if (sums.low == sums.high) return;  // its rows are not looked at again
      for (std::size_t i = node.begin; i < node.end; ++i) {
        Entry& entry = rows_[i];
        const double target = problem_.targets.values[entry.row];
        const auto weight = static_cast<std::int64_t>(entry.weight);
        entry.number = formulas::forest_number(target, sums.low, sums.scale);
        sums.sum += weight * entry.number;
        sums.fine += weight * formulas::forest_fine(target, sums.low, sums.scale, entry.number);
      }
    }
  }

  [[nodiscard]] bool is_pure(const Pending& node) const {
    if constexpr (is_class) {
      return std::any_of(node.sums.class_weights.begin(), node.sums.class_weights.end(),
                         [&](std::uint32_t weight) { return weight == node.sums.record.weight; });
    } else {
      return !(node.sums.low < node.sums.high);
    }
  }

  void add_impurities() {
    LeafRows leaves;
    for (const Entry& entry : rows_) {  // they lie as the leaves do, and ascend in each
      leaves.rows.push_back(entry.row);
      leaves.weights.push_back(entry.weight);
    }
    tree_.impurities = number_impurities(problem_.targets, job_->rule.criterion, tree_, leaves);
  }

  [[nodiscard]] bool is_leaf(const Pending& node) const {
    const NodeRecord& record = node.sums.record;
    if (record.depth >= job_->max_depth || record.samples < job_->min_samples_split) return true;
    if (record.samples < 2 * std::int64_t{job_->rule.min_samples_leaf}) return true;
    if (static_cast<double>(record.weight) < 2 * (job_->rule.min_weight_leaf * scale())) return true;
    return is_pure(node);
  }

  /// Puts a node into the tree, and its children on the list.
  void place(const Pending& node) {
    const std::int32_t index = append(node);
    if (is_leaf(node)) return;
    const SplitChoice split = choose(node);
    if (!split.valid) return;
    divide(node, split, index);
  }

  [[nodiscard]] std::int32_t append(const Pending& node) {
    const auto index = static_cast<std::int32_t>(tree_.nodes.size());
    tree_.nodes.push_back(node.sums.record);
    tree_.right.push_back(-1);
    if constexpr (is_class) {
      tree_.class_weights.insert(tree_.class_weights.end(), node.sums.class_weights.begin(),
                                 node.sums.class_weights.end());
    } else {
      const NodeSums& sums = node.sums;
      tree_.means.push_back(formulas::forest_mean(sums.low, sums.scale, sums.sum, sums.fine, sums.record.weight));
    }
    if (node.parent >= 0) (node.is_right ? tree_.right[node.parent] : tree_.nodes[node.parent].left) = index;
    return index;
  }

  [[nodiscard]] SplitChoice choose(const Pending& node) {
    const NodeRecord& record = node.sums.record;
    finder_.set_node(
        {rows_.data() + node.begin, node.end - node.begin},
        {record.weight, record.samples, node.sums.sum, node.sums.low, node.sums.scale, node.sums.class_weights},
        {job_->seed, tree_number_, record.key});
    SplitChoice best;
    const auto features = static_cast<std::int32_t>(order_.size());
    const bool all = job_->rule.max_features >= features;
    swaps_.clear();
    bool varied = false;
    for (std::int32_t position = 0; position < features; ++position) {
      if ((position >= job_->rule.max_features && varied) || must_stop()) break;
      varied |= finder_.look(all ? position : draw_feature(position, record.key), best);
    }
    for (std::size_t i = swaps_.size(); i-- > 0;) std::swap(order_[i], order_[swaps_[i]]);
    return best;
  }

  /// Step `position` of the node's shuffle.
  [[nodiscard]] std::int32_t draw_feature(std::int32_t position, std::uint32_t key) {
    const auto at = static_cast<std::uint32_t>(position);
    if (at % 4 == 0) {
      const std::uint32_t stream = FOREST_STREAMS * static_cast<std::uint32_t>(tree_number_) + FOREST_FEATURES;
      draws_ = formulas::philox_block(static_cast<std::uint32_t>(job_->seed),
                                      static_cast<std::uint32_t>(job_->seed >> 32), stream, key, at / 4);
    }
    const auto left = static_cast<std::uint32_t>(order_.size()) - at;
    const std::uint32_t other = at + formulas::forest_below(draws_.word[at % 4], left);
    std::swap(order_[at], order_[other]);
    swaps_.push_back(other);
    return order_[at];
  }

  /// Sorts the node's rows into left and right, keeping their order, and queues the children.
  void divide(const Pending& node, const SplitChoice& split, std::int32_t index) {
    const auto missing = static_cast<std::uint32_t>(problem_.data.edges.bins(split.feature));
    Pending left;
    Pending right;
    left.sums.class_weights.resize(classes());
    right.sums.class_weights.resize(classes());
    std::uint32_t left_low = FOREST_NO_BIN, left_high = 0;
    std::uint32_t right_low = FOREST_NO_BIN, right_high = 0;
    bool saw_missing = false;
    aside_.clear();
    std::size_t kept = node.begin;
    for (std::size_t i = node.begin; i < node.end; ++i) {
      const Entry entry = rows_[i];
      const std::uint32_t bin = bin_at(problem_.data, entry.row, split.feature);
      const bool is_missing = bin == missing;
      saw_missing |= is_missing;
      if (is_missing ? split.nan_left != 0 : bin <= split.bin) {
        rows_[kept++] = entry;
        add(left.sums, entry);
        if (is_missing) continue;
        left_low = std::min(left_low, bin);
        left_high = std::max(left_high, bin);
      } else {
        aside_.push_back(entry);
        if constexpr (!is_class) add(right.sums, entry);
        if (is_missing) continue;
        right_low = std::min(right_low, bin);
        right_high = std::max(right_high, bin);
      }
    }
    std::copy(aside_.begin(), aside_.end(), rows_.begin() + static_cast<std::ptrdiff_t>(kept));
    if constexpr (is_class) subtract(node.sums, left.sums, right.sums);
    left.begin = node.begin;
    left.end = right.begin = kept;
    right.end = node.end;
    number(left);
    number(right);
    left.parent = right.parent = index;
    right.is_right = true;
    record_split(split, saw_missing, left.sums.record.samples > right.sums.record.samples, left_low, left_high,
                 right_low, right_high, tree_.nodes[index]);
    for (Pending* child : {&left, &right}) {
      child->sums.record.depth = node.sums.record.depth + 1;
      child->sums.record.key = formulas::forest_child_key(node.sums.record.key, child->is_right ? 1 : 0);
    }
    pending_.push_back(std::move(right));
    pending_.push_back(std::move(left));
  }

  static void subtract(const NodeSums& all, const NodeSums& left, NodeSums& right) {
    right.record.weight = all.record.weight - left.record.weight;
    right.record.samples = all.record.samples - left.record.samples;
    for (std::size_t c = 0; c < right.class_weights.size(); ++c) {
      right.class_weights[c] = all.class_weights[c] - left.class_weights[c];
    }
  }

  void record_split(const SplitChoice& split, bool saw_missing, bool left_has_more, std::uint32_t left_low,
                    std::uint32_t left_high, std::uint32_t right_low, std::uint32_t right_high,
                    NodeRecord& record) const {
    const BinEdges& edges = problem_.data.edges;
    record.feature = split.feature;
    const std::uint32_t low = job_->rule.random_thresholds ? left_low : left_high;
    std::uint32_t high = job_->rule.random_thresholds ? right_high : right_low;
    if (right_low == FOREST_NO_BIN) high = FOREST_NO_BIN;
    record.between = low | high << 16;
    std::uint32_t cut = split.bin;
    if (high == FOREST_NO_BIN) {
      cut = static_cast<std::uint32_t>(edges.bins(split.feature)) - 1;
    } else if (!job_->rule.random_thresholds) {
      const std::int32_t first = edges.first[split.feature];
      const double threshold = formulas::forest_middle(edges.upper[first + low], edges.lower[first + high]);
      while (cut + 1 < high && static_cast<double>(edges.upper[first + cut + 1]) <= threshold) ++cut;
    }
    const std::uint32_t nan_left = saw_missing ? split.nan_left : (left_has_more ? 1U : 0U);
    record.cut = cut | nan_left << 16;
  }

  const Problem& problem_;
  SplitFinder<Entry> finder_;
  const ForestJob* job_ = nullptr;
  std::int32_t tree_number_ = 0;
  const StopToken* stop_ = nullptr;
  bool stopped_ = false;
  GrownTree tree_;
  std::vector<Entry> rows_, aside_;
  std::vector<Pending> pending_;
  std::vector<std::int32_t> order_;  // of features; the identity between two nodes
  std::vector<std::uint32_t> swaps_;
  formulas::PhiloxBlock draws_{};
};

}  // namespace

std::uint64_t host_tree_grower_bytes(const Problem& problem, std::uint64_t rows) {
  const bool is_class = problem.targets.classes > 0;
  const std::uint64_t entry = is_class ? sizeof(ClassEntry) : sizeof(NumberEntry);
  const std::uint64_t of_bin =
      is_class ? sizeof(std::uint32_t) * static_cast<std::uint64_t>(problem.targets.classes) : sizeof(std::int64_t);
  const auto bins = static_cast<std::uint64_t>(problem.data.edges.widest());
  // Its rows twice (one list is split into the other) and their weights; the histogram of a feature.
  return rows * (2 * entry + sizeof(std::uint32_t)) + bins * (2 * sizeof(std::uint32_t) + of_bin);
}

std::unique_ptr<HostTreeGrower> make_host_tree_grower(const Problem& problem) {
  if (problem.targets.classes > 0) return std::make_unique<TreeGrower<ClassEntry>>(problem);
  return std::make_unique<TreeGrower<NumberEntry>>(problem);
}

}  // namespace overtake::forest
