// SPDX-License-Identifier: MIT
// What training takes from a device, seen on the null device.
#include <gtest/gtest.h>

#include "backend/null/null_device.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/optim.hpp"
#include "race/cell.hpp"

namespace overtake {
namespace {

TEST(TrainingMemory, TwelveLayersFitInOneAndAHalfTimesWeightsGradientsAndActivations) {
  constexpr int layers = 12;
  constexpr std::int64_t rows = 1000, batch = 100;
  nn::Sequential model = race::race_network(layers, 0);
  model.to(Device("null"));
  std::uint64_t weights = 0, activations = 0;
  for (const nn::Parameter* parameter : model.parameters()) {
    weights += static_cast<std::uint64_t>(parameter->value.size()) * sizeof(float);
    const bool is_bias = parameter->value.shape().rank() == 1;  // as many as the layer has outputs
    if (is_bias) activations += static_cast<std::uint64_t>(batch * parameter->value.size()) * sizeof(float);
  }
  const std::uint64_t all = 2 * weights + activations;  // a gradient for each weight
  ASSERT_GT(weights, 10U << 20U);

  auto& device = static_cast<backend::null::NullDevice&>(Device("null").impl());
  const std::uint64_t before = device.memory_held();
  optim::SGD sgd(model.parameters(), 0.1);
  TrainerOptions options;
  options.epochs = 2;
  options.batch_size = batch;
  Trainer trainer(model, nn::Loss::cross_entropy(), sgd, options);
  const std::vector<float> inputs(rows * 2);
  const std::vector<std::int32_t> labels(rows);
  const FitReport report = trainer.fit(inputs, labels);

  EXPECT_GT(report.plan_bytes, weights);
  EXPECT_LT(report.plan_bytes, all * 3 / 2);
  // The device's whole peak: data, row orders and statistics too. What the model held before counts as its weights.
  EXPECT_LE(before, weights + weights / 100);
  EXPECT_LT(device.memory_peak(), all * 3 / 2);
}

}  // namespace
}  // namespace overtake
