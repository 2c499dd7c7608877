// SPDX-License-Identifier: MIT
#include "forest/host/tree.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <type_traits>

#include "core/stop.hpp"
#include "forest/grow/formulas.hpp"
#include "forest/grow/impurity.hpp"
#include "forest/grow/need.hpp"
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
    rules_ = job_row(problem_, job);
    stop_ = stop;
    stopped_ = false;
    tree_number_ = tree;
    tree_ = {};
    finder_.set_tree(rules_, tree);
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
    return formulas::forest_is_limited(rules_, record.depth, record.samples, record.weight) != 0 || is_pure(node);
  }

  /// Puts a node into the tree, and its children on the list.
  void place(const Pending& node) {
    const std::int32_t index = append(node);
    if (is_leaf(node)) return;
    const SplitChoice split = choose(node);
    if (split.place == FOREST_NO_PLACE) return;
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
        record.key);
    SplitChoice best;
    const auto features = static_cast<std::int32_t>(order_.size());
    const bool all = rules_.max_features >= features;
    swaps_.clear();
    bool varied = false;
    for (std::int32_t position = 0; position < features; ++position) {
      if ((position >= rules_.max_features && varied) || must_stop()) break;
      varied |= finder_.look(all ? position : draw_feature(position, record.key), best);
    }
    for (std::size_t i = swaps_.size(); i-- > 0;) std::swap(order_[i], order_[swaps_[i]]);
    return best;
  }

  /// Step `position` of the node's shuffle.
  [[nodiscard]] std::int32_t draw_feature(std::int32_t position, std::uint32_t key) {
    if (position % 4 == 0) {
      draws_ = formulas::forest_block(rules_.seed_low, rules_.seed_high, tree_number_, FOREST_FEATURES, key,
                                      static_cast<std::uint32_t>(position) / 4);
    }
    const std::int32_t other =
        formulas::forest_shuffle_step(draws_.word[position % 4], position, static_cast<std::int32_t>(order_.size()));
    std::swap(order_[position], order_[other]);
    swaps_.push_back(other);
    return order_[position];
  }

  /// Sorts the node's rows into left and right, keeping their order, and queues the children.
  void divide(const Pending& node, const SplitChoice& split, std::int32_t index) {
    const BinEdges& edges = problem_.data.edges;
    const std::int32_t feature = formulas::place_feature(split.place);
    const bool nan_left = formulas::place_direction(split.place) != 0;
    const std::uint32_t last = formulas::place_bin(split.place);
    const auto missing = static_cast<std::uint32_t>(edges.bins(feature));
    Pending left;
    Pending right;
    left.sums.class_weights.resize(classes());
    right.sums.class_weights.resize(classes());
    formulas::ForestRanks bins = formulas::forest_no_ranks();
    bool saw_missing = false;
    aside_.clear();
    std::size_t kept = node.begin;
    for (std::size_t i = node.begin; i < node.end; ++i) {
      const Entry entry = rows_[i];
      const std::uint32_t bin = bin_at(problem_.data, entry.row, feature);
      const bool is_missing = bin == missing;
      saw_missing |= is_missing;
      const bool is_left = is_missing ? nan_left : bin <= last;
      if (!is_missing) formulas::forest_add_rank(&bins, is_left ? 1 : 0, static_cast<std::int32_t>(bin));
      if (is_left) {
        rows_[kept++] = entry;
        add(left.sums, entry);
      } else {
        aside_.push_back(entry);
        if constexpr (!is_class) add(right.sums, entry);
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
    formulas::forest_record_split(&tree_.nodes[index], split.place, rules_, edges.first.data(), edges.lower.data(),
                                  edges.upper.data(), bins);
    formulas::forest_record_missing(&tree_.nodes[index], split.place, saw_missing ? 1 : 0,
                                    left.sums.record.samples > right.sums.record.samples ? 1 : 0);
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

  const Problem& problem_;
  SplitFinder<Entry> finder_;
  const ForestJob* job_ = nullptr;
  JobRow rules_{};
  std::int32_t tree_number_ = 0;
  const StopToken* stop_ = nullptr;
  bool stopped_ = false;
  GrownTree tree_;
  std::vector<Entry> rows_, aside_;
  std::vector<Pending> pending_;
  std::vector<std::int32_t> order_;  // of features; the identity between two nodes
  std::vector<std::int32_t> swaps_;
  philox::PhiloxBlock draws_{};
};

}  // namespace

static_assert(sizeof(ClassEntry) == bytes_of_class_row && sizeof(NumberEntry) == bytes_of_number_row);

std::unique_ptr<HostTreeGrower> make_host_tree_grower(const Problem& problem) {
  if (problem.targets.classes > 0) return std::make_unique<TreeGrower<ClassEntry>>(problem);
  return std::make_unique<TreeGrower<NumberEntry>>(problem);
}

}  // namespace overtake::forest
