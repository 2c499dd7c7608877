// SPDX-License-Identifier: MIT
// What a Trainer's step becomes, seen on the null device: how many launches, how many reads, how much memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "backend/null/null_device.hpp"
#include "nn_support.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

using backend::null::NullDevice;

NullDevice& null_device() { return static_cast<NullDevice&>(Device("null").impl()); }

nn::Sequential disc_model(int layers) {
  nn::Sequential model;
  std::int64_t width = 2;
  for (int i = 1; i < layers; ++i, width *= 2) model.add(nn::Linear(width, 2 * width)).add(nn::ReLU());
  model.add(nn::Linear(width, 2));
  model.to("null");
  return model;
}

FitReport fit(nn::Sequential& model, optim::Optimizer& optimizer, const TrainerOptions& options) {
  const Dataset data = disc(1000, 0);
  return Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(data.inputs, data.labels);
}

TrainerOptions plain(int epochs) {
  TrainerOptions options;
  options.epochs = epochs;
  options.report_every = epochs;
  return options;
}

TEST(NnStepPlan, EachLayerCostsFourLaunches) {
  std::vector<int> launches;
  for (int layers = 2; layers <= 5; ++layers) {
    nn::Sequential model = disc_model(layers);
    optim::SGD optimizer(model.parameters(), 0.1);
    launches.push_back(fit(model, optimizer, plain(1)).launches_per_step);
  }
  // Two to take the batch, the two rows functions, the gradient of the logits, the step counter; then forward, input
  // gradient (not for the first layer), weight update, bias update.
  EXPECT_LE(launches[0], 13);
  for (std::size_t i = 1; i < launches.size(); ++i) EXPECT_EQ(launches[i] - launches[i - 1], 4);
}

TEST(NnStepPlan, LaunchesGrowWithStepsAndNotWithReports) {
  nn::Sequential model = disc_model(3);
  optim::SGD optimizer(model.parameters(), 0.1);
  const auto launches_of = [&](int epochs) {
    const std::uint64_t before = null_device().record().launches;
    (void)fit(model, optimizer, plain(epochs));
    return null_device().record().launches - before;
  };
  const int per_step = fit(model, optimizer, plain(1)).launches_per_step;
  // From 2 epochs on the sums are cleared once before the last: the rest is the same for any number of epochs.
  EXPECT_EQ(launches_of(32) - launches_of(2), static_cast<std::uint64_t>(30 * 10 * per_step));
}

TEST(NnStepPlan, OneUploadServesManyEpochs) {
  nn::Sequential model = disc_model(3);
  optim::SGD optimizer(model.parameters(), 0.1);
  const auto transfers_of = [&](int epochs) {
    const TransferCount before = Device("null").transfers();
    (void)fit(model, optimizer, plain(epochs));
    const TransferCount after = Device("null").transfers();
    return std::pair(after.uploads - before.uploads, after.downloads - before.downloads);
  };
  (void)transfers_of(1);  // the first fit also brings up the learning rate
  EXPECT_EQ(transfers_of(50), transfers_of(2));
}

TEST(NnStepPlan, TheUpdateIsPartOfTheGradientsOperation) {
  nn::Sequential model = disc_model(3);
  optim::SGD optimizer(model.parameters(), 0.1);
  const std::size_t before = null_device().record().schedules.size();
  (void)fit(model, optimizer, plain(1));
  const auto& schedules = null_device().record().schedules;
  const backend::Schedule* step = nullptr;
  for (std::size_t i = before; i < schedules.size(); ++i) {
    if (step == nullptr || schedules[i].operations.size() > step->operations.size()) step = &schedules[i];
  }
  ASSERT_NE(step, nullptr);
  int products = 0;
  int updates = 0;
  for (const backend::Operation& operation : step->operations) {
    const bool product = operation.name.starts_with("matmul");
    products += product;
    updates += product && operation.name.find("subtract") != std::string::npos;
  }
  EXPECT_EQ(products, 3 + 2 + 3);  // forward, input gradients, weight gradients
  EXPECT_EQ(updates, 3);
}

TEST(NnStepPlan, MemoryIsWeightsGradientsAndActivations) {
  nn::Sequential model = disc_model(10);
  optim::SGD optimizer(model.parameters(), 0.1);
  const FitReport report = fit(model, optimizer, plain(1));
  const double weights = 4.0 * static_cast<double>(report.parameters);
  double activations = 0;
  for (double width = 4; width <= 1024; width *= 2) activations += 4 * 100 * width;
  EXPECT_LT(static_cast<double>(report.plan_bytes), 1.5 * (2 * weights + 2 * activations));
}

}  // namespace
}  // namespace overtake::testing
