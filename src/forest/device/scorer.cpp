// SPDX-License-Identifier: MIT
#include "forest/device/scorer.hpp"

#include <algorithm>

#include "backend/api/device.hpp"
#include "core/checked.hpp"
#include "core/stop.hpp"
#include "forest/grow/grower.hpp"
#include "forest/tree/pruning.hpp"

namespace overtake::forest {
namespace {

constexpr std::int32_t rows_per_group = 64;

}  // namespace

KernelScorer::KernelScorer(backend::Device& device, KernelProgram& program, const Problem& problem,
                           const KernelData& data, std::span<const ForestJob> jobs, std::size_t views, bool predictions)
    : device_(device),
      program_(program),
      problem_(problem),
      data_(data),
      jobs_(jobs),
      wants_predictions_(predictions || problem.targets.classes == 0),
      returns_predictions_(predictions),
      views_(views) {
  const auto classes = static_cast<std::size_t>(problem.targets.classes);
  confusion_ = upload_vector(device, std::vector<std::int32_t>(views * classes * classes, 0));
  errors_ = upload_vector(device, std::vector<double>(classes > 0 ? 0 : 2 * views, 0.0));
  bytes_ = confusion_->bytes() + errors_->bytes();
}

std::size_t KernelScorer::test_rows(const Limits& limits) const {
  return problem_.folds[jobs_[limits.job].fold].test.size();
}

void KernelScorer::begin_wave(std::vector<Limits> limits) {
  limits_ = std::move(limits);
  sums_first_.clear();
  predictions_first_.clear();
  std::size_t sum_rows = 0;
  prediction_rows_ = 0;
  for (const Limits& limit : limits_) {
    sums_first_.push_back(narrow<std::int32_t>(sum_rows, "the number of test rows of a wave"));
    sum_rows += test_rows(limit);
    std::vector<std::int32_t> firsts;
    for (std::size_t member = 0; member < limit.members.size(); ++member) {
      firsts.push_back(
          wants_predictions_ ? narrow<std::int32_t>(prediction_rows_, "the number of predictions of a wave") : -1);
      if (wants_predictions_) prediction_rows_ += test_rows(limit);
    }
    predictions_first_.push_back(std::move(firsts));
  }
  const auto outputs = static_cast<std::size_t>(std::max(problem_.targets.classes, 1));
  sums_.reset();
  predictions_.reset();
  sums_ = device_.allocate(std::max<std::size_t>(16, sum_rows * outputs * 8));
  predictions_ = device_.allocate(std::max<std::size_t>(16, prediction_rows_ * outputs * 8));
  const auto words = static_cast<std::int64_t>(sum_rows * outputs * 2);
  program_.launch("forest_fill_zero",
                  {{static_cast<std::uint32_t>(std::clamp<std::int64_t>(words / 1024, 1, 4096)), 1, 1}, {64, 1, 1}},
                  {arg(sums_), arg(words)});
  wave_bytes_ = confusion_->bytes() + errors_->bytes() + sums_->bytes() + predictions_->bytes();
  bytes_ = std::max(bytes_, wave_bytes_);
}

BufferPtr KernelScorer::make_flags(KernelBatch& batch, const GrowBatch& ranges, std::vector<std::int32_t>& place_of,
                                   const StopToken* stop) {
  place_of.assign(limits_.size(), -1);
  std::int32_t places = 0;
  for (std::size_t limit = 0; limit < limits_.size(); ++limit) {
    const bool here = std::any_of(ranges.ranges.begin(), ranges.ranges.end(),
                                  [&](const TreeRange& range) { return range.job == limits_[limit].job; });
    if (here && limits_[limit].view.needs_pruning()) place_of[limit] = places++;
  }
  const auto capacity = static_cast<std::size_t>(batch.node_capacity());
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(places) * capacity, 0);
  std::size_t slot = 0;
  for (const TreeRange& range : ranges.ranges) {
    for (std::int32_t tree = range.first; tree < range.last; ++tree, ++slot) {
      KernelBatch::OrderedTree grown;
      for (std::size_t limit = 0; limit < limits_.size(); ++limit) {
        if (place_of[limit] < 0 || limits_[limit].job != range.job) continue;
        if (is_stopped(stop)) return nullptr;
        if (grown.number_of.empty()) grown = batch.order(batch.fetch(slot, true), jobs_[range.job].rule.criterion);
        const auto leaves = leaf_flags(problem_, jobs_[range.job], limits_[limit].view, grown.tree);
        const std::size_t first = static_cast<std::size_t>(place_of[limit]) * capacity +
                                  static_cast<std::size_t>(batch.trees()[slot].node_first);
        for (std::size_t node = 0; node < grown.number_of.size(); ++node) {
          if (grown.number_of[node] >= 0) flags[first + node] = leaves[grown.number_of[node]];
        }
      }
    }
  }
  return upload_vector(device_, flags);
}

