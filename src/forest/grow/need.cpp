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

std::uint64_t kept_bytes(std::int64_t nodes, std::int32_t outputs) {
  constexpr std::uint64_t arrays = 9;
  constexpr std::uint64_t bytes_a_block = 32;  // what the allocator adds to small arrays
  constexpr std::uint64_t bytes_a_step = 24;   // a node as prediction walks it
  const std::uint64_t of_node = 3 * sizeof(std::int32_t) + sizeof(std::uint8_t) + sizeof(std::int32_t) +
                                3 * sizeof(double) + static_cast<std::uint64_t>(outputs) * sizeof(double) +
                                bytes_a_step;
  return sizeof(Tree) + sizeof(GrownTree) + arrays * bytes_a_block + static_cast<std::uint64_t>(nodes) * of_node;
}

void check_kept(std::int64_t trees, double bytes_a_tree, std::uint64_t usable, bool at_least) {
  const double need = static_cast<double>(trees) * bytes_a_tree;
  if (need <= static_cast<double>(usable)) return;
  throw DeviceError(
      fmt::format("{} trees need {} {} of the computer's memory, {} can be used: {} {} trees fit", trees,
                  at_least ? "at least" : "about", size_text(need), size_text(static_cast<double>(usable)),
                  at_least ? "fewer than" : "about",
                  std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(usable) / bytes_a_tree))),
      "Lower n_estimators; max_depth, max_leaf_nodes and min_samples_leaf make trees smaller.");
}

void refuse_tree(std::uint64_t need, std::uint64_t limit, bool cpu) {
  throw DeviceError(fmt::format("one tree needs {} bytes on the device, {} may be used", need, limit),
                    cpu ? "Raise --memory-limit, or lower max_depth, or train on fewer rows."
                        : "Raise --memory-limit, lower max_depth or max_samples, or use --device cpu.");
}

KeptTrees::KeptTrees(std::int64_t trees, std::int32_t outputs, std::uint64_t usable)
    : trees_(trees), outputs_(outputs), usable_(usable) {
  check_kept(trees, static_cast<double>(kept_bytes(1, outputs)), usable, true);
}

void KeptTrees::add(std::int64_t nodes) {
  constexpr std::int64_t least = 8;  // trees that say something of the others
  bytes_ += static_cast<double>(kept_bytes(nodes, outputs_));
  seen_ += 1;
  if (seen_ < least || !std::has_single_bit(static_cast<std::uint64_t>(seen_))) return;
  check_kept(trees_, bytes_ / static_cast<double>(seen_), usable_, false);
}

}  // namespace overtake::forest
