// SPDX-License-Identifier: MIT
// Schedules against their formulas, and the schedulers that set an optimiser's rate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

using optim::LRScheduler;
using optim::PlateauMode;
using optim::ReduceLROnPlateau;
using optim::Schedule;
using optim::ThresholdMode;

struct Rig {
  nn::Parameter parameter{"p", zeros(Shape{1})};
  std::unique_ptr<optim::SGD> optimizer;

  explicit Rig(double rate) {
    parameter.value.requires_grad();
    optimizer = std::make_unique<optim::SGD>(std::vector{&parameter}, rate);
  }
  [[nodiscard]] double rate() const { return optimizer->learning_rate(); }
};

TEST(NnSchedule, MultiStepDropsAtEachMilestone) {
  const Schedule schedule = Schedule::multi_step_lr({3, 5, 5}, 0.5);
  const std::vector<double> expected = {0.8, 0.8, 0.8, 0.4, 0.4, 0.1, 0.1};
  for (int epoch = 0; epoch < 7; ++epoch) {
    EXPECT_NEAR(schedule.at(0.8, epoch), expected[static_cast<std::size_t>(epoch)], 1e-15) << epoch;
  }
  EXPECT_EQ(schedule.describe(), "MultiStepLR(milestones=[3, 5, 5], gamma=0.5)");
  EXPECT_THROW((void)Schedule::multi_step_lr({}), UsageError);
  EXPECT_THROW((void)Schedule::multi_step_lr({0, 3}), UsageError);
  EXPECT_THROW((void)Schedule::multi_step_lr({5, 3}), UsageError);
  EXPECT_THROW((void)Schedule::multi_step_lr({5}, 0), UsageError);
}

// The values of PyTorch's documentation of LinearLR: start_factor 0.05 / 0.5, four iterations.
TEST(NnSchedule, LinearRampsUpAndStays) {
  const Schedule schedule = Schedule::linear_lr(0.5, 1, 4);
  const std::vector<double> expected = {0.025, 0.03125, 0.0375, 0.04375, 0.05, 0.05};
  for (int epoch = 0; epoch < 6; ++epoch) {
    EXPECT_NEAR(schedule.at(0.05, epoch), expected[static_cast<std::size_t>(epoch)], 1e-15) << epoch;
  }
  EXPECT_THROW((void)Schedule::linear_lr(0), UsageError);
  EXPECT_THROW((void)Schedule::linear_lr(1.5), UsageError);
  EXPECT_THROW((void)Schedule::linear_lr(0.5, -0.1), UsageError);
  EXPECT_THROW((void)Schedule::linear_lr(0.5, 1, 0), UsageError);
  EXPECT_NEAR(Schedule::linear_lr(1, 0, 2).at(1, 1), 0.5, 1e-15);
}

TEST(NnSchedule, AWarmUpComesBeforeAnotherSchedule) {
  const Schedule schedule = Schedule::cosine_annealing_lr(10).after_warmup(4, 0.2);
  for (int epoch = 0; epoch < 14; ++epoch) {
    const double expected =
        epoch < 4 ? 0.1 * (0.2 + 0.8 * epoch / 4) : 0.1 * (1 + std::cos(std::numbers::pi * (epoch - 4) / 10)) / 2;
    EXPECT_NEAR(schedule.at(0.1, epoch), expected, 1e-15) << epoch;
  }
  EXPECT_EQ(schedule.describe(),
            "LinearLR(start_factor=0.2, total_iters=4) then CosineAnnealingLR(t_max=10, minimum=0)");
  EXPECT_THROW((void)Schedule{}.after_warmup(0), UsageError);
  EXPECT_THROW((void)Schedule{}.after_warmup(3, 0), UsageError);
}

TEST(NnSchedule, ATrainerFollowsIt) {
  nn::Sequential model = small_model(1, 2, 4, 1);
  optim::SGD optimizer(model.parameters(), 0.25);
  TrainerOptions options;
  options.epochs = 6;
  options.schedule = Schedule::multi_step_lr({3}, 0.5).after_warmup(2, 0.5);
  Trainer trainer(model, nn::Loss::mse(), optimizer, options);
  const FitReport report = trainer.fit(random_array(Shape{20, 2}, 1), random_array(Shape{20, 1}, 2));
  std::vector<double> rates;
  for (const EpochRecord& record : report.epochs) rates.push_back(record.learning_rate);
  EXPECT_EQ(rates, (std::vector<double>{0.125, 0.1875, 0.25, 0.25, 0.25, 0.125}));
}

