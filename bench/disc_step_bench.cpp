// SPDX-License-Identifier: MIT
// What one training step of the disc's network (2-64-64-2, batch 100) takes: written out as in examples/disc_loop.cpp,
// and compiled by the Trainer; and what one mean of 1,000 elements takes. Usage: bench_disc_step [device]. Its twin in
// Python is disc_step.py.
#include <chrono>
#include <cstdio>

#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"
#include "overtake/random.hpp"
#include "overtake/stream.hpp"

using overtake::Array;
using overtake::Device;
using overtake::Shape;

namespace {

constexpr std::int64_t rows = 1000;
constexpr std::int64_t batch = 100;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

overtake::nn::Sequential network() {
  using overtake::nn::Linear;
  using overtake::nn::ReLU;
  overtake::nn::Sequential model;
  model.add(Linear(2, 64)).add(ReLU()).add(Linear(64, 64)).add(ReLU()).add(Linear(64, 2));
  return model;
}

double by_hand(const Device& device, int epochs) {
  const overtake::Dataset data = overtake::disc(rows, 0);
  const Array x = Array::from(data.inputs, Shape{rows, 2}).to(device);
  const Array y = Array::from(data.labels, Shape{rows}).to(device);
  overtake::nn::Sequential model = network();
  model.to(device);
  overtake::optim::SGD optimizer(model.parameters(), 0.1);
  double started = 0;
  for (int epoch = -20; epoch < epochs; ++epoch) {
    if (epoch == 0) {
      overtake::Stream(device).synchronize();
      started = now();
    }
    for (std::int64_t begin = 0; begin < rows; begin += batch) {
      const Array output = model(slice(x, begin, begin + batch));
      overtake::nn::cross_entropy(output, slice(y, begin, begin + batch)).backward();
      optimizer.step();
      optimizer.zero_grad();
    }
  }
  overtake::Stream(device).synchronize();
  return (now() - started) / (static_cast<double>(epochs) * (rows / batch));
}

double compiled(const Device& device, int epochs) {
  overtake::nn::Sequential model = network();
  model.to(device);
  overtake::optim::SGD optimizer(model.parameters(), 0.1);
  overtake::TrainerOptions options;
  options.epochs = epochs;
  options.batch_size = batch;
  options.validation_fraction = 0;
  const overtake::Dataset data = overtake::disc(rows, 0);
  overtake::Trainer trainer(model, overtake::nn::Loss::cross_entropy(), optimizer, options);
  const overtake::FitReport report = trainer.fit(data.inputs, data.labels);
  return report.seconds.compute / static_cast<double>(report.steps);
}

// Asked for one after the other, and each read back.
std::pair<double, double> mean_of_thousand(const Device& device, int times) {
  const Array x = overtake::random::uniform({1000}, device);
  for (int i = 0; i < 100; ++i) overtake::mean(x).eval();
  overtake::Stream(device).synchronize();
  double start = now();
  for (int i = 0; i < times; ++i) overtake::mean(x).eval();
  overtake::Stream(device).synchronize();
  const double queued = (now() - start) / times;
  start = now();
  for (int i = 0; i < times; ++i) (void)overtake::mean(x).item<float>();
  return {queued, (now() - start) / times};
}

}  // namespace

int main(int argc, char** argv) try {
  const Device device(argc > 1 ? argv[1] : "cpu");
  const double hand = by_hand(device, 200);
  const double step = compiled(device, 500);
  const auto [queued, read_back] = mean_of_thousand(device, 20000);
  std::printf("{\"work\": \"disc step\", \"by_hand_us\": %.2f, \"compiled_us\": %.2f}\n", hand * 1e6, step * 1e6);
  std::printf("{\"work\": \"mean of 1,000\", \"queued_us\": %.2f, \"read_back_us\": %.2f}\n", queued * 1e6,
              read_back * 1e6);
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
