// SPDX-License-Identifier: MIT
#include "nn/training/graph_engine.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "graph/compiled_step.hpp"
#include "nn/training/row_sums.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

// Steps enqueued between two looks at the stop token.
constexpr std::int64_t steps_at_once = 1024;

// The batches of one size: where their rows come from, and how far the epoch is.
class BatchSource {
 public:
  BatchSource(std::int64_t batches, std::int64_t rows, int epochs, const Device& device)
      : batches_(batches), rows_(rows), host_(static_cast<std::size_t>(batches * rows * epochs)) {
    if (empty()) return;
    order_ = Array::from(std::span<const std::int32_t>(host_), Shape{static_cast<std::int64_t>(host_.size())}, device);
    counter_ = Array::from(std::array<std::int32_t, 1>{0}, Shape{1}, device);
  }

  [[nodiscard]] bool empty() const noexcept { return batches_ == 0 || rows_ == 0; }
  [[nodiscard]] std::int64_t batches() const noexcept { return batches_; }
  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }

  // This source's share of each epoch starts at `offset` of it.
  void set(std::span<const std::int32_t> orders, std::int64_t epoch_rows, std::int64_t offset) {
    if (empty()) return;
    const std::int64_t share = batches_ * rows_;
    auto to = host_.begin();
    for (std::int64_t at = offset; at < static_cast<std::int64_t>(orders.size()); at += epoch_rows) {
      to = std::copy_n(orders.begin() + at, share, to);
    }
    graph::overwrite(order_, std::span<const std::int32_t>(host_));
    rewind();
  }

  void rewind() {
    if (!empty()) graph::overwrite(counter_, std::array<std::int32_t, 1>{0});
  }

  [[nodiscard]] Array take(const Array& data) const { return take_batch(data, order_, counter_, rows_); }
  void advance() { counter_ = counter_ + astype(ones(Shape{1}, counter_.device()), DType::int32); }
  [[nodiscard]] Array* counter() noexcept { return &counter_; }

 private:
  std::int64_t batches_;
  std::int64_t rows_;
  std::vector<std::int32_t> host_;
  Array order_;
  Array counter_;
};

class GraphEngine final : public Engine {
 public:
  explicit GraphEngine(const EngineTask& task)
      : task_(task),
        rows_(task.inputs.shape()[0]),
        full_(rows_ / task.batch, task.batch, task.epochs_at_once, task.inputs.device()),
        tail_(rows_ % task.batch == 0 ? 0 : 1, rows_ % task.batch, task.epochs_at_once, task.inputs.device()) {
    for (std::size_t i = 0; i < task.candidates.size(); ++i) {
      full_sums_.emplace_back(task.batch, task.loss.error_rate, task.inputs.device());
      tail_sums_.emplace_back(rows_ % task.batch, task.loss.error_rate, task.inputs.device());
    }
    full_step_ = compile_step(full_, full_sums_);
    if (!tail_.empty()) tail_step_ = compile_step(tail_, tail_sums_);
    summary_ = compile_summary();
    full_step_->prepare(static_cast<int>(std::min(full_.batches(), steps_at_once)));
    if (tail_step_) tail_step_->prepare(1);
    summary_->prepare(1);
  }

  [[nodiscard]] std::string_view name() const override { return "graph"; }
  [[nodiscard]] int epochs_at_once() const override { return task_.epochs_at_once; }

  void set_orders(std::span<const std::int32_t> rows_of_epochs) override {
    full_.set(rows_of_epochs, rows_, 0);
    tail_.set(rows_of_epochs, rows_, full_.batches() * full_.rows());
  }

  void rewind_orders() override {
    full_.rewind();
    tail_.rewind();
  }

  [[nodiscard]] std::int64_t run_epoch(const StopToken* stop) override {
    std::int64_t steps = 0;
    while (steps < full_.batches()) {
      if (stop != nullptr && stop->requested()) return steps;
      const std::int64_t count = std::min(full_.batches() - steps, steps_at_once);
      full_step_->run(static_cast<int>(count));
      steps += count;
    }
    if (!tail_step_) return steps;
    tail_step_->run(1);
    return steps + 1;
  }

  void reset_statistics() override { summary_->run(1); }

  [[nodiscard]] std::vector<EpochStatistics> read_statistics() override {
    summary_->run(1);
    std::vector<EpochStatistics> statistics;
    for (const Array& summary : summary_->outputs()) {
      const std::vector<float> values = summary.to_vector<float>();
      statistics.push_back(
          {.loss_sum = values[0], .correct = values[1], .bad_steps = static_cast<std::int64_t>(values[2])});
    }
    return statistics;
  }

