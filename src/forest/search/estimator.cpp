// SPDX-License-Identifier: MIT
// Forests for the search: candidates that can come from one grown forest share it.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "forest/grow/need.hpp"
#include "forest/model/assemble.hpp"
#include "forest/model/notes.hpp"
#include "forest/search/prepared_candidates.hpp"
#include "forest/search/search_memory.hpp"
#include "overtake/error.hpp"
#include "overtake/forest/training.hpp"
#include "overtake/memory.hpp"
#include "placement/rates.hpp"
#include "search/estimator.hpp"

namespace overtake::forest {
namespace {

using search_detail::Batch;
using search_detail::Job;

bool before(const Job& a, const Job& b) { return std::tie(a.candidate, a.fold) < std::tie(b.candidate, b.fold); }

class ForestEstimator final : public search_detail::Estimator {
 public:
  ForestEstimator(ForestKind kind, const search_detail::SearchInput& input)
      : data_(input.data), options_(input.options), prepared_(kind, input) {
    refuse_too_much(static_cast<std::int32_t>(input.folds.size()));
  }

  [[nodiscard]] std::vector<std::string> check() override {
    std::vector<std::string> problems;
    for (const Candidate& candidate : prepared_.candidates()) problems.push_back(candidate.problem);
    return problems;
  }

  [[nodiscard]] std::vector<Batch> plan(std::span<const Job> jobs) override {
    std::vector<Batch> batches;
    double work = 0;
    std::size_t set = 0;
    for (const Sharing& group : share(jobs)) {
      const double own = work_of(group);
      if (batches.empty() || options_.helper || work + own > batch_work() || group.set != set) {
        batches.emplace_back();
        batches.back().kind = group.set;
        work = 0;
      }
      set = group.set;
      work += own;
      batches.back().work = work;
      batches.back().jobs.insert(batches.back().jobs.end(), group.jobs.begin(), group.jobs.end());
      batches.back().models += 1;
    }
    for (Batch& batch : batches) std::sort(batch.jobs.begin(), batch.jobs.end(), before);
    return batches;
  }

  [[nodiscard]] MemoryPlan host_memory(std::span<const Batch> batches) override {
    const bool helps = options_.helper && options_.helper->id() == "cpu";
    SearchMemory memory(prepared_, data_, options_, helps ? search_detail::helper_device : search_detail::main_device);
    std::vector<Sharing> largest;
    std::uint64_t most = 0;
    // Of two devices each takes about half of its share of what is left, and no more than two seconds
    // (batch_queue.cpp).
    double all = 0;
    for (const Batch& batch : batches) all += batch.work;
    const double at_once = options_.helper ? std::min(all / 2, 2 * placement::visits_a_second(Device().info())) : 0;
    for (const std::vector<Job>& jobs : jobs_at_once(batches, at_once)) {
      std::vector<Sharing> groups = share(jobs);
      const std::uint64_t bytes = memory.most_tree_bytes(groups);
      if (bytes < most) continue;
      most = bytes;
      largest = std::move(groups);
    }
    return largest.empty() ? MemoryPlan() : memory.plan(largest);
  }

  [[nodiscard]] std::optional<std::vector<FoldOutcome>> run(const Batch& batch, bool probabilities,
                                                            const StopToken* stop, std::size_t device) override {
    std::vector<FoldOutcome> outcomes(batch.jobs.size());
    const std::vector<Sharing> groups = share(batch.jobs);
    if (groups.empty()) return outcomes;
    std::map<std::pair<std::int32_t, std::int32_t>, std::size_t> place;
    for (std::size_t i = 0; i < batch.jobs.size(); ++i) place[{batch.jobs[i].candidate, batch.jobs[i].fold}] = i;
    std::vector<ForestJob> forests;
    std::vector<View> views;
    std::vector<std::size_t> outcome_of_view;
    for (const Sharing& group : groups) {
      for (const Job& job : group.jobs) {
        View view = resolved(job).view;
        view.job = static_cast<std::int32_t>(forests.size());
        views.push_back(view);
        outcome_of_view.push_back(place.at({job.candidate, job.fold}));
      }
      forests.push_back(group.forest);
    }
    std::optional<std::vector<FoldOutcome>> scored =
        prepared_.grower(groups.front().set, device).score(forests, views, probabilities, stop);
    if (!scored) return std::nullopt;
    for (std::size_t view = 0; view < views.size(); ++view) {
      outcomes[outcome_of_view[view]] = std::move((*scored)[view]);
    }
    return outcomes;
  }

