// SPDX-License-Identifier: MIT
// Settings of optimisers, schedules and the Trainer are taken as they are or refused, never replaced.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();
// Negative, not a number, and what float32 holds only as 0 or infinity.
constexpr double unusable[] = {-5, -1e-300, nan, inf, -inf, 1e-60, 1e-40, 1e39, 1e300};

TEST(NnSettings, OptimisersRefuseWhatFloat32CannotHold) {
  nn::Sequential model = small_model();
  const auto parameters = model.parameters();
  for (const double value : unusable) {
    SCOPED_TRACE(value);
    EXPECT_THAT(message_of<UsageError>([&] { optim::SGD(parameters, value); }), HasSubstr("learning rate"));
    EXPECT_THAT(message_of<UsageError>([&] { optim::SGD(parameters, 0.1, {.momentum = value}); }),
                HasSubstr("[SGD] momentum"));
    EXPECT_THAT(message_of<UsageError>([&] { optim::SGD(parameters, 0.1, {.weight_decay = value}); }),
                HasSubstr("[SGD] weight_decay"));
    EXPECT_THAT(message_of<UsageError>([&] { optim::Adam(parameters, 0.1, {.weight_decay = value}); }),
                HasSubstr("[Adam] weight_decay"));
    EXPECT_THAT(message_of<UsageError>([&] { optim::AdamW(parameters, 0.1, {.epsilon = value}); }),
                HasSubstr("[AdamW] epsilon"));
    EXPECT_THAT(message_of<UsageError>([&] { optim::Adam(parameters, 0.1, {.beta1 = value}); }), HasSubstr("beta1"));
    EXPECT_THAT(message_of<UsageError>([&] { optim::Adam(parameters, 0.1, {.beta2 = value}); }), HasSubstr("beta2"));
  }
  EXPECT_THAT(message_of<UsageError>([&] { optim::Adam(parameters, 0.1, {.beta2 = 1 - 1e-12}); }), HasSubstr("beta2"));
}

TEST(NnSettings, ARateOfZeroIsZero) {
  nn::Sequential model = small_model();
  const auto before = weights_of(model);
  optim::SGD optimizer(model.parameters(), 0);
  EXPECT_EQ(optimizer.learning_rate(), 0);
  TrainerOptions options;
  options.epochs = 3;
  const Dataset data = disc(50, 1);
  const FitReport report = Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(data.inputs, data.labels);
  EXPECT_EQ(report.last().learning_rate, 0);
  EXPECT_EQ(weights_of(model), before);
}

TEST(NnSettings, SchedulesWrittenByHandAreChecked) {
  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 0.1);
  const auto refused = [&](const optim::Schedule& schedule) {
    TrainerOptions options;
    options.schedule = schedule;
    return message_of<UsageError>([&] { Trainer(model, nn::Loss::mse(), optimizer, options); });
  };
  using Kind = optim::Schedule::Kind;
  EXPECT_THAT(refused({.kind = Kind::step, .period = 0}), HasSubstr("step_size 0"));
  EXPECT_THAT(refused({.kind = Kind::cosine, .period = -2}), HasSubstr("t_max -2"));
  EXPECT_THAT(refused({.kind = Kind::cosine, .minimum = inf}), HasSubstr("lowest rate inf"));
  EXPECT_THAT(refused({.kind = Kind::exponential, .gamma = nan}), HasSubstr("gamma nan"));
  EXPECT_THAT(refused({.kind = Kind::step, .gamma = -1}), HasSubstr("gamma -1"));
}

TEST(NnSettings, ASchedulesRatesAreCheckedBeforeTraining) {
  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 1);
  const auto before = weights_of(model);
  TrainerOptions options;
  options.epochs = 60;
  options.schedule = optim::Schedule::exponential_lr(10);
  const Dataset data = disc(50, 1);
  EXPECT_THAT(message_of<UsageError>([&] {
                (void)Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(data.inputs, data.labels);
              }),
              HasSubstr("too large for float32 from epoch 40 of 60"));
  EXPECT_EQ(weights_of(model), before);
  // A rate that decays below float32 is 0, and so is one that starts there.
  EXPECT_EQ(optim::Schedule::exponential_lr(10).at(0, 2000), 0);
  options.schedule = optim::Schedule::exponential_lr(1e-3);
  const FitReport report = Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(data.inputs, data.labels);
  EXPECT_EQ(report.stop_reason, StopReason::finished);
  EXPECT_EQ(report.last().learning_rate, 0);
}

TEST(NnSettings, TrainerOptionsThatAreNoNumbersAreRefused) {
  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 0.1);
  const auto refused = [&](const std::function<void(TrainerOptions&)>& change) {
    TrainerOptions options;
    change(options);
    return message_of<UsageError>([&] { Trainer(model, nn::Loss::mse(), optimizer, options); });
  };
  for (const double value : {nan, inf, -0.5}) {
    EXPECT_THAT(refused([&](TrainerOptions& o) { o.min_delta = value; }), HasSubstr("min_delta"));
    EXPECT_THAT(refused([&](TrainerOptions& o) { o.validation_fraction = value; }), HasSubstr("validation_fraction"));
  }
  EXPECT_THAT(refused([](TrainerOptions& o) { o.patience = -1; }), HasSubstr("patience -1"));
  EXPECT_THAT(refused([](TrainerOptions& o) { o.batch_size = -7; }), HasSubstr("batch_size -7"));
  EXPECT_THAT(refused([](TrainerOptions& o) { o.checkpoint_every = 0; }), HasSubstr("checkpoint_every 0"));
  EXPECT_THAT(refused([](TrainerOptions& o) { o.resume = true; }), HasSubstr("checkpoint_path"));
}

TEST(NnSettings, HugeCountsAreTakenAsTheyAre) {
  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 0.1);
  TrainerOptions options;
  options.epochs = 3;
  options.batch_size = std::numeric_limits<std::int64_t>::max();
  options.patience = std::numeric_limits<int>::max();
  options.report_every = std::numeric_limits<int>::max();
  options.checkpoint_every = std::numeric_limits<int>::max() / 2 + 2;
  options.checkpoint_path = fresh_path("huge_counts").string();
  const Dataset data = disc(50, 1);
  const FitReport report = Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(data.inputs, data.labels);
  EXPECT_EQ(report.epochs_run, 3);
  EXPECT_EQ(report.steps, 3);
}

}  // namespace
}  // namespace overtake::testing