bool KernelScorer::add(KernelBatch& batch, const GrowBatch& ranges, const StopToken* stop) {
  std::vector<std::int32_t> flag_place;
  const BufferPtr flags = make_flags(batch, ranges, flag_place, stop);
  if (!flags) return false;
  std::vector<LimitRow> limit_rows;
  std::vector<MemberRow> member_rows;
  std::vector<std::int32_t> member_limits;
  std::int32_t slot = 0;
  std::size_t most_rows = 0;
  for (const TreeRange& range : ranges.ranges) {
    for (std::size_t limit = 0; limit < limits_.size(); ++limit) {
      if (limits_[limit].job != range.job) continue;
      LimitRow row{};
      row.slot_first = slot;
      row.slot_count = range.last - range.first;
      row.max_depth = limits_[limit].view.max_depth;
      row.min_split = limits_[limit].view.min_samples_split;
      row.flags = flag_place[limit];
      row.sums_first = sums_first_[limit];
      row.test_first = data_.test_first[jobs_[range.job].fold];
      row.test_rows = narrow<std::int32_t>(test_rows(limits_[limit]), "the number of test rows");
      row.member_first = narrow<std::int32_t>(member_rows.size(), "the number of views");
      for (std::size_t member = 0; member < limits_[limit].members.size(); ++member) {
        const Limits::Member& of = limits_[limit].members[member];
        if (of.trees <= range.first || of.trees > range.last) continue;
        member_rows.push_back({of.view, of.trees, predictions_first_[limit][member]});
        member_limits.push_back(narrow<std::int32_t>(limit_rows.size(), "the number of limits"));
      }
      row.member_count = narrow<std::int32_t>(member_rows.size(), "the number of views") - row.member_first;
      most_rows = std::max(most_rows, test_rows(limits_[limit]));
      limit_rows.push_back(row);
    }
    slot += range.last - range.first;
  }
  if (limit_rows.empty() || most_rows == 0) {
    keep_control(batch);
    return true;
  }
  const BufferPtr limit_table = upload_vector(device_, limit_rows);
  const BufferPtr member_table = upload_vector(device_, member_rows);
  bytes_ = std::max(bytes_, wave_bytes_ + flags->bytes() + limit_table->bytes() + member_table->bytes() +
                                member_limits.size() * sizeof(std::int32_t));
  const auto groups = static_cast<std::uint32_t>((most_rows + rows_per_group - 1) / rows_per_group);
  program_.launch("forest_score_rows",
                  {{std::min<std::uint32_t>(groups, 65535), static_cast<std::uint32_t>(limit_rows.size()), 1},
                   {rows_per_group, 1, 1}},
                  {arg(program_.shape_table()), arg(batch.table(Table::trees)), arg(batch.table(Table::nodes)),
                   arg(batch.table(Table::stats)), arg(data_.first), arg(data_.bins), arg(data_.test),
                   arg(data_.labels), arg(limit_table), arg(member_table), arg(flags), arg(batch.node_capacity()),
                   arg(sums_), arg(confusion_), arg(predictions_)});
  if (problem_.targets.classes == 0 && !member_rows.empty()) {
    sum_errors(member_rows, member_limits, limit_table, member_table);
  }
  keep_control(batch);
  return true;
}

// What the batch met is looked at when all is done: asking now would wait for the device.
void KernelScorer::keep_control(KernelBatch& batch) { controls_.push_back(batch.take_control()); }

void KernelScorer::sum_errors(const std::vector<MemberRow>& member_rows, const std::vector<std::int32_t>& member_limits,
                              const BufferPtr& limit_table, const BufferPtr& member_table) {
  const BufferPtr limits_of_members = upload_vector(device_, member_limits);
  program_.launch("forest_sum_errors",
                  {{static_cast<std::uint32_t>(member_rows.size()), 1, 1}, {formulas::ERROR_LANES, 1, 1}},
                  {arg(program_.shape_table()), arg(limit_table), arg(member_table), arg(limits_of_members),
                   arg(data_.test), arg(data_.values), arg(predictions_), arg(errors_)});
}

void KernelScorer::end_wave(std::vector<FoldOutcome>& outcomes) {
  if (!returns_predictions_ || prediction_rows_ == 0) return;
  const auto outputs = static_cast<std::size_t>(std::max(problem_.targets.classes, 1));
  const auto all = download_vector<double>(device_, *predictions_, prediction_rows_ * outputs);
  for (std::size_t limit = 0; limit < limits_.size(); ++limit) {
    const std::size_t count = test_rows(limits_[limit]) * outputs;
    for (std::size_t member = 0; member < limits_[limit].members.size(); ++member) {
      const double* first = all.data() + static_cast<std::size_t>(predictions_first_[limit][member]) * outputs;
      outcomes[limits_[limit].members[member].view].predictions.assign(first, first + count);
    }
  }
}

void KernelScorer::finish(std::vector<FoldOutcome>& outcomes) {
  for (const BufferPtr& control : controls_) require_no_overflow(device_, *control);
  const auto classes = static_cast<std::size_t>(problem_.targets.classes);
  if (classes > 0) {
    const auto counts = download_vector<std::int32_t>(device_, *confusion_, views_ * classes * classes);
    for (std::size_t view = 0; view < views_; ++view) {
      const auto begin = counts.begin() + static_cast<std::ptrdiff_t>(view * classes * classes);
      outcomes[view].confusion.assign(begin, begin + static_cast<std::ptrdiff_t>(classes * classes));
    }
    return;
  }
  const auto errors = download_vector<double>(device_, *errors_, 2 * views_);
  for (std::size_t view = 0; view < views_; ++view) {
    outcomes[view].squared_error = errors[2 * view];
    outcomes[view].absolute_error = errors[2 * view + 1];
  }
}

}  // namespace overtake::forest