TEST(NnScheduler, SetsTheRateOfEachEpoch) {
  Rig rig(0.5);
  LRScheduler scheduler(*rig.optimizer, Schedule::exponential_lr(0.5).after_warmup(1, 0.25));
  EXPECT_EQ(rig.rate(), 0.125);
  scheduler.step();
  EXPECT_EQ(rig.rate(), 0.5);
  scheduler.step();
  EXPECT_EQ(scheduler.last_lr(), 0.25);
  EXPECT_EQ(scheduler.last_epoch(), 2);
  EXPECT_THROW(LRScheduler(*rig.optimizer, Schedule{.kind = Schedule::Kind::step, .period = 0}), UsageError);
}

TEST(NnPlateau, LowersTheRateAfterMoreThanPatienceBadSteps) {
  Rig rig(0.5);
  ReduceLROnPlateau plateau(*rig.optimizer, {.factor = 0.5, .patience = 2, .threshold = 0.1});
  plateau.step(1);
  EXPECT_EQ(plateau.best(), 1);
  for (const double metric : {0.95, std::nan("")}) plateau.step(metric);  // within the threshold, and no number
  EXPECT_EQ(rig.rate(), 0.5);
  plateau.step(0.91);
  EXPECT_EQ(rig.rate(), 0.25);
  for (const double metric : {0.89, 0.9, 0.9}) plateau.step(metric);  // the first is an improvement
  EXPECT_EQ(rig.rate(), 0.25);
  plateau.step(0.9);
  EXPECT_EQ(plateau.last_lr(), 0.125);
}

TEST(NnPlateau, ModesThresholdsCooldownAndTheLowestRate) {
  Rig rig(1);
  ReduceLROnPlateau plateau(*rig.optimizer, {.mode = PlateauMode::max,
                                             .factor = 0.5,
                                             .patience = 0,
                                             .threshold = 0.25,
                                             .threshold_mode = ThresholdMode::abs,
                                             .cooldown = 2,
                                             .min_lr = 0.375});
  plateau.step(1);
  plateau.step(1.25);  // no more than the threshold above
  EXPECT_EQ(rig.rate(), 0.5);
  plateau.step(0);
  plateau.step(0);  // both in the cooldown
  EXPECT_EQ(rig.rate(), 0.5);
  plateau.step(0);
  EXPECT_EQ(rig.rate(), 0.375);
  plateau.step(1.5);
  EXPECT_EQ(plateau.best(), 1.5);
}

TEST(NnPlateau, LowersTheRateOfATrainerFromItsObserver) {
  class Lowers : public TrainingObserver {
   public:
    explicit Lowers(optim::Optimizer& optimizer) : plateau_(optimizer, {.factor = 0.5, .patience = 1}) {}
    void on_epoch(const EpochEvent&) override { plateau_.step(1); }  // no epoch after the first is an improvement

   private:
    ReduceLROnPlateau plateau_;
  };
  nn::Sequential model = small_model(1, 2, 4, 1);
  optim::SGD optimizer(model.parameters(), 0.25);
  Lowers observer(optimizer);
  TrainerOptions options;
  options.epochs = 6;
  options.observer = &observer;
  Trainer trainer(model, nn::Loss::mse(), optimizer, options);
  const FitReport report = trainer.fit(random_array(Shape{20, 2}, 1), random_array(Shape{20, 1}, 2));
  std::vector<double> rates;
  for (const EpochRecord& record : report.epochs) rates.push_back(record.learning_rate);
  EXPECT_EQ(rates, (std::vector<double>{0.25, 0.25, 0.25, 0.125, 0.125, 0.0625}));
}

TEST(NnPlateau, LeavesOutReductionsThatAreTooSmall) {
  Rig rig(1);
  ReduceLROnPlateau plateau(*rig.optimizer, {.factor = 0.99, .patience = 0, .eps = 0.02});
  plateau.step(1);
  plateau.step(1);
  EXPECT_EQ(rig.rate(), 1);
  EXPECT_THROW(ReduceLROnPlateau(*rig.optimizer, {.factor = 1}), UsageError);
  EXPECT_THROW(ReduceLROnPlateau(*rig.optimizer, {.patience = -1}), UsageError);
  EXPECT_THROW(ReduceLROnPlateau(*rig.optimizer, {.threshold = std::nan("")}), UsageError);
}

}  // namespace
}  // namespace overtake::testing
