// SPDX-License-Identifier: MIT
#include "forest/search/search_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backend/api/device.hpp"
#include "forest/grow/limits.hpp"
#include "forest/grow/need.hpp"
#include "forest/model/host_memory.hpp"
#include "overtake/forest/work.hpp"
#include "placement/rates.hpp"
#include "platform/held_memory.hpp"

namespace overtake::forest {

std::uint64_t SearchMemory::most_tree_bytes(const std::vector<Sharing>& batch) const {
  std::uint64_t bytes = 0;
  for (const Sharing& group : batch) {
    const auto nodes = static_cast<double>(most_nodes(prepared_.problem(group.set), group.forest));
    bytes += static_cast<std::uint64_t>(group.forest.trees) * grown_bytes(nodes, data_.classes);
  }
  return bytes;
}

MemoryPlan SearchMemory::plan(const std::vector<Sharing>& largest) {
  try {
    return plan_within_limit(largest);
  } catch (const TreeRefused& refusal) {
    refuse(largest, refusal);
  }
}

/// Whoever raises the limit to what is said to be needed should not be told of something else then: of what is lacking
/// the most, one tree on one of the devices or the forest that is kept, which is judged by small trees.
void SearchMemory::refuse(const std::vector<Sharing>& groups, const TreeRefused& refusal) {
  if (options_.host_memory_limit == 0) throw refusal;
  TreeRefused most = refusal;
  std::vector<ForestJob> jobs;
  for (const Sharing& group : groups) jobs.push_back(group.forest);
  for (const std::size_t device : {search_detail::main_device, search_detail::helper_device}) {
    if (device == search_detail::helper_device && !options_.helper) continue;
    try {
      (void)prepared_.grower(groups.front().set, device).host_round(jobs, 1);
    } catch (const TreeRefused& other) {
      if (other.need() > most.need()) most = other;
    }
  }
  const MemoryPlan kept = refit_memory(likely_share(groups), false);
  if (kept.bytes(MemoryPlace::host) > most.need()) {
    require_host_memory(kept, options_.host_memory_limit, "the search",
                        "give fewer rows, or candidates of smaller models.");
  }
  throw most;
}

MemoryPlan SearchMemory::plan_within_limit(const std::vector<Sharing>& largest) {
  constexpr double smaller = 0.75;
  constexpr int most_cuts = 16;  // to a hundredth
  const std::optional<double> seen = filled_share(largest);
  const double filled = seen ? *seen : likely_share(largest);
  MemoryPlan best = plan(largest, filled);
  best.guessed = !seen;
  const std::uint64_t limit = options_.host_memory_limit;
  if (limit > 0) platform::return_free_memory();
  double part = 1;
  for (int cut = 0; cut < most_cuts && limit > 0 && !best.guessed; ++cut) {
    if (best.bytes(MemoryPlace::host) <= host_memory_left(limit)) break;
    prepared_.limit_growers(part * smaller);
    try {
      best = plan(largest, filled);
    } catch (const DeviceError&) {  // not even one tree: the plan before says what is needed
      prepared_.limit_growers(part);
      break;
    }
    part *= smaller;
  }
  return best;
}

MemoryPlan SearchMemory::plan(const std::vector<Sharing>& largest, double filled) {
  MemoryPlan scoring = scoring_memory(largest, filled);
  MemoryPlan refit = refit_memory(filled);
  const bool refit_is_more = refit.bytes(MemoryPlace::host) > scoring.bytes(MemoryPlace::host);
  return refit_is_more ? std::move(refit) : std::move(scoring);
}

const Device& SearchMemory::device() const {
  return device_ == search_detail::main_device ? options_.device : *options_.helper;
}

const Sharing& SearchMemory::deepest(const std::vector<Sharing>& groups) const {
  const auto deeper = [&](const Sharing& a, const Sharing& b) {
    return most_nodes(prepared_.problem(a.set), a.forest) < most_nodes(prepared_.problem(b.set), b.forest);
  };
  return *std::max_element(groups.begin(), groups.end(), deeper);
}

/// The same by two trees of a part of the rows, which cost less than one of all.
double SearchMemory::likely_share(const std::vector<Sharing>& groups) const {
  constexpr double unknown = 1.0 / 3;
  if (!is_in_host_memory(device().info().kind)) return unknown;  // which is done before such trees were grown
  const Sharing& group = deepest(groups);
  const Candidate& candidate = prepared_.candidates()[static_cast<std::size_t>(group.jobs.front().candidate)];
  const ForestWork work = forest_work(data_, {candidate.parameters});
  const double most = static_cast<double>(most_nodes(prepared_.problem(group.set), candidate.of_fold.back().job));
  return work.trees > 0 ? std::clamp(work.kept_nodes / work.trees / most, 0.0, 1.0) : unknown;
}

/// Nodes that trees have, as a share of the most that they can have: what one tree of the largest group says. Nothing
/// where a device has them in memory of its own, and of few trees one is too much to grow for that.
std::optional<double> SearchMemory::filled_share(const std::vector<Sharing>& groups) {
  constexpr std::int32_t worth_a_trial = 50;
  std::int32_t trees = 0;
  for (const Sharing& group : groups) trees += group.forest.trees;
  if (!is_in_host_memory(device().info().kind) || trees < worth_a_trial) return std::nullopt;
  const Sharing& largest = deepest(groups);
  ForestJob one = largest.forest;
  one.trees = one.first_tree + 1;
  double nodes = 0;
  const auto take = [&](std::int32_t, std::int32_t, const GrownTree& tree) {
    nodes = static_cast<double>(tree.nodes.size());
  };
  prepared_.grower(largest.set, device_).grow({&one, 1}, take, options_.stop);
  if (nodes == 0) return std::nullopt;
  return nodes / static_cast<double>(most_nodes(prepared_.problem(largest.set), one));
}

/// Candidates that cut trees alike share a table.
std::size_t SearchMemory::limits_of(const Sharing& group) const {
  std::vector<View> views;
  for (const search_detail::Job& job : group.jobs) {
    views.push_back(prepared_.candidates()[job.candidate].of_fold[job.fold].view);
    views.back().job = 0;
  }
  return group_limits(views).size();
}

/// What the other of two devices takes of the computer's memory for its trees.
std::uint64_t SearchMemory::helped_bytes(std::size_t set, std::span<const ForestJob> jobs, double filled) {
  if (!options_.helper) return 0;
  const bool is_main = device_ == search_detail::helper_device;
  const Device& other = is_main ? options_.device : *options_.helper;
  if (!is_in_host_memory(other.info().kind)) return 0;
  const std::size_t number = is_main ? search_detail::main_device : search_detail::helper_device;
  // A slower device takes as much less at once as it is slower.
  const double pace = placement::visits_a_second(other.info()) / placement::visits_a_second(device().info());
  const std::uint64_t bytes = prepared_.grower(set, number).host_round(jobs, filled).device_bytes;
  return static_cast<std::uint64_t>(static_cast<double>(bytes) * std::min(1.0, pace));
}

/// Trees that wait to be scored, their tables, and the sums of the test rows.
MemoryPlan SearchMemory::scoring_memory(const std::vector<Sharing>& groups, double filled) {
  const std::size_t set = groups.front().set;
  const Problem& problem = prepared_.problem(set);
  const auto outputs = static_cast<std::uint64_t>(std::max(data_.classes, 1));
  std::vector<ForestJob> jobs;
  double trees = 0, bytes = 0, sums = 0;
  std::uint64_t rows = 0;
  for (const Sharing& group : groups) {
    const double nodes = filled * static_cast<double>(most_nodes(problem, group.forest));
    const auto limits = static_cast<double>(limits_of(group));
    const double table =
        nodes * (static_cast<double>(outputs * sizeof(double)) + limits * 4.0);  // shares, and where to stop
    trees += group.forest.trees;
    bytes += group.forest.trees * (static_cast<double>(grown_bytes(nodes, data_.classes)) + table);
    const Fold& fold = problem.folds[group.forest.fold];
    rows = std::max<std::uint64_t>(rows, fold.train.size());
    sums += static_cast<double>(fold.test.size()) * static_cast<double>(outputs * sizeof(double)) * limits;
    jobs.push_back(group.forest);
  }
  const HostRound round = prepared_.grower(set, device_).host_round(jobs, filled);
  MemoryPlan plan;
  if (round.trees == 0 && round.device_bytes == 0) return plan;
  plan.add("code", bytes_of_code);
  plan.add("trees that grow on the device", round.device_bytes + helped_bytes(set, jobs, filled));
  plan.add("scores of the test rows", static_cast<std::uint64_t>(sums));
  if (round.trees == 0) return plan;
  plan.add(fmt::format("growing {} at a time", round.threads),
           round.threads * host_grower_bytes(rows, data_.classes, problem.data.edges.widest()));
  plan.add(fmt::format("{} trees to score", round.trees),
           static_cast<std::uint64_t>(bytes / trees * static_cast<double>(round.trees)));
  return plan;
}

/// The largest forest that may win; `grows`: with what growing it on a device takes.
MemoryPlan SearchMemory::refit_memory(double filled, bool grows) {
  MemoryPlan most;
  if (!options_.refit) return most;
  for (const Candidate& candidate : prepared_.candidates()) {
    if (!candidate.problem.empty()) continue;
    const ForestJob& job = candidate.of_fold.back().job;
    ForestNeed need;
    need.rows = data_.rows;
    need.classes = data_.classes;
    need.out_of_bag = candidate.parameters.oob_score;
    need.trees = candidate.parameters.n_estimators;
    need.nodes = filled * static_cast<double>(most_nodes(prepared_.problem(candidate.set), job));
    if (grows) need.device_bytes = prepared_.grower(candidate.set, device_).host_round({&job, 1}, filled).device_bytes;
    MemoryPlan plan = host_memory_of(need);
    if (plan.bytes(MemoryPlace::host) > most.bytes(MemoryPlace::host)) most = std::move(plan);
  }
  return most;
}

}  // namespace overtake::forest