  [[nodiscard]] EngineStats stats() const override {
    EngineStats result{.launches_per_step = full_step_->stats().launches, .bytes = full_step_->bytes()};
    result.compile_seconds = full_step_->stats().compile_seconds + summary_->stats().compile_seconds;
    if (tail_step_) result.compile_seconds += tail_step_->stats().compile_seconds;
    return result;
  }

  void require_unchanged() const override {
    full_step_->require_unchanged();
    if (tail_step_) tail_step_->require_unchanged();
  }

 private:
  std::optional<graph::CompiledStep> compile_step(BatchSource& source, std::vector<RowSums>& sums) {
    std::vector<Array*> state;
    for (const EngineCandidate& each : task_.candidates) {
      const std::vector<Array*> own = step_state(each.model, each.optimizer);
      state.insert(state.end(), own.begin(), own.end());
    }
    for (RowSums& each : sums) {
      for (Array* array : each.state()) state.push_back(array);
    }
    state.push_back(source.counter());
    return graph::CompiledStep(state, [&] {
      step(source, sums);
      return std::vector<Array>();
    });
  }

  void step(BatchSource& source, std::vector<RowSums>& sums) {
    const Array inputs = source.take(task_.inputs);
    const Array targets = source.take(task_.targets);
    for (std::size_t i = 0; i < sums.size(); ++i) step(task_.candidates[i], inputs, targets, sums[i]);
    source.advance();
  }

  void step(const EngineCandidate& candidate, const Array& inputs, const Array& targets, RowSums& sums) {
    const std::int64_t rows = inputs.shape()[0];
    const std::int64_t most = (task_.batch + task_.accumulate - 1) / task_.accumulate;  // rows of a part
    const std::int64_t parts = (rows + most - 1) / most;
    std::vector<Array> outputs, losses;
    candidate.optimizer.zero_grad();
    for (std::int64_t i = 0; i < parts; ++i) {
      // Evenly: a part of a row or two would be hard on layers that look at the batch.
      const std::int64_t begin = rows * i / parts, end = rows * (i + 1) / parts;
      const auto part = [&](const Array& all) { return parts == 1 ? all : slice(all, begin, end); };
      const Array target = part(targets);
      outputs.push_back(output_of(candidate.model, part(inputs), task_.precision));
      losses.push_back(task_.loss.rows(outputs.back(), target));
      if (losses.back().shape() != Shape{end - begin}) {
        throw UsageError("[Trainer] the loss must give one value a row, got shape " +
                         losses.back().shape().to_string());
      }
      (parts == 1 ? mean(losses.back()) : sum(losses.back()) / static_cast<float>(rows)).backward();
    }
    update(candidate.model, candidate.optimizer, task_.clip_grad_norm);
    sums.add(parts == 1 ? losses[0] : concat(losses), parts == 1 ? outputs[0] : concat(outputs), targets);
  }

  graph::CompiledStep compile_summary() {
    std::vector<Array*> state;
    for (std::vector<RowSums>* sums : {&full_sums_, &tail_sums_}) {
      for (RowSums& each : *sums) {
        for (Array* array : each.state()) state.push_back(array);
      }
    }
    return graph::CompiledStep(state, [&] {
      std::vector<Array> summaries;
      for (std::size_t i = 0; i < full_sums_.size(); ++i) {
        RowSums& full = full_sums_[i];
        RowSums& tail = tail_sums_[i];
        summaries.push_back(
            packed(full.loss() + tail.loss(), full.correct() + tail.correct(), full.bad_steps() + tail.bad_steps()));
        full.clear();
        tail.clear();
      }
      return summaries;
    });
  }

  EngineTask task_;
  std::int64_t rows_;
  BatchSource full_;
  BatchSource tail_;
  std::vector<RowSums> full_sums_;  // of each candidate
  std::vector<RowSums> tail_sums_;
  std::optional<graph::CompiledStep> full_step_;
  std::optional<graph::CompiledStep> tail_step_;
  std::optional<graph::CompiledStep> summary_;
};

}  // namespace

std::unique_ptr<Engine> make_graph_engine(const EngineTask& task) { return std::make_unique<GraphEngine>(task); }

std::unique_ptr<Engine> make_engine(EngineKind kind, const EngineTask& task) {
  switch (kind) {
    case EngineKind::graph: return make_graph_engine(task);
  }
  throw UsageError("[Trainer] there is no such engine");
}

}  // namespace overtake::nn
