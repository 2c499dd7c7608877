// SPDX-License-Identifier: MIT
// A training as users run it, whose step is compiled and replayed (on CUDA: as a graph), against the CPU's.
#include "overtake/data/dataset.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/optim.hpp"
#include "self_test/check.hpp"

namespace overtake::self_test {
namespace {

/// All weights after some steps.
std::vector<float> train_on(const Device& device) {
  constexpr std::int64_t rows = 200;
  const Dataset data = disc(rows, 0);
  nn::manual_seed(1);
  nn::Sequential model;
  model.add(nn::Linear(2, 16)).add(nn::ReLU()).add(nn::Linear(16, 2));
  model.to(device);
  constexpr float rate = 0.1F;
  optim::SGD optimizer(model.parameters(), rate);
  TrainerOptions options;
  options.epochs = 4;
  options.batch_size = 50;
  options.check_data = false;
  options.check_result = false;
  const Array inputs = Array::from(data.inputs, {rows, 2});
  const Array labels = Array::from(data.labels, {rows});
  (void)Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(inputs, labels);
  std::vector<float> weights;
  for (const nn::NamedValue& one : model.named_parameters()) {
    const std::vector<float> values = one.value->to_vector<float>();
    weights.insert(weights.end(), values.begin(), values.end());
  }
  return weights;
}

}  // namespace

void check_training(const Device& device) {
  constexpr double tolerance = 1e-4;  // rounding grows from step to step
  const std::vector<float> expected = train_on(Device("cpu"));
  expect_close("weights after a training", train_on(device), {expected.begin(), expected.end()}, tolerance);
}

}  // namespace overtake::self_test
