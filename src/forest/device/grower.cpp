// SPDX-License-Identifier: MIT
// Forests by kernels: plans waves and batches that fit in memory, grows and scores them.
#include "forest/device/grower.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "backend/api/device.hpp"
#include "core/parallel.hpp"
#include "core/stop.hpp"
#include "forest/device/batch.hpp"
#include "forest/device/scorer.hpp"
#include "forest/grow/need.hpp"
#include "overtake/forest/parameters.hpp"
#include "overtake/memory.hpp"

namespace overtake::forest {
namespace {

using Clock = std::chrono::steady_clock;

/// Adds the time until its end to a figure.
class Stopwatch {
 public:
  explicit Stopwatch(double& figure) : figure_(figure) {}
  ~Stopwatch() { figure_ += std::chrono::duration<double>(Clock::now() - start_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& figure_;
  Clock::time_point start_ = Clock::now();
};

class KernelGrower final : public Grower {
 public:
  KernelGrower(backend::Device& device, const Problem& problem, const GrowerLimit& limit, const KernelTuning& tuning)
      : device_(device), problem_(problem), tuning_(tuning) {
    const Stopwatch watch(stats_.upload_seconds);
    limit_ = limit;
    budget_ = budget(limit.bytes);
    data_.emplace(device, problem);
    device.synchronize();
    stats_.waits += 1;
    stats_.data_bytes = data_->bytes;
    budget_ = budget_ > data_->bytes ? budget_ - data_->bytes : 0;
  }

  void grow(std::span<const ForestJob> jobs, const std::function<void(std::int32_t, std::int32_t, GrownTree)>& take,
            const StopToken* stop) override {
    KernelProgram& program = program_for(jobs);
    for (const Wave& wave : plan(program, jobs, {}, false, 0)) {
      for (const GrowBatch& ranges : wave.batches) {
        std::optional<KernelBatch> batch = make_batch(program, jobs, ranges, stop);
        if (!batch) return;
        const Stopwatch watch(stats_.scoring_seconds);
        if (!give(*batch, jobs, ranges, take, stop)) return;
      }
    }
    device_.release_unused();  // the trees are with the host now
  }

  [[nodiscard]] std::optional<std::vector<FoldOutcome>> score(std::span<const ForestJob> jobs,
                                                              std::span<const View> views, bool predictions,
                                                              const StopToken* stop) override {
    std::optional<std::vector<FoldOutcome>> outcomes = score_waves(jobs, views, predictions, stop);
    device_.release_unused();
    return outcomes;
  }

  [[nodiscard]] HostRound host_round(std::span<const ForestJob> jobs, double filled) override {
    HostRound round;
    const KernelProgram& program = program_for(jobs);
    const BatchRules rules = rules_for(program);
    const std::vector<Wave> waves = plan(program, jobs, {}, false, 0);
    if (!is_in_host_memory(device_.info().kind)) return round;
    for (const Wave& wave : waves) {
      for (const GrowBatch& batch : wave.batches) {
        BatchCapacity capacity;
        double nodes = 0;
        for (const TreeRange& range : batch.ranges) {
          const ForestJob& job = jobs[range.job];
          capacity.add(capacity_for(problem_, job), range.last - range.first, rules);
          nodes += (range.last - range.first) * filled * static_cast<double>(most_nodes(problem_, job));
        }
        round.device_bytes = std::max(round.device_bytes, filled_bytes(rules, capacity, nodes));
      }
    }
    return round;
  }

  [[nodiscard]] GrowerStats stats() const override {
    GrowerStats stats = stats_;
    stats.launches = launches();
    return stats;
  }

 private:
  [[nodiscard]] std::optional<std::vector<FoldOutcome>> score_waves(std::span<const ForestJob> jobs,
                                                                    std::span<const View> views, bool predictions,
                                                                    const StopToken* stop) {
    KernelProgram& program = program_for(jobs);
    std::vector<FoldOutcome> outcomes(views.size());
    std::vector<Limits> all = group_limits(views);
    KernelScorer scorer(device_, program, problem_, *data_, jobs, views.size(), predictions);
    for (const Wave& wave : plan(program, jobs, all, predictions, scorer.bytes())) {
      std::vector<Limits> limits;
      for (const Limits& limit : all) {
        if (std::find(wave.jobs.begin(), wave.jobs.end(), limit.job) != wave.jobs.end()) limits.push_back(limit);
      }
      scorer.begin_wave(std::move(limits));
      for (const GrowBatch& ranges : wave.batches) {
        std::optional<KernelBatch> batch = make_batch(program, jobs, ranges, stop);
        if (!batch) return std::nullopt;
        const Stopwatch watch(stats_.scoring_seconds);
        if (!scorer.add(*batch, ranges, stop)) return std::nullopt;
        stats_.peak_bytes = std::max(stats_.peak_bytes, data_->bytes + batch->bytes() + scorer.bytes());
        device_.synchronize();
        stats_.waits += 1;
      }
      const Stopwatch watch(stats_.scoring_seconds);
      scorer.end_wave(outcomes);
    }
    const Stopwatch watch(stats_.scoring_seconds);
    scorer.finish(outcomes);
    stats_.waits += 1;
    return outcomes;
  }

  /// Fetches a batch's trees one after the other, orders them on all threads, and hands them on in order. False when
  /// `stop` said so before all were fetched: then those that were are handed on.
  [[nodiscard]] static bool give(KernelBatch& batch, std::span<const ForestJob> jobs, const GrowBatch& ranges,
                                 const std::function<void(std::int32_t, std::int32_t, GrownTree)>& take,
                                 const StopToken* stop) {
    std::vector<KernelBatch::RawTree> raw;
    raw.reserve(batch.trees().size());
    while (raw.size() < batch.trees().size() && !is_stopped(stop)) raw.push_back(batch.fetch(raw.size(), true));
    const std::size_t count = raw.size();
    std::vector<Criterion> criteria;
    for (const TreeRange& range : ranges.ranges) {
      criteria.resize(criteria.size() + static_cast<std::size_t>(range.last - range.first),
                      jobs[range.job].rule.criterion);
    }
    std::vector<GrownTree> ordered(count);
    parallel_for(count, [&](std::size_t slot) {
      ordered[slot] = batch.order(raw[slot], criteria[slot]).tree;
      raw[slot] = {};
    });
    std::size_t slot = 0;
    for (const TreeRange& range : ranges.ranges) {
      for (std::int32_t tree = range.first; tree < range.last && slot < count; ++tree) {
        take(range.job, tree, std::move(ordered[slot++]));
      }
    }
    return count == batch.trees().size();
  }

  [[nodiscard]] std::uint64_t budget(std::uint64_t memory_limit) const {
    if (memory_limit > 0) return memory_limit;
    constexpr std::uint64_t unknown = std::uint64_t{1} << 30;
    std::uint64_t memory = device_.info().memory_bytes;
    if (is_in_host_memory(device_.info().kind)) memory = std::min(memory, host_memory_left(0));
    return memory > 0 ? memory / 10 * 6 : unknown;
  }

  [[nodiscard]] KernelProgram& program_for(std::span<const ForestJob> jobs) {
    const Stopwatch watch(stats_.startup_seconds);
    KernelShape shape;
    shape.classes = problem_.targets.classes;
    shape.wide = problem_.data.wide;
    shape.features = problem_.data.edges.features;
    shape.stride = problem_.data.stride;
    shape.bins = problem_.data.edges.widest();
    for (const ForestJob& job : jobs) {
      shape.counts |= job.rule.min_samples_leaf > 1;
      shape.max_features = std::max(shape.max_features, job.rule.max_features);
    }
    std::unique_ptr<KernelProgram>& program = programs_[shape];
    if (!program)
      program = std::make_unique<KernelProgram>(device_, shape, tuning_.soft_real || !device_.info().double_precision);
    return *program;
  }

  [[nodiscard]] std::vector<Wave> plan(const KernelProgram& program, std::span<const ForestJob> jobs,
                                       std::span<const Limits> limits, bool predictions,
                                       std::uint64_t other_bytes) const {
    PlanCosts costs{rules_for(program)};
    costs.limit = limit_;
    // A batch is what a stop waits for. A unit of a large GPU does 1.5e9 visits a second.
    costs.most_visits = 1e9 * static_cast<double>(units());
    costs.keeps_predictions = predictions || problem_.targets.classes == 0;
    return plan_waves(problem_, jobs, limits, costs, budget_ > other_bytes ? budget_ - other_bytes : 0);
  }

  [[nodiscard]] std::int64_t units() const { return std::max(1, device_.info().compute_units); }

  [[nodiscard]] BatchRules rules_for(const KernelProgram& program) const {
    return {program.sizes().row, tuning_.large_rows, units() * tuning_.groups_per_unit, units() * 16};
  }

  /// Nothing when `stop` said so before its trees were whole.
  [[nodiscard]] std::optional<KernelBatch> make_batch(KernelProgram& program, std::span<const ForestJob> jobs,
                                                      const GrowBatch& ranges, const StopToken* stop) {
    if (is_stopped(stop)) return std::nullopt;
    const Stopwatch watch(stats_.compute_seconds);
    device_.release_unused();  // tables of the batch before have other sizes
    std::optional<KernelBatch> batch(std::in_place, device_, program, problem_, *data_, jobs, ranges,
                                     rules_for(program));
    if (!batch->grow(stop)) return std::nullopt;
    device_.synchronize();
    stats_.batches += 1;
    stats_.waits += batch->waits() + 1;
    stats_.peak_bytes = std::max(stats_.peak_bytes, data_->bytes + batch->bytes());
    return batch;
  }

  [[nodiscard]] std::int64_t launches() const {
    std::int64_t sum = 0;
    for (const auto& [shape, program] : programs_) sum += program->launches();
    return sum;
  }

  backend::Device& device_;
  const Problem& problem_;
  KernelTuning tuning_;
  GrowerLimit limit_;
  std::uint64_t budget_ = 0;
  std::optional<KernelData> data_;
  std::map<KernelShape, std::unique_ptr<KernelProgram>> programs_;
  GrowerStats stats_;
};

}  // namespace

std::unique_ptr<Grower> make_kernel_grower(backend::Device& device, const Problem& problem, const GrowerLimit& limit,
                                           const KernelTuning& tuning) {
  return std::make_unique<KernelGrower>(device, problem, limit, tuning);
}

}  // namespace overtake::forest