  [[nodiscard]] std::shared_ptr<const Model> refit(std::int32_t candidate, const StopToken* stop,
                                                   std::size_t device) override {
    const Candidate& of = prepared_.candidates().at(static_cast<std::size_t>(candidate));
    if (!of.problem.empty()) throw DataError(of.problem);
    Forest forest = grow_forest(prepared_.grower(of.set, device), prepared_.problem(of.set), data_,
                                {of.parameters, of.of_fold.back(), options_.sample_weight, options_.host_memory_limit},
                                {}, stop, nullptr);
    if (forest.trees.size() < static_cast<std::size_t>(of.parameters.n_estimators)) return nullptr;
    forest.feature_names = options_.feature_names;
    forest.class_names = options_.class_names;
    return std::make_shared<ForestModel>(std::move(forest));
  }

  [[nodiscard]] std::vector<std::string> notes() const override {
    std::vector<std::string> all;
    for (const auto& set : prepared_.all()) {
      add_notes(bin_notes(set->problem.data.edges, options_.feature_names, set->max_bins), all);
    }
    std::set<std::pair<std::size_t, std::int32_t>> seen;
    for (const Candidate& candidate : prepared_.candidates()) {
      if (!candidate.problem.empty()) continue;
      const Problem& problem = prepared_.problem(candidate.set);
      const ForestJob& job = candidate.of_fold.back().job;
      if (!seen.emplace(candidate.set, job.weights).second) continue;
      add_notes(weight_notes(problem.weights[job.weights], problem.folds[job.fold].train), all);
    }
    return all;
  }

  [[nodiscard]] double pace(std::size_t device) const override {
    const Device& of = device == search_detail::main_device ? options_.device : *options_.helper;
    return placement::visits_a_second(of.info());
  }

  [[nodiscard]] search_detail::EstimatorStats stats(std::size_t device) const override {
    search_detail::EstimatorStats sum;
    for (const auto& set : prepared_.all()) {
      if (!set->growers[device]) continue;
      const GrowerStats stats = set->growers[device]->stats();
      sum.launches += stats.launches;
      sum.peak_bytes += stats.peak_bytes;
      sum.timing.startup += stats.startup_seconds;
      sum.timing.upload += stats.upload_seconds;
      sum.timing.compute += stats.compute_seconds;
      sum.timing.scoring += stats.scoring_seconds;
    }
    return sum;
  }

 private:
  /// Refuses work without end, and forests that the computer's memory cannot hold, before anything is grown.
  void refuse_too_much(std::int32_t folds) const {
    std::vector<Job> jobs;
    const TreeRoom room = TreeRoom::now(options_.host_memory_limit);
    for (std::int32_t c = 0; c < static_cast<std::int32_t>(prepared_.candidates().size()); ++c) {
      const Candidate& candidate = prepared_.candidates()[static_cast<std::size_t>(c)];
      if (!candidate.problem.empty()) continue;
      for (std::int32_t fold = 0; fold < folds; ++fold) jobs.push_back({c, fold});
      // Only a forest that is trained on all rows is kept; of the others each tree is forgotten once it has scored.
      if (options_.refit) KeptTrees(candidate.parameters.n_estimators, std::max(1, data_.classes), room);
    }
    double visits = 0;
    for (const Sharing& group : share(jobs)) {
      visits += work_of(group);
      check_kept(group.forest.trees, bytes_of_waiting_tree, room, true);
    }
    check_visits(visits);
  }

  [[nodiscard]] const Resolved& resolved(const Job& job) const {
    return prepared_.candidates()[static_cast<std::size_t>(job.candidate)].of_fold[static_cast<std::size_t>(job.fold)];
  }

  /// Jobs grouped by the forest that serves them, sets in order, else in the order of the first job of each.
  [[nodiscard]] std::vector<Sharing> share(std::span<const Job> jobs) const {
    std::vector<Sharing> groups;
    std::map<std::tuple<std::size_t, std::int32_t, std::int32_t>, std::vector<std::size_t>> near;
    for (const Job& job : jobs) {
      const std::size_t set = prepared_.candidates()[static_cast<std::size_t>(job.candidate)].set;
      const ForestJob& own = resolved(job).job;
      std::vector<std::size_t>& alike = near[{set, job.fold, own.weights}];
      const auto found =
          std::find_if(alike.begin(), alike.end(), [&](std::size_t i) { return can_share(groups[i].forest, own); });
      if (found == alike.end()) {
        alike.push_back(groups.size());
        groups.push_back({set, own, {job}});
      } else {
        widen(groups[*found].forest, own);
        groups[*found].jobs.push_back(job);
      }
    }
    std::stable_sort(groups.begin(), groups.end(), [](const Sharing& a, const Sharing& b) { return a.set < b.set; });
    return groups;
  }

