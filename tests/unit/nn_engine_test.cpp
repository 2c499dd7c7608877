// SPDX-License-Identifier: MIT
// One engine trains several networks side by side; each candidate's policies decide for it alone.
#include "nn/training/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "nn/training/candidate.hpp"
#include "nn_support.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

struct Member {
  nn::Sequential model;
  optim::Adam optimizer;
  TrainerOptions options;

  Member(std::int64_t hidden, double rate, int patience, const nn::TrainingData& data)
      : model(small_model(static_cast<std::uint64_t>(hidden), 2, hidden)), optimizer(model.parameters(), rate) {
    options.epochs = 25;
    options.batch_size = 32;
    options.shuffle = false;
    options.patience = patience;
    options.validation_inputs = data.validation_inputs;
    options.validation_targets = data.validation_targets;
  }
};

std::vector<std::unique_ptr<Member>> members(const nn::TrainingData& data) {
  std::vector<std::unique_ptr<Member>> all;
  all.push_back(std::make_unique<Member>(4, 0.3, 2, data));
  all.push_back(std::make_unique<Member>(16, 0.01, 0, data));
  all.push_back(std::make_unique<Member>(9, 1e20, 0, data));  // diverges
  return all;
}

nn::TrainingData disc_data() {
  const Dataset rows = disc(300, 0), others = disc(100, 1);  // 9 batches of 32 and one of 12
  const auto array = [](const Dataset& data) { return Array::from(data.inputs, Shape{data.rows, 2}); };
  return {array(rows), labels_array(rows.labels), array(others), labels_array(others.labels)};
}

std::vector<FitReport> train_together(std::vector<std::unique_ptr<Member>>& all, const nn::TrainingData& data) {
  const nn::Loss loss = nn::Loss::cross_entropy();
  std::vector<std::unique_ptr<nn::Candidate>> candidates;
  nn::EngineTask task{{}, loss, data.inputs, data.targets, 32, 1};
  for (const auto& each : all) {
    candidates.push_back(std::make_unique<nn::Candidate>(each->model, loss, each->optimizer, each->options, data));
    candidates.back()->begin();
    task.candidates.push_back(candidates.back()->parts());
  }
  auto engine = nn::make_engine(EngineKind::graph, task);
  for (const auto& each : candidates) each->bind();
  std::vector<std::int32_t> order(static_cast<std::size_t>(data.rows()));
  std::iota(order.begin(), order.end(), 0);
  engine->set_orders(order);
  std::vector<bool> trains(candidates.size(), true);
  for (int epoch = 0; epoch < 25; ++epoch) {
    for (const auto& each : candidates) each->set_rate(epoch);
    const std::int64_t steps = engine->run_epoch(nullptr);
    const std::vector<nn::EpochStatistics> sums = engine->read_statistics();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (!trains[i]) continue;
      candidates[i]->add_steps(epoch, steps);
      trains[i] = candidates[i]->accept(sums[i], 0, *engine) && !candidates[i]->is_over();
    }
    engine->rewind_orders();
  }
  engine.reset();
  std::vector<FitReport> reports;
  for (const auto& each : candidates) reports.push_back(each->finish());
  return reports;
}

TEST(NnEngine, NetworksSideBySideEndAsTheyWouldAlone) {
  const nn::TrainingData data = disc_data();
  auto together = members(data), alone = members(data);
  const std::vector<FitReport> reports = train_together(together, data);
  ASSERT_EQ(reports.size(), alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    const FitReport expected =
        Trainer(alone[i]->model, nn::Loss::cross_entropy(), alone[i]->optimizer, alone[i]->options)
            .fit(data.inputs, data.targets);
    EXPECT_EQ(reports[i].stop_reason, expected.stop_reason) << i;
    EXPECT_EQ(reports[i].epochs_run, expected.epochs_run) << i;
    EXPECT_EQ(reports[i].weights_epoch, expected.weights_epoch) << i;
    EXPECT_EQ(reports[i].message, expected.message) << i;
    EXPECT_EQ(weights_of(together[i]->model), weights_of(alone[i]->model)) << i;
  }
  EXPECT_EQ(reports[0].stop_reason, StopReason::early_stopped);
  EXPECT_EQ(reports[1].stop_reason, StopReason::finished);
  EXPECT_EQ(reports[2].stop_reason, StopReason::diverged);
}

}  // namespace
}  // namespace overtake::testing
