// SPDX-License-Identifier: MIT
#include "forest/grow/need.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "data/source/memory_meter.hpp"
#include "forest/grow/grown_tree.hpp"
#include "overtake/error.hpp"
#include "overtake/forest/forest.hpp"
#include "overtake/memory.hpp"

namespace overtake::forest {

using data::size_text;

double visits_of(const ForestJob& job, std::int64_t rows) {
  const double levels = std::min(static_cast<double>(job.max_depth), std::log2(static_cast<double>(rows) + 2));
  return static_cast<double>(job.trees - job.first_tree) * static_cast<double>(rows) * job.rule.max_features * levels;
}

void check_visits(double visits) {
  constexpr double most = 1e18;
  if (visits <= most) return;
  throw UsageError(fmt::format("about {:.2g} row visits (trees x rows x features a node x levels) would take years on "
                               "any processor; at most {:.0g} are accepted",
                               visits, most),
                   "Lower n_estimators, max_features or max_depth, or train on fewer rows (max_samples).");
}

std::uint64_t problem_bytes(const Problem& problem) {
  std::uint64_t bytes = problem.data.size_bytes();
  bytes += problem.targets.labels.size() * sizeof(std::int32_t) + problem.targets.values.size() * sizeof(double);
  for (const Fold& fold : problem.folds) bytes += (fold.train.size() + fold.test.size()) * sizeof(std::int32_t);
  for (const Weights& weights : problem.weights) bytes += weights.row.size() * sizeof(double);
  return bytes;
}

std::uint64_t host_grower_bytes(std::uint64_t rows, std::int32_t classes, std::int32_t bins) {
  const std::uint64_t of_row = classes > 0 ? bytes_of_class_row : bytes_of_number_row;
  const std::uint64_t of_bin =
      classes > 0 ? sizeof(std::uint32_t) * static_cast<std::uint64_t>(classes) : sizeof(std::int64_t);
  // Its rows twice (one list is split into the other) and their weights; the histogram of a feature.
  return rows * (2 * of_row + sizeof(std::uint32_t)) +
         static_cast<std::uint64_t>(bins) * (2 * sizeof(std::uint32_t) + of_bin);
}

std::uint64_t most_nodes(const Problem& problem, const ForestJob& job) {
  const std::uint64_t rows = problem.folds[job.fold].train.size();
  const std::uint64_t nodes = 2 * rows / static_cast<std::uint64_t>(std::max(1, job.rule.min_samples_leaf)) + 1;
  return job.max_depth < 30 ? std::min(nodes, (std::uint64_t{2} << job.max_depth) - 1) : nodes;
}

std::uint64_t GrowerShare::bytes(std::uint64_t host_limit) const {
  const std::uint64_t left = host_memory_left(host_limit);
  const std::uint64_t own = (left - std::min(left, bytes_of_code)) / 2 / growers;
  return static_cast<std::uint64_t>(static_cast<double>(own) * part);
}

GrowerLimit host_grower_limit(const Problem& problem, std::uint64_t memory_limit, std::uint64_t host_limit,
                              const GrowerShare& share) {
  if (host_limit == 0) return memory_limit;
  const std::uint64_t own = problem_bytes(problem) + share.bytes(host_limit);
  return memory_limit > 0 && memory_limit <= own ? GrowerLimit(memory_limit)
                                                 : GrowerLimit(own, host_limit, share.growers);
}

std::uint64_t kept_bytes(std::int64_t nodes, std::int32_t outputs) {
  constexpr std::uint64_t arrays = 9;
  constexpr std::uint64_t bytes_a_block = 32;  // what the allocator adds to small arrays
  constexpr std::uint64_t bytes_a_step = 24;   // a node as prediction walks it
  const std::uint64_t of_node = 3 * sizeof(std::int32_t) + sizeof(std::uint8_t) + sizeof(std::int32_t) +
                                3 * sizeof(double) + static_cast<std::uint64_t>(outputs) * sizeof(double) +
                                bytes_a_step;
  return sizeof(Tree) + sizeof(GrownTree) + arrays * bytes_a_block + static_cast<std::uint64_t>(nodes) * of_node;
}

TreeRoom TreeRoom::now(std::uint64_t host_limit) { return {host_memory_left(host_limit), host_limit}; }

void check_kept(std::int64_t trees, double bytes_a_tree, const TreeRoom& room, bool at_least) {
  const double need = static_cast<double>(trees) * bytes_a_tree;
  const auto usable = static_cast<double>(room.bytes);
  if (need <= usable) return;
  const auto fit = static_cast<std::int64_t>(usable / bytes_a_tree);
  throw DeviceError(
      fmt::format("a forest of {} trees {}: {} {} fit", trees,
                  host_memory_lack(static_cast<std::uint64_t>(need), room.host_limit, at_least ? "at least" : "about"),
                  at_least ? "fewer than" : "about", std::max<std::int64_t>(1, fit)),
      memory_cure(0, room.host_limit,
                  "lower n_estimators; max_depth, max_leaf_nodes and min_samples_leaf make trees smaller."));
}

void refuse_tree(std::uint64_t need, std::uint64_t usable, const GrowerLimit& limit, bool cpu) {
  const char* change =
      cpu ? "lower max_depth, or train on fewer rows." : "lower max_depth or max_samples, or use the cpu.";
  if (limit.host_limit > 0) {
    const std::uint64_t data = cpu ? 0 : limit.bytes - std::min(limit.bytes, usable);  // held already, by one grower
    const std::uint64_t of_both = 2 * limit.growers;                                   // growers have the half
    const std::string tree = limit.growers > 1 ? "one tree on each device" : "one tree";
    const std::uint64_t all = bytes_of_code + of_both * need + (of_both - 1) * data;
    throw TreeRefused(tree + ", with as much again for the forest, " + host_memory_lack(all, limit.host_limit),
                      memory_cure(0, limit.host_limit, change), all);
  }
  const std::string lack =
      cpu ? device_memory_lack(need + limit.bytes - usable, limit.bytes, limit.bytes)
          : fmt::format("needs {} on the device, and {} can be used beside the data",
                        size_text(static_cast<double>(need)), size_text(static_cast<double>(usable)));
  throw TreeRefused("one tree " + lack, memory_cure(limit.bytes, 0, change), need);
}

KeptTrees::KeptTrees(std::int64_t trees, std::int32_t outputs, const TreeRoom& room)
    : trees_(trees), outputs_(outputs), room_(room) {
  check_kept(trees, static_cast<double>(kept_bytes(1, outputs)), room, true);
}

void KeptTrees::add(std::int64_t nodes) {
  constexpr double later = 1.03;  // trees differ: what the first ones say is not taken back for a little
  bytes_ += static_cast<double>(kept_bytes(nodes, outputs_));
  seen_ += 1;
  if (seen_ < least || !std::has_single_bit(static_cast<std::uint64_t>(seen_))) return;
  const double bytes_a_tree = bytes_ / static_cast<double>(seen_);
  check_kept(trees_, seen_ > least ? bytes_a_tree / later : bytes_a_tree, room_, false);
}

}  // namespace overtake::forest
