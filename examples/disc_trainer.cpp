// SPDX-License-Identifier: MIT
// The disc with the Trainer: the same network as disc_loop.cpp, trained by one call. Its whole step is one compiled
// plan, and the data crosses to the device once. Usage: disc_trainer [device] [layers] [epochs].
#include <cstdio>
#include <cstdlib>

#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/trainer.hpp"

namespace nn = overtake::nn;

namespace {

class Printer : public overtake::TrainingObserver {
 public:
  void on_epoch(const overtake::EpochEvent& event) override {
    if (event.record.epoch % 10 != 0) return;
    std::printf("epoch %3d  loss %.4f  error %.1f%%  validation error %.1f%%  %.2f s left\n", event.record.epoch,
                event.record.train_loss, 100 * event.record.train_error, 100 * event.record.validation_error,
                event.seconds_left);
  }
};

}  // namespace

int main(int argc, char** argv) try {
  const int layers = argc > 2 ? std::atoi(argv[2]) : 8;
  nn::Sequential model;
  std::int64_t width = 2;
  for (int i = 1; i < layers; ++i, width *= 2) model.add(nn::Linear(width, 2 * width)).add(nn::ReLU());
  model.add(nn::Linear(width, 2));
  model.to(argc > 1 ? argv[1] : "cpu");  // "cuda" or "opencl": the one word that moves the training to the GPU

  overtake::optim::SGD optimizer(model.parameters(), 0.1);
  Printer printer;
  overtake::TrainerOptions options;
  options.epochs = argc > 3 ? std::atoi(argv[3]) : 100;
  options.batch_size = 100;
  options.validation_fraction = 0.2;
  options.observer = &printer;

  const overtake::Dataset data = overtake::disc(1000, 0);
  overtake::Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, options);
  const overtake::FitReport report = trainer.fit(data.inputs, data.labels);
  std::printf("%s\n%s\n", model.to_string().c_str(), report.message.c_str());
  std::printf("%lld steps on %s: compile %.3f s, transfer %.3f s, compute %.3f s\n",
              static_cast<long long>(report.steps), report.device.c_str(), report.seconds.compile,
              report.seconds.transfer, report.seconds.compute);
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
