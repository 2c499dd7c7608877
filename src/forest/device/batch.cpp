// SPDX-License-Identifier: MIT
#include "forest/device/batch.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "backend/api/device.hpp"
#include "core/checked.hpp"
#include "core/stop.hpp"
#include "forest/grow/sampling.hpp"
#include "overtake/error.hpp"
#include "overtake/forest/parameters.hpp"

namespace overtake::forest {
namespace {

using backend::LaunchGeometry;

/// A launch of `groups` groups along the first axis.
LaunchGeometry line(std::int64_t groups, std::int32_t size) {
  return {{static_cast<std::uint32_t>(std::max<std::int64_t>(1, groups)), 1, 1},
          {static_cast<std::uint32_t>(size), 1, 1}};
}

constexpr std::int32_t item_group = 64;  // work-items of kernels that have no group of their own

}  // namespace

KernelBatch::KernelBatch(backend::Device& device, KernelProgram& program, const Problem& problem,
                         const KernelData& data, std::span<const ForestJob> jobs, const GrowBatch& batch,
                         const BatchRules& rules)
    : device_(device), program_(program), problem_(problem), data_(data), rules_(rules) {
  make_tables(jobs, batch);
  allocate();
  upload_preset_weights(jobs);
}

void KernelBatch::make_tables(std::span<const ForestJob> jobs, const GrowBatch& batch) {
  for (const TreeRange& range : batch.ranges) {
    const ForestJob& job = jobs[range.job];
    const TreeCapacity capacity = capacity_for(problem_, job);
    job_rows_.push_back(device_job_row(problem_, data_, job));
    for (std::int32_t tree = range.first; tree < range.last; ++tree) {
      TreeRow row{};
      row.job = static_cast<std::int32_t>(job_rows_.size()) - 1;
      row.number = tree;
      row.rows_first = narrow<std::int32_t>(capacity_.rows, "the number of rows of a batch of trees");
      row.row_capacity = narrow<std::int32_t>(capacity.rows, "the number of rows of a tree");
      row.node_first = narrow<std::int32_t>(capacity_.nodes, "the number of nodes of a batch of trees");
      row.node_capacity = narrow<std::int32_t>(capacity.nodes, "the number of nodes of a tree");
      capacity_.add(capacity, 1, rules_);
      tree_rows_.push_back(row);
      job_of_slot_.push_back(range.job);
    }
  }
  capacity_.jobs = static_cast<std::int64_t>(job_rows_.size());
}

void KernelBatch::allocate() {
  const auto layout = batch_layout(rules_, capacity_);
  for (std::size_t i = 0; i < layout.size(); ++i) tables_[i] = device_.allocate(layout[i]);
  const ControlRow control{};
  device_.upload(*table(Table::trees), 0, tree_rows_.data(), tree_rows_.size() * sizeof(TreeRow));
  device_.upload(*table(Table::jobs), 0, job_rows_.data(), job_rows_.size() * sizeof(JobRow));
  device_.upload(*table(Table::control), 0, &control, sizeof(control));
}

std::uint64_t KernelBatch::bytes() const noexcept {
  const auto layout = batch_layout(rules_, capacity_);
  return std::accumulate(layout.begin(), layout.end(), std::uint64_t{0});
}

void KernelBatch::upload_preset_weights(std::span<const ForestJob> jobs) {
  for (std::size_t slot = 0; slot < tree_rows_.size(); ++slot) {
    const TreeRow& row = tree_rows_[slot];
    if (job_rows_[row.job].preset == 0) continue;
    const std::vector<std::uint32_t> weights = tree_weights(problem_, jobs[job_of_slot_[slot]], row.number);
    const std::uint64_t word =
        4 * static_cast<std::uint64_t>(row.rows_first) + 2 * static_cast<std::uint64_t>(row.row_capacity);
    device_.upload(*table(Table::lists), word * 4, weights.data(), weights.size() * 4);
  }
}

void KernelBatch::draw_rows() {
  std::int32_t most_rows = 1;
  std::int32_t most_draws = 1;
  for (const JobRow& job : job_rows_) {
    most_rows = std::max(most_rows, job.train_rows);
    most_draws = std::max(most_draws, job.draws);
  }
  const auto slots = static_cast<std::uint32_t>(tree_rows_.size());
  // Enough pieces for the machine when trees are few, one a tree when they are many.
  const auto grid = [&](std::int64_t items, std::int64_t items_per_group) {
    const std::int64_t pieces = (items + items_per_group - 1) / items_per_group;
    return LaunchGeometry{{slots, static_cast<std::uint32_t>(std::clamp<std::int64_t>(pieces, 1, 4096)), 1},
                          {formulas::GROUP, 1, 1}};
  };
  program_.launch("forest_clear", grid(most_rows, 1024),
                  {arg(program_.shape_table()), of(Table::lists), of(Table::trees), of(Table::jobs), of(Table::tallies),
                   of(Table::stats), of(Table::nodes)});
  program_.launch("forest_draw", grid(most_draws / 4 + 1, 256), {of(Table::lists), of(Table::trees), of(Table::jobs)});
  program_.launch("forest_list", grid(most_rows, 1024),
                  {arg(program_.shape_table()), of(Table::lists), of(Table::trees), of(Table::jobs), of(Table::tallies),
                   of(Table::stats), of(Table::nodes), arg(data_.train), arg(data_.units), arg(problem_.data.rows),
                   arg(data_.labels), arg(data_.ranks)});
  if (problem_.targets.classes == 0) {
    program_.launch("forest_root_sums", grid(most_rows, 1024),
                    {arg(program_.shape_table()), of(Table::lists), of(Table::trees), of(Table::tallies),
                     of(Table::stats), of(Table::nodes), arg(data_.values), arg(data_.distinct)});
  }
  program_.launch("forest_roots", line((slots + item_group - 1) / item_group, item_group),
                  {arg(program_.shape_table()), of(Table::trees), arg(slots), of(Table::tallies), of(Table::stats),
                   of(Table::nodes), of(Table::control), of(Table::queue), of(Table::next), arg(rules_.large_rows)});
}

bool KernelBatch::grow_large(const StopToken* stop) {
  const KernelSizes& sizes = program_.sizes();
  const std::int64_t units = std::max(1, device_.info().compute_units);
  const LaunchGeometry per_node = line(std::min(capacity_.large, rules_.node_groups), formulas::GROUP);
  const std::int64_t most_chunks = capacity_.rows / formulas::CHUNK + capacity_.large;
  const LaunchGeometry per_chunk = line(std::min<std::int64_t>(most_chunks, units * 8), formulas::LARGE_GROUP);
  std::int64_t queued_bound = static_cast<std::int64_t>(tree_rows_.size());
  for (;;) {
    program_.launch("forest_large_turn", line(1, 1), {of(Table::control)});
    const ControlRow control = download_vector<ControlRow>(device_, *table(Table::control), 1)[0];
    ++waits_;
    if (control.active == 0) return true;
    if (is_stopped(stop)) return false;
    // A level adds two subtrees a node at most; what waits is grown when that might not fit.
    queued_bound = control.queued + 2 * std::int64_t{control.active};
    if (queued_bound > capacity_.queue() && !grow_subtrees(stop)) return false;
    std::swap(table(Table::active), table(Table::next));
    program_.launch("forest_large_begin", per_node,
                    {arg(program_.shape_table()), of(Table::trees), of(Table::jobs), of(Table::stats), of(Table::nodes),
                     of(Table::control), of(Table::active), of(Table::large), of(Table::features), of(Table::swaps),
                     of(Table::hist), of(Table::chunks)});
    program_.launch("forest_large_count", per_chunk,
                    {arg(program_.shape_table()), of(Table::lists), of(Table::trees), of(Table::stats),
                     of(Table::nodes), of(Table::control), of(Table::large), of(Table::features), of(Table::hist),
                     of(Table::chunks), arg(data_.bins), arg(data_.labels), arg(data_.values), arg(data_.distinct)},
                    {sizes.hist_bytes});
    program_.launch("forest_large_choose", per_node,
                    {arg(program_.shape_table()), of(Table::trees), of(Table::jobs), of(Table::tallies),
                     of(Table::stats), of(Table::nodes), of(Table::control), of(Table::large), of(Table::features),
                     of(Table::hist), arg(data_.first), arg(data_.upper), arg(data_.distinct), of(Table::scratch)},
                    {sizes.hist_bytes});
    program_.launch(
        "forest_large_divide", per_chunk,
        {arg(program_.shape_table()), of(Table::lists), of(Table::trees), of(Table::nodes), of(Table::control),
         of(Table::large), of(Table::chunks), arg(data_.bins), arg(data_.first), arg(data_.ranks)});
    if (problem_.targets.classes == 0) {
      program_.launch(
          "forest_large_sum", per_chunk,
          {arg(program_.shape_table()), of(Table::lists), of(Table::trees), of(Table::stats), of(Table::nodes),
           of(Table::control), of(Table::large), of(Table::chunks), arg(data_.values), arg(data_.distinct)});
    }
    program_.launch("forest_large_end", line((capacity_.large + item_group - 1) / item_group, item_group),
                    {arg(program_.shape_table()), of(Table::trees), of(Table::jobs), of(Table::stats), of(Table::nodes),
                     of(Table::control), of(Table::next), of(Table::queue), of(Table::large), arg(data_.first),
                     arg(data_.lower), arg(data_.upper), arg(rules_.large_rows)});
  }
}

bool KernelBatch::grow_subtrees(const StopToken* stop) {
  const KernelSizes& sizes = program_.sizes();
  // Trees that were never large are many and alike; what is left of a large one may be many nodes for one group.
  constexpr std::int32_t nodes_a_launch = 16;
  const std::int32_t node_budget = capacity_.large > 0 ? nodes_a_launch : 0;
  for (;;) {
    const std::int64_t groups = std::min(capacity_.queue(), rules_.subtree_groups);
    program_.launch("forest_subtrees", line(groups, formulas::GROUP),
                    {arg(program_.shape_table()),
                     of(Table::lists),
                     of(Table::trees),
                     of(Table::jobs),
                     of(Table::tallies),
                     of(Table::stats),
                     of(Table::nodes),
                     of(Table::control),
                     of(Table::queue),
                     of(Table::given),
                     arg(capacity_.queue()),
                     arg(node_budget),
                     arg(data_.bins),
                     arg(data_.first),
                     arg(data_.lower),
                     arg(data_.upper),
                     arg(data_.labels),
                     arg(data_.values),
                     arg(data_.ranks),
                     arg(data_.distinct),
                     of(Table::scratch)},
                    {sizes.hist_bytes, sizes.order_bytes});
    if (node_budget == 0) return true;
    program_.launch("forest_subtrees_turn", line(1, 1), {of(Table::control), arg(capacity_.queue())});
    std::swap(table(Table::queue), table(Table::given));
    const ControlRow control = download_vector<ControlRow>(device_, *table(Table::control), 1)[0];
    ++waits_;
    if (control.queued == 0) return true;
    if (is_stopped(stop)) return false;
  }
}

bool KernelBatch::grow(const StopToken* stop) {
  draw_rows();
  if (capacity_.large > 0 && !grow_large(stop)) return false;
  if (!grow_subtrees(stop)) return false;
  if (problem_.targets.classes > 0) return true;
  std::int32_t most_nodes = 1;
  for (const TreeRow& tree : tree_rows_) most_nodes = std::max(most_nodes, tree.node_capacity);
  const auto pieces = static_cast<std::uint32_t>(std::clamp<std::int64_t>(most_nodes / 256, 1, 4096));
  program_.launch("forest_means", {{static_cast<std::uint32_t>(tree_rows_.size()), pieces, 1}, {formulas::GROUP, 1, 1}},
                  {arg(program_.shape_table()), of(Table::trees), of(Table::tallies), of(Table::stats),
                   of(Table::nodes), arg(data_.distinct)});
  return true;
}

void require_no_overflow(backend::Device& device, const backend::Buffer& control) {
  if (download_vector<ControlRow>(device, control, 1)[0].overflow != 0)
    throw InternalError("a tree drew more distinct rows than were planned for");
}

KernelBatch::RawTree KernelBatch::fetch(std::size_t slot, bool rows) {
  if (tallies_.empty()) {
    tallies_ = download_vector<TallyRow>(device_, *table(Table::tallies), tree_rows_.size());
    require_no_overflow(device_, *table(Table::control));
  }
  const TreeRow& row = tree_rows_[slot];
  const auto count = static_cast<std::size_t>(tallies_[slot].nodes);
  const auto node_first = static_cast<std::size_t>(row.node_first);
  const auto words = static_cast<std::size_t>(program_.shape().stats());
  RawTree raw{download_vector<NodeRecord>(device_, *table(Table::nodes), count, node_first),
              download_vector<std::uint32_t>(device_, *table(Table::stats), count * words, node_first * words),
              rows && problem_.targets.classes == 0,
              {}};
  if (!raw.has_rows) return raw;
  const auto capacity = static_cast<std::size_t>(row.row_capacity);
  const auto taken = static_cast<std::size_t>(tallies_[slot].rows);
  for (std::size_t list = 0; list < raw.lists.size(); ++list) {
    const std::size_t first = 4 * static_cast<std::size_t>(row.rows_first) + 2 * list * capacity;
    raw.lists[list].rows = download_vector<std::uint32_t>(device_, *table(Table::lists), taken, first);
    raw.lists[list].weights = download_vector<std::uint32_t>(device_, *table(Table::lists), taken, first + capacity);
  }
  return raw;
}

KernelBatch::OrderedTree KernelBatch::order(const RawTree& raw, Criterion criterion) const {
  const std::vector<NodeRecord>& records = raw.records;
  const auto words = static_cast<std::size_t>(program_.shape().stats());
  OrderedTree result;
  result.number_of.assign(records.size(), -1);
  GrownTree& tree = result.tree;
  tree.nodes.reserve(records.size());
  tree.right.reserve(records.size());
  struct Waiting {
    std::int32_t node, parent;
    bool is_right;
  };
  std::vector<Waiting> stack;
  if (!records.empty()) stack.push_back({0, -1, false});
  while (!stack.empty()) {
    const Waiting now = stack.back();
    stack.pop_back();
    const auto number = static_cast<std::int32_t>(tree.nodes.size());
    const NodeRecord& record = records[now.node];
    result.number_of[now.node] = number;
    tree.nodes.push_back(record);
    tree.nodes.back().left = -1;
    tree.right.push_back(-1);
    const std::uint32_t* of_node = &raw.sums[static_cast<std::size_t>(now.node) * words];
    if (problem_.targets.classes > 0) {
      tree.class_weights.insert(tree.class_weights.end(), of_node, of_node + words);
    } else {
      tree.means.push_back(std::bit_cast<double>(std::uint64_t{of_node[0]} | std::uint64_t{of_node[1]} << 32));
    }
    if (now.parent >= 0) (now.is_right ? tree.right[now.parent] : tree.nodes[now.parent].left) = number;
    if (record.feature < 0) continue;
    stack.push_back({record.left + 1, number, true});
    stack.push_back({record.left, number, false});
  }
  if (raw.has_rows) {
    tree.impurities = number_impurities(problem_.targets, criterion, tree, leaf_rows(tree, raw.lists));
  }
  return result;
}

}  // namespace overtake::forest
