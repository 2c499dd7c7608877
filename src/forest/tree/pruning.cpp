// SPDX-License-Identifier: MIT
#include "forest/tree/pruning.hpp"

#include <algorithm>
#include <limits>
#include <queue>
#include <tuple>

#include "forest/grow/impurity.hpp"
#include "forest/grow/limits.hpp"

namespace overtake::forest {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

/// Works on one tree; the three limits are applied one after the other.
class Pruner {
 public:
  Pruner(const Problem& problem, const ForestJob& job, const View& view, const GrownTree& tree)
      : view_(view),
        tree_(tree),
        impurity_(impurities_of(problem, job.rule.criterion, tree)),
        leaves_(tree.nodes.size()) {}

  [[nodiscard]] std::vector<std::uint8_t> flags() {
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      const bool too_small = !cuts(view_, tree_.nodes[i]) && view_.min_impurity_decrease > 0 &&
                             decrease(static_cast<std::int32_t>(i)) + epsilon < view_.min_impurity_decrease;
      leaves_[i] = cuts(view_, tree_.nodes[i]) || too_small ? 1 : 0;
    }
    if (view_.max_leaf_nodes > 0) grow_best_first();
    if (view_.ccp_alpha > 0) prune_weakest_links();
    return std::move(leaves_);
  }

 private:
  [[nodiscard]] std::int32_t left(std::int32_t node) const { return tree_.nodes[node].left; }
  [[nodiscard]] std::int32_t right(std::int32_t node) const { return tree_.right[node]; }
  [[nodiscard]] double weight_of(std::int32_t node) const { return static_cast<double>(tree_.nodes[node].weight); }
  [[nodiscard]] bool is_leaf(std::int32_t node) const { return leaves_[node] != 0; }

  /// The weighted impurity decrease of the node's split, N_t / N * (impurity - N_tR / N_t * right - N_tL / N_t * left),
  /// in scikit-learn's order of operations.
  [[nodiscard]] double decrease(std::int32_t node) const {
    const std::int32_t l = left(node);
    const std::int32_t r = right(node);
    return weight_of(node) / weight_of(0) *
           (impurity_[node] - (weight_of(r) / weight_of(node) * impurity_[r]) -
            (weight_of(l) / weight_of(node) * impurity_[l]));
  }

  /// Splits the reachable leaf that gains most, until there are max_leaf_nodes leaves.
  void grow_best_first() {
    const std::vector<std::uint8_t> cannot_split = leaves_;
    std::fill(leaves_.begin(), leaves_.end(), std::uint8_t{1});
    // The largest decrease on top; of equal ones the lower number, hence its negative.
    std::priority_queue<std::pair<double, std::int32_t>> frontier;
    const auto offer = [&](std::int32_t node) {
      if (cannot_split[node] == 0) frontier.emplace(decrease(node), -node);
    };
    if (!leaves_.empty()) offer(0);
    for (std::int32_t splits = view_.max_leaf_nodes - 1; splits > 0 && !frontier.empty(); --splits) {
      const std::int32_t node = -frontier.top().second;
      frontier.pop();
      leaves_[node] = 0;
      offer(left(node));
      offer(right(node));
    }
  }

  /// What pruning below a node would cost, and what it would save.
  struct Branch {
    std::int32_t parent = -1;
    std::int64_t leaves = 0;  ///< of the branch
    double node_cost = 0;     ///< the share-weighted impurity of the node as a leaf
    double branch_cost = 0;   ///< that of the branch's leaves
    bool inside = false;      ///< in the tree, and no leaf
    std::int32_t version = 0;
  };

  [[nodiscard]] std::vector<Branch> branches() const {
    std::vector<Branch> all(leaves_.size());
    std::vector<std::int32_t> reached_leaves;
    std::vector<std::int32_t> open{0};
    while (!open.empty()) {
      const std::int32_t node = open.back();
      open.pop_back();
      Branch& branch = all[node];
      branch.node_cost = weight_of(node) * impurity_[node] / weight_of(0);
      branch.inside = !is_leaf(node);
      if (is_leaf(node)) {
        branch.branch_cost = branch.node_cost;
        reached_leaves.push_back(node);
        continue;
      }
      all[right(node)].parent = all[left(node)].parent = node;
      open.push_back(right(node));
      open.push_back(left(node));
    }
    for (const std::int32_t leaf : reached_leaves) {  // in depth-first order
      for (std::int32_t node = all[leaf].parent; node >= 0; node = all[node].parent) {
        all[node].branch_cost += all[leaf].node_cost;
        all[node].leaves += 1;
      }
    }
    return all;
  }

