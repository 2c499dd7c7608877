// SPDX-License-Identifier: MIT
#include "forest/search/prepared_candidates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "backend/api/device.hpp"
#include "core/parallel.hpp"
#include "forest/grow/need.hpp"
#include "forest/make_grower.hpp"
#include "forest/model/host_memory.hpp"
#include "forest/problem/binning.hpp"
#include "forest/problem/targets.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"

namespace overtake::forest {
namespace {

std::string weights_name(const ForestParameters& parameters, bool has_sample_weights, const ForestJob& job) {
  const ClassWeight& classes = parameters.class_weight;
  if (classes.kind == ClassWeight::Kind::equal && !has_sample_weights) return "all one";
  std::string name =
      fmt::format("fold {} draws {} kind {}", job.fold, job.bootstrap ? job.draws : 0, static_cast<int>(classes.kind));
  for (const auto& [of_class, weight] : classes.given) name += fmt::format(" {}={:a}", of_class, weight);
  return name;
}

}  // namespace

PreparedCandidates::PreparedCandidates(ForestKind kind, const search_detail::SearchInput& input)
    : data_(input.data), options_(input.options), folds_(input.folds) {
  folds_.emplace_back();
  folds_.back().train.resize(static_cast<std::size_t>(data_.rows));
  std::iota(folds_.back().train.begin(), folds_.back().train.end(), 0);
  for (const Fold& fold : folds_) {
    double weight = 0;
    for (const std::int32_t row : fold.train) {
      weight += options_.sample_weight.empty() ? 1.0 : static_cast<double>(options_.sample_weight[row]);
    }
    fold_weight_.push_back(weight);
  }
  for (const Parameters& candidate : input.candidates) {
    candidates_.emplace_back();
    candidates_.back().parameters = ForestParameters::defaults(kind, data_.task);
    candidates_.back().parameters.random_state = options_.seed;
    try {
      candidates_.back().parameters.set(search_detail::with_fixed(options_.fixed, candidate));
      candidates_.back().parameters.check();
    } catch (const UsageError& error) {
      if (!options_.invalid_candidates_fail) throw;
      candidates_.back().problem = error.what();
      continue;
    }
    candidates_.back().set = set_for(candidates_.back().parameters);
    resolve_folds(candidates_.back());
  }
  for (const auto& set : sets_) {
    set->problem.targets = make_targets(data_, set->criterion);
  }
}

std::size_t PreparedCandidates::set_for(const ForestParameters& parameters) {
  const bool poisson = parameters.criterion == Criterion::poisson;
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    const bool alike = (sets_[i]->criterion == Criterion::poisson) == poisson;
    if (alike && sets_[i]->max_bins == parameters.max_bins) return i;
  }
  auto set = std::make_unique<BinnedSet>();
  set->max_bins = parameters.max_bins;
  set->criterion = parameters.criterion;
  MemoryPlan memory;
  memory.add("features in bins", binned_bytes(data_.rows, static_cast<std::int32_t>(data_.features),
                                              static_cast<int>(std::min<std::int64_t>(set->max_bins, data_.rows))));
  std::uint64_t rows = 0;
  for (const Fold& fold : folds_) rows += fold.train.size() + fold.test.size();
  memory.add("rows of the folds", rows * sizeof(std::int32_t));
  require_host_memory(memory, options_.host_memory_limit, fmt::format("a search over {} rows", data_.rows),
                      "give fewer rows or features, or lower max_bins to 256.");
  set->problem.data = bin_features(data_.inputs, data_.rows, static_cast<std::int32_t>(data_.features),
                                   parameters.max_bins, thread_count());
  set->problem.folds = folds_;
  sets_.push_back(std::move(set));
  return sets_.size() - 1;
}

void PreparedCandidates::resolve_folds(Candidate& candidate) {
  BinnedSet& set = *sets_[candidate.set];
  try {
    for (std::size_t fold = 0; fold < folds_.size(); ++fold) {
      Scope scope;
      scope.features = static_cast<std::int32_t>(data_.features);
      scope.rows = static_cast<std::int64_t>(folds_[fold].train.size());
      scope.total_weight = fold_weight_[fold];
      scope.fold = static_cast<std::int32_t>(fold);
      Resolved resolved = resolve(candidate.parameters, scope);
      resolved.job.weights = weights_for(set, candidate.parameters, resolved.job);
      candidate.of_fold.push_back(resolved);
    }
  } catch (const Error& error) {
    candidate.problem = error.what();
  }
}

std::int32_t PreparedCandidates::weights_for(BinnedSet& set, const ForestParameters& parameters, const ForestJob& job) {
  const std::string name = weights_name(parameters, !options_.sample_weight.empty(), job);
  const auto found = set.weights_of.find(name);
  const TrainingRows training{folds_[job.fold].train, job.bootstrap ? job.draws : 0};
  if (found != set.weights_of.end()) return found->second;
  Weights weights =
      make_weights(data_, training, options_.sample_weight, parameters.class_weight, options_.class_names);
  const auto place = static_cast<std::int32_t>(set.problem.weights.size());
  set.problem.weights.push_back(std::move(weights));
  set.weights_of.emplace(name, place);
  return place;
}

Grower& PreparedCandidates::grower(std::size_t set, std::size_t number) {
  std::unique_ptr<Grower>& grower = sets_[set]->growers[number];
  if (!grower) {
    backend::Device& device = number == search_detail::main_device ? options_.device.impl() : options_.helper->impl();
    const Problem& problem = sets_[set]->problem;
    const auto is_here = [](const Device& of) { return is_in_host_memory(of.info().kind); };
    const bool shares = options_.helper && is_here(options_.device) && is_here(*options_.helper);
    const GrowerShare share{shares ? 2U : 1U, growers_part_};
    grower = make_grower(device, problem,
                         grower_limit(device, problem, options_.memory_limit, options_.host_memory_limit, share));
  }
  return *grower;
}

void PreparedCandidates::limit_growers(double part) {
  growers_part_ = part;
  for (const auto& set : sets_) set->growers = {};
}

}  // namespace overtake::forest