  [[nodiscard]] double work_of(const Sharing& group) const {
    const std::size_t rows = prepared_.problem(group.set).folds[group.forest.fold].train.size();
    return visits_of(group.forest, static_cast<std::int64_t>(rows));
  }

  /// The jobs that run together: of each batch, or of those that come to about as much work.
  [[nodiscard]] static std::vector<std::vector<Job>> jobs_at_once(std::span<const Batch> batches, double most) {
    std::vector<std::vector<Job>> all;
    double work = 0;
    std::size_t kind = 0;
    for (const Batch& batch : batches) {
      work += batch.work;
      if (all.empty() || batch.kind != kind || work > most) {
        all.emplace_back();
        work = batch.work;
      }
      kind = batch.kind;
      all.back().insert(all.back().end(), batch.jobs.begin(), batch.jobs.end());
    }
    return all;
  }

  /// A batch is what a stopped or killed search repeats, so it takes about two seconds.
  [[nodiscard]] double batch_work() const { return 2 * placement::visits_a_second(options_.device.info()); }

  const Dataset& data_;
  const SearchOptions& options_;
  PreparedCandidates prepared_;
};

class ForestForecast final : public search_detail::Forecast {
 public:
  ForestForecast(const ForestWork& work, std::vector<std::string> problems)
      : work_(work), problems_(std::move(problems)) {}
  [[nodiscard]] Prediction on(const DeviceInfo& device, const MemoryLimits& limits) const override {
    return predict_forest(work_, device, limits);
  }
  [[nodiscard]] std::int64_t models() const override { return work_.forests; }
  [[nodiscard]] report::Json counts() const override { return to_json(work_); }
  [[nodiscard]] std::vector<std::string> problems() const override { return problems_; }

 private:
  ForestWork work_;
  std::vector<std::string> problems_;
};

class ForestType final : public search_detail::EstimatorType {
 public:
  explicit ForestType(ForestKind kind) : kind_(kind) {}

  [[nodiscard]] std::string_view name() const noexcept override { return name_of(kind_); }
  [[nodiscard]] std::span<const std::string> parameter_names() const override { return ForestParameters::names(); }
  void check(const Parameters& parameters) const override {
    ForestParameters forest = ForestParameters::defaults(kind_, Task::classification);
    forest.set(parameters);
    if (forest.warm_start) {
      throw UsageError("warm_start: true is not accepted in a search, where no forest is there before",
                       "Leave it out; train --more-trees FILE continues a forest.");
    }
  }
  [[nodiscard]] std::unique_ptr<search_detail::Forecast> forecast(
      const Dataset& data, const std::vector<Parameters>& candidates,
      const search_detail::SearchSize& size) const override {
    std::vector<ForestParameters> forests;
    std::vector<std::string> problems;
    for (const Parameters& candidate : candidates) {
      forests.push_back(ForestParameters::defaults(kind_, data.task));
      problems.emplace_back();
      bool is_set = false;
      try {
        forests.back().set(candidate);
        forests.back().check();
        is_set = true;
        check_fits(forests.back(), data, data.rows - size.test_rows, size.class_names);
      } catch (const Error& error) {
        if (!is_set && !size.invalid_candidates_fail) throw;
        problems.back() = error.what();
        forests.pop_back();
      }
    }
    if (forests.size() == candidates.size()) problems.clear();
    return std::make_unique<ForestForecast>(forest_work(data, forests, {size.folds, size.test_rows, size.refit}),
                                            std::move(problems));
  }
  [[nodiscard]] std::unique_ptr<search_detail::Estimator> make(const search_detail::SearchInput& input) const override {
    return std::make_unique<ForestEstimator>(kind_, input);
  }

 private:
  ForestKind kind_;
};

const ForestType random_forest(ForestKind::random_forest);
const ForestType extra_trees(ForestKind::extra_trees);

}  // namespace

}  // namespace overtake::forest
