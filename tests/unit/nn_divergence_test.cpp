// SPDX-License-Identifier: MIT
// Which weights a training ends with when figures stop being finite, and that the report's figures are theirs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "nn_support.hpp"
#include "overtake/nn/trainer.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;

struct Job {
  double rate = 0.1;
  std::int64_t rows = 200;
  TrainerOptions options;
};

struct Ended {
  nn::Sequential model;
  FitReport report;
  Evaluation training;  ///< by a Trainer of its own
};

Ended train(const Job& setup) {
  Ended ended{small_model(), {}, {}};
  optim::SGD optimizer(ended.model.parameters(), setup.rate);
  const Dataset data = disc(setup.rows, 3);
  Trainer trainer(ended.model, nn::Loss::cross_entropy(), optimizer, setup.options);
  ended.report = trainer.fit(data.inputs, data.labels);
  Dataset rows = data;
  if (setup.options.validation_fraction > 0) {
    rows = select(data, split_rows(setup.rows, setup.options.validation_fraction, setup.options.seed).training);
  }
  ended.training = trainer.evaluate(Array::from(rows.inputs, Shape{rows.rows, 2}), labels_array(rows.labels));
  return ended;
}

// The rate grows a hundredfold each epoch: some epochs are good before one is not.
Job growing() {
  Job setup{.rate = 1e-6, .options = {}};
  setup.options.epochs = 20;
  setup.options.batch_size = 20;
  setup.options.schedule = optim::Schedule::exponential_lr(100);
  return setup;
}

// One step an epoch, so that each epoch's loss is that of the epoch before: overflow shows an epoch too late.
Job one_step_an_epoch(int epochs) {
  Job setup{.rate = 1e30, .options = {}};
  setup.options.epochs = epochs;
  setup.options.batch_size = 200;
  return setup;
}

void expect_report_of_weights(Ended& ended) {
  EXPECT_TRUE(std::isfinite(ended.report.training.loss));
  EXPECT_NEAR(ended.report.training.loss, ended.training.loss, 1e-6 * std::abs(ended.training.loss));
  EXPECT_EQ(ended.report.training.error, ended.training.error);
  for (const auto& values : weights_of(ended.model)) {
    for (const float value : values) EXPECT_TRUE(std::isfinite(value));
  }
}

TEST(NnDivergence, EndsWithTheBestEpochWhereValidationDecides) {
  Job setup = growing();
  setup.options.validation_fraction = 0.2;
  Ended ended = train(setup);
  ASSERT_EQ(ended.report.stop_reason, StopReason::diverged);
  ASSERT_GT(ended.report.best_epoch, 0);
  ASSERT_LT(ended.report.best_epoch, ended.report.epochs_run - 1) << "the last good epoch is the best: no test of this";
  EXPECT_EQ(ended.report.weights_epoch, ended.report.best_epoch);
  expect_report_of_weights(ended);
  const EpochRecord& best = ended.report.epochs[static_cast<std::size_t>(ended.report.best_epoch - 1)];
  EXPECT_EQ(ended.report.validation.loss, best.validation_loss);
  EXPECT_EQ(ended.report.validation.error, best.validation_error);
  EXPECT_THAT(ended.report.message,
              HasSubstr("The weights are those after epoch " + std::to_string(ended.report.best_epoch)));
}

TEST(NnDivergence, EndsWithTheLastWeightsWhoseLossIsFinite) {
  Job setup = growing();
  Ended ended = train(setup);
  ASSERT_EQ(ended.report.stop_reason, StopReason::diverged);
  ASSERT_GT(ended.report.weights_epoch, 0);
  expect_report_of_weights(ended);
  setup.options.epochs = ended.report.weights_epoch;
  Ended shorter = train(setup);
  EXPECT_EQ(weights_of(ended.model), weights_of(shorter.model));
  setup.options.epochs = ended.report.weights_epoch + 1;
  EXPECT_EQ(train(setup).report.stop_reason, StopReason::diverged) << "later weights were finite";
}

TEST(NnDivergence, WeightsThatOverflowedInTheLastStepOfAGoodEpochAreNotKept) {
  nn::Sequential fresh = small_model();
  Ended ended = train(one_step_an_epoch(5));
  EXPECT_EQ(ended.report.stop_reason, StopReason::diverged);
  EXPECT_EQ(ended.report.first_bad_step, 2);
  EXPECT_EQ(ended.report.epochs.size(), 1U);
  EXPECT_EQ(ended.report.weights_epoch, 0);
  EXPECT_EQ(weights_of(ended.model), weights_of(fresh));
  expect_report_of_weights(ended);
}

TEST(NnDivergence, TheVeryLastStepIsLookedAtToo) {
  nn::Sequential fresh = small_model();
  Ended ended = train(one_step_an_epoch(1));
  EXPECT_EQ(ended.report.stop_reason, StopReason::diverged);
  EXPECT_EQ(ended.report.first_bad_step, 1);
  EXPECT_THAT(ended.report.message, HasSubstr("after step 1 (epoch 1). The learning rate"));
  EXPECT_EQ(weights_of(ended.model), weights_of(fresh));
  expect_report_of_weights(ended);
}