  /// Cuts off the branch with the smallest cost per leaf saved, again and again, while that is at most ccp_alpha. Of
  /// equal ones the lowest number goes first.
  void prune_weakest_links() {
    if (leaves_.empty()) return;
    std::vector<Branch> all = branches();
    using Link = std::tuple<double, std::int32_t, std::int32_t>;  // cost, node, version
    std::priority_queue<Link, std::vector<Link>, std::greater<>> links;
    const auto offer = [&](std::int32_t node) {
      const Branch& branch = all[node];
      const double alpha = (branch.node_cost - branch.branch_cost) / static_cast<double>(branch.leaves - 1);
      links.emplace(alpha, node, branch.version);
    };
    for (std::size_t node = 0; node < all.size(); ++node) {
      if (all[node].inside) offer(static_cast<std::int32_t>(node));
    }
    while (!links.empty()) {
      const auto [alpha, node, version] = links.top();
      links.pop();
      if (!all[node].inside || all[node].version != version) continue;
      if (alpha > view_.ccp_alpha) return;
      cut_off(node, all);
      const std::int64_t fewer = all[node].leaves - 1;
      const double more_cost = all[node].node_cost - all[node].branch_cost;
      for (std::int32_t above = all[node].parent; above >= 0; above = all[above].parent) {
        all[above].leaves -= fewer;
        all[above].branch_cost += more_cost;
        ++all[above].version;
        offer(above);
      }
    }
  }

  void cut_off(std::int32_t node, std::vector<Branch>& all) {
    leaves_[node] = 1;
    std::vector<std::int32_t> open{node};
    while (!open.empty()) {
      const std::int32_t below = open.back();
      open.pop_back();
      if (!all[below].inside) continue;
      all[below].inside = false;
      open.push_back(left(below));
      open.push_back(right(below));
    }
  }

  const View& view_;
  const GrownTree& tree_;
  std::vector<double> impurity_;
  std::vector<std::uint8_t> leaves_;
};

}  // namespace

std::vector<std::uint8_t> leaf_flags(const Problem& problem, const ForestJob& job, const View& view,
                                     const GrownTree& tree) {
  return Pruner(problem, job, view, tree).flags();
}

GrownTree prune(const GrownTree& tree, const std::vector<std::uint8_t>& leaves, std::int32_t classes) {
  const auto outputs = static_cast<std::ptrdiff_t>(classes);
  GrownTree result;
  struct Pending {
    std::int32_t node = 0, parent = -1;
    bool is_right = false;
  };
  std::vector<Pending> open;
  if (!tree.nodes.empty()) open.push_back({});
  while (!open.empty()) {
    const Pending pending = open.back();
    open.pop_back();
    const auto index = static_cast<std::int32_t>(result.nodes.size());
    if (pending.parent >= 0) {
      (pending.is_right ? result.right[pending.parent] : result.nodes[pending.parent].left) = index;
    }
    NodeRecord record = tree.nodes[pending.node];
    const bool leaf = leaves[pending.node] != 0 || record.feature < 0;
    if (leaf) {
      record.feature = record.left = -1;
      record.between = record.cut = 0;
    } else {
      open.push_back({tree.right[pending.node], index, true});
      open.push_back({record.left, index, false});
    }
    result.nodes.push_back(record);
    result.right.push_back(-1);
    if (classes > 0) {
      const auto begin = tree.class_weights.begin() + pending.node * outputs;
      result.class_weights.insert(result.class_weights.end(), begin, begin + outputs);
    } else {
      result.means.push_back(tree.means[pending.node]);
      if (!tree.impurities.empty()) result.impurities.push_back(tree.impurities[pending.node]);
    }
  }
  return result;
}

}  // namespace overtake::forest
