// SPDX-License-Identifier: MIT
// The disc by hand: 1,000 points, inside or outside a circle; a multilayer perceptron of doubling width; cross entropy,
// SGD; the training loop written out. Usage: disc_loop [device] [layers] [epochs]. The three lines marked GPU are all
// that moves it to another processor.
#include <cstdio>
#include <cstdlib>

#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"
#include "overtake/nn.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

using overtake::Array;
using overtake::Device;
using overtake::Shape;

int main(int argc, char** argv) try {
  const int layers = argc > 2 ? std::atoi(argv[2]) : 8;
  const int epochs = argc > 3 ? std::atoi(argv[3]) : 100;
  constexpr std::int64_t rows = 1000;
  constexpr std::int64_t batch = 100;

  const overtake::Dataset data = overtake::disc(rows, 0);
  Array x = Array::from(data.inputs, Shape{rows, 2});
  Array y = Array::from(data.labels, Shape{rows});

  overtake::nn::Sequential model;
  std::int64_t width = 2;
  for (int i = 1; i < layers; ++i, width *= 2) {
    model.add(overtake::nn::Linear(width, 2 * width)).add(overtake::nn::ReLU());
  }
  model.add(overtake::nn::Linear(width, 2));

  const Device device(argc > 1 ? argv[1] : "cpu");  // GPU, line 1: name the device, "cuda" or "opencl"
  model.to(device);                                 // GPU, line 2: move the model
  x = x.to(device), y = y.to(device);               // GPU, line 3: move the data

  overtake::optim::SGD optimizer(model.parameters(), 0.1);
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    double loss_sum = 0;
    double correct = 0;
    for (std::int64_t begin = 0; begin < rows; begin += batch) {
      const Array labels = slice(y, begin, begin + batch);
      const Array output = model(slice(x, begin, begin + batch));
      const Array loss = overtake::nn::cross_entropy(output, labels);
      loss.backward();
      optimizer.step();
      optimizer.zero_grad();
      loss_sum += loss.item();
      correct += sum(equal(argmax(output, -1), labels)).item();
    }
    if (epoch % 10 != 0) continue;
    std::printf("epoch %3d  loss %.4f  error %.1f%%\n", epoch, loss_sum * batch / rows, 100 * (1 - correct / rows));
  }
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
