// SPDX-License-Identifier: MIT
// A module of one's own: batch normalisation round a residual branch, trained by hand with clipped gradients and a
// falling rate, its state written to a safetensors file and read into another one. Usage: own_module FILE [device].
#include <cstdio>

#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/state_file.hpp"
#include "overtake/no_grad.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

namespace nn = overtake::nn;
namespace optim = overtake::optim;
using overtake::Array;
using overtake::Shape;

class Classifier : public nn::Module {
 public:
  Array forward(const Array& x) override {
    const Array hidden = relu(norm_(first_(x)));
    return last_(hidden + relu(inner_(hidden)));
  }
  std::vector<nn::NamedModule> children() override {
    return {{"first", &first_}, {"norm", &norm_}, {"inner", &inner_}, {"last", &last_}};
  }

 private:
  nn::Linear first_{2, 16};
  nn::BatchNorm1d norm_{16};
  nn::Linear inner_{16, 16};
  nn::Linear last_{16, 2};
};

int main(int argc, char** argv) try {
  const overtake::Device device(argc > 2 ? argv[2] : "cpu");
  const overtake::Dataset data = overtake::disc(1000, 0);
  const Array x = Array::from(data.inputs, Shape{1000, 2}, device);
  const Array y = Array::from(data.labels, Shape{1000}, device);
  Classifier model, copy;
  model.to(device), copy.to(device);
  optim::RMSprop optimizer(model.parameters(), 0.01);
  optim::LRScheduler scheduler(optimizer, optim::Schedule::cosine_annealing_lr(100).after_warmup(5));
  for (int epoch = 0; epoch < 100; ++epoch, scheduler.step()) {
    nn::cross_entropy(model(x), y, {.label_smoothing = 0.01}).backward();
    (void)nn::clip_grad_norm(model.parameters(), 1);
    optimizer.step();
    optimizer.zero_grad();
  }
  overtake::save_state(argc > 1 ? argv[1] : "own_module.safetensors", model);
  overtake::load_state(argc > 1 ? argv[1] : "own_module.safetensors", copy);
  copy.eval();
  const overtake::NoGrad no_grad;
  std::printf("error %.1f%%\n", 100 * (1 - mean(argmax(copy(x), -1) == y).item()));
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