TEST(NnDivergence, BetweenTwoReadBacksFallsBackOnAnEpochThatWasRead) {
  Job setup = growing();
  setup.options.report_every = 3;
  Ended ended = train(setup);
  ASSERT_EQ(ended.report.stop_reason, StopReason::diverged);
  EXPECT_EQ(ended.report.weights_epoch % 3, 0);
  expect_report_of_weights(ended);
}

TEST(NnDivergence, EndsWithTheBestEpochAfterSeldomReadBacks) {
  Job setup = growing();
  setup.options.report_every = 2;
  setup.options.validation_fraction = 0.2;
  Ended ended = train(setup);
  ASSERT_EQ(ended.report.stop_reason, StopReason::diverged);
  EXPECT_EQ(ended.report.weights_epoch, ended.report.best_epoch);
  expect_report_of_weights(ended);
}

TEST(NnDivergence, AValidationThatIsNeverFiniteDecidesNothing) {
  nn::Sequential model = small_model(1, 2, 8, 1);
  optim::SGD optimizer(model.parameters(), 0.01);
  TrainerOptions options;
  options.epochs = 40;
  options.patience = 6;
  options.validation_inputs = random_array(Shape{4, 2}, 3);
  options.validation_targets = Array::from(std::vector<float>(4, 3e38F), Shape{4});  // finite, but not their squares
  const Array inputs = random_array(Shape{50, 2}, 1);
  Trainer trainer(model, nn::Loss::mse(), optimizer, options);
  const FitReport report = trainer.fit(inputs, random_array(Shape{50}, 2));
  EXPECT_EQ(report.stop_reason, StopReason::early_stopped);
  EXPECT_EQ(report.epochs_run, 6);
  EXPECT_EQ(report.best_epoch, 0);
  EXPECT_EQ(report.weights_epoch, 6);
  EXPECT_FALSE(std::isfinite(report.validation.loss));
  EXPECT_TRUE(std::isfinite(report.training.loss));
}

TEST(NnDivergence, AGoodTrainingReportsTheFiguresOfItsWeights) {
  for (const double share : {0.0, 0.25}) {
    Job setup;
    setup.options.epochs = 30;
    setup.options.batch_size = 30;
    setup.options.validation_fraction = share;
    Ended ended = train(setup);
    EXPECT_EQ(ended.report.stop_reason, StopReason::finished);
    EXPECT_EQ(ended.report.weights_epoch, share > 0 ? ended.report.best_epoch : 30);
    EXPECT_EQ(std::isnan(ended.report.validation.loss), share == 0);
    expect_report_of_weights(ended);
  }
}

TEST(NnDivergence, UncheckedResultsHaveNoFigures) {
  Job setup = one_step_an_epoch(1);
  setup.options.check_result = false;
  const Ended ended = train(setup);
  EXPECT_EQ(ended.report.stop_reason, StopReason::finished);
  EXPECT_TRUE(std::isnan(ended.report.training.loss));
}

// Asks to stop a while after the first epoch.
class StopsInTheSecondEpoch : public TrainingObserver {
 public:
  ~StopsInTheSecondEpoch() override {
    if (thread_.joinable()) thread_.join();
  }
  void on_epoch(const EpochEvent& event) override {
    if (event.record.epoch != 1) return;
    thread_ = std::thread([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(4));
      token.request();
    });
  }
  StopToken token;

 private:
  std::thread thread_;
};

TEST(NnDivergence, AnInterruptInsideAnEpochSaysSoAndLeavesNoCheckpointOfHalfAnEpoch) {
  Job setup{.rate = 0.01, .rows = 20000, .options = {}};
  setup.options.epochs = 3;
  setup.options.batch_size = 1;
  const Ended whole = train(setup);
  StopsInTheSecondEpoch observer;
  setup.options.observer = &observer;
  setup.options.stop = &observer.token;
  setup.options.checkpoint_path = fresh_path("mid_epoch").string();
  setup.options.checkpoint_every = 2;
  Ended stopped = train(setup);
  ASSERT_EQ(stopped.report.stop_reason, StopReason::interrupted);
  EXPECT_EQ(stopped.report.weights_epoch, 1);
  EXPECT_EQ(stopped.report.mid_epoch, stopped.report.steps > 20000);
  EXPECT_LT(stopped.report.steps, 40000);
  EXPECT_EQ(std::filesystem::exists(setup.options.checkpoint_path), !stopped.report.mid_epoch);
  expect_report_of_weights(stopped);
  setup.options.observer = nullptr;
  setup.options.stop = nullptr;
  setup.options.resume = true;
  Ended resumed = train(setup);
  Ended same = train({.rate = 0.01, .rows = 20000, .options = setup.options});
  EXPECT_EQ(resumed.report.training.loss, whole.report.training.loss);
  EXPECT_EQ(weights_of(same.model), weights_of(resumed.model));
}

}  // namespace
}  // namespace overtake::testing
