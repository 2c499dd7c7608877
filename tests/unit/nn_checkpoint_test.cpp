// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "nn_support.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/trainer.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;

struct Job {
  double rate = 0.01;
  double dropout = 0.2;
  std::int64_t rows = 130;
  TrainerOptions options;
};

struct Outcome {
  std::vector<std::vector<float>> weights;
  FitReport report;
};

Outcome train(const Job& setup, bool adam = true) {
  nn::Sequential model(nn::Linear(2, 16), nn::GELU(), nn::Dropout(static_cast<float>(setup.dropout)),
                       nn::Linear(16, 2));
  model.initialize(9);
  std::unique_ptr<optim::Optimizer> optimizer;
  if (adam) {
    optimizer = std::make_unique<optim::AdamW>(model.parameters(), setup.rate);
  } else {
    optimizer = std::make_unique<optim::SGD>(model.parameters(), setup.rate, optim::SGDOptions{.momentum = 0.9});
  }
  const Dataset data = disc(setup.rows, 2);
  Trainer trainer(model, nn::Loss::cross_entropy(), *optimizer, setup.options);
  Outcome outcome;
  outcome.report = trainer.fit(data.inputs, data.labels);
  outcome.weights = weights_of(model);
  return outcome;
}

Job base(int epochs) {
  Job setup;
  setup.options.epochs = epochs;
  setup.options.batch_size = 25;
  setup.options.validation_fraction = 0.2;
  setup.options.schedule = optim::Schedule::cosine_annealing_lr(10, 1e-4);
  return setup;
}

TEST(NnCheckpoint, ResumedTrainingHasTheSameBits) {
  for (const bool adam : {true, false}) {
    for (const bool restore_best : {true, false}) {
      Job straight = base(10);
      straight.options.restore_best = restore_best;
      const Outcome whole = train(straight, adam);

      Job halves = straight;
      halves.options.checkpoint_path = fresh_path("resume.safetensors").string();
      halves.options.epochs = 5;
      (void)train(halves, adam);
      halves.options.epochs = 10;
      halves.options.resume = true;
      const Outcome resumed = train(halves, adam);

      EXPECT_EQ(resumed.weights, whole.weights);
      EXPECT_EQ(resumed.report.epochs_run, 10);
      EXPECT_EQ(resumed.report.steps, 5 * 5);  // 104 rows of training data, batches of 25
      EXPECT_EQ(resumed.report.best_epoch, whole.report.best_epoch);
      ASSERT_EQ(resumed.report.epochs.size(), 10U);
      for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(resumed.report.epochs[i].epoch, whole.report.epochs[i].epoch);
        EXPECT_EQ(resumed.report.epochs[i].train_loss, whole.report.epochs[i].train_loss);
        EXPECT_EQ(resumed.report.epochs[i].validation_loss, whole.report.epochs[i].validation_loss);
        EXPECT_EQ(resumed.report.epochs[i].learning_rate, whole.report.epochs[i].learning_rate);
      }
    }
  }
}

TEST(NnCheckpoint, AnInterruptedTrainingResumes) {
  class Stopper : public TrainingObserver {
   public:
    void on_epoch(const EpochEvent& event) override {
      if (event.record.epoch == 4) token.request();
    }
    StopToken token;
  };
  const Outcome whole = train(base(10));
  Stopper stopper;
  Job setup = base(10);
  setup.options.checkpoint_path = fresh_path("interrupted.safetensors").string();
  setup.options.checkpoint_every = 3;
  setup.options.observer = &stopper;
  setup.options.stop = &stopper.token;
  const Outcome interrupted = train(setup);
  EXPECT_EQ(interrupted.report.stop_reason, StopReason::interrupted);
  EXPECT_EQ(interrupted.report.epochs_run, 4);
  setup.options.stop = nullptr;
  setup.options.observer = nullptr;
  setup.options.resume = true;
  EXPECT_EQ(train(setup).weights, whole.weights);
}

TEST(NnCheckpoint, AFinishedTrainingResumesToTheSameModelWithoutSteps) {
  Job setup = base(4);
  setup.options.checkpoint_path = fresh_path("finished.safetensors").string();
  const Outcome first = train(setup);
  setup.options.resume = true;
  const Outcome again = train(setup);
  EXPECT_EQ(again.report.steps, 0);
  EXPECT_EQ(again.weights, first.weights);
  EXPECT_EQ(again.report.epochs.size(), 4U);
}

TEST(NnCheckpoint, WithoutAFileResumeStartsAnew) {
  Job setup = base(3);
  const Outcome plain = train(setup);
  setup.options.checkpoint_path = fresh_path("none_yet.safetensors").string();
  setup.options.resume = true;
  EXPECT_EQ(train(setup).weights, plain.weights);
  EXPECT_TRUE(std::filesystem::exists(setup.options.checkpoint_path));
}

TEST(NnCheckpoint, OtherSettingsOrDataAreRefusedByName) {
  Job setup = base(3);
  setup.options.checkpoint_path = fresh_path("settings.safetensors").string();
  (void)train(setup);
  setup.options.resume = true;
  setup.options.epochs = 6;
  const auto refused = [&](const std::function<void(Job&)>& change, bool adam = true) {
    Job other = setup;
    change(other);
    return message_of<DataError>([&] { (void)train(other, adam); });
  };
  EXPECT_THAT(refused([](Job& s) { s.rate = 0.02; }), HasSubstr("learning rate was 0.01, is now 0.02"));
  EXPECT_THAT(refused([](Job& s) { s.options.batch_size = 26; }), HasSubstr("batch size was 25, is now 26"));
  EXPECT_THAT(refused([](Job& s) { s.options.seed = 1; }), HasSubstr("seed was 0, is now 1"));
  EXPECT_THAT(refused([](Job& s) { s.rows = 140; }), HasSubstr("training data was (104, 2)"));
  EXPECT_THAT(refused([](Job& s) { s.dropout = 0.3; }), HasSubstr("model was"));
  EXPECT_THAT(refused([](Job&) {}, false), HasSubstr("optimizer was AdamW"));
  EXPECT_THAT(refused([](Job& s) { s.options.schedule = {}; }), HasSubstr("schedule was CosineAnnealingLR"));
}

TEST(NnCheckpoint, DamagedFilesAreRefusedByName) {
  Job setup = base(2);
  const std::filesystem::path path = fresh_path("damaged.safetensors");
  setup.options.checkpoint_path = path.string();
  (void)train(setup);
  setup.options.resume = true;
  setup.options.epochs = 4;
  std::ifstream in(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(in)), {});
  const auto refused_with = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    return message_of<DataError>([&] { (void)train(setup); });
  };
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, content.size() / 2, content.size() - 1}) {
    EXPECT_THAT(refused_with(content.substr(0, length)), HasSubstr("damaged.safetensors")) << length;
  }
  std::string altered = content;
  altered[altered.size() - 3] = static_cast<char>(altered[altered.size() - 3] ^ 1);
  EXPECT_THAT(refused_with(altered), HasSubstr("damaged.safetensors"));
}

TEST(NnCheckpoint, AModelFileIsNoCheckpoint) {
  Job setup = base(2);
  const std::filesystem::path path = fresh_path("model_not_checkpoint.safetensors");
  TensorFile file;
  file.tensors.push_back({"0.weight", host_array(std::vector<float>{1}, {1, 1})});
  write_safetensors(path, file);
  setup.options.checkpoint_path = path.string();
  setup.options.resume = true;
  EXPECT_THAT(message_of<DataError>([&] { (void)train(setup); }), HasSubstr("not a checkpoint"));
}

TEST(NnCheckpoint, AFolderThatDoesNotExistIsAnError) {
  Job setup = base(2);
  setup.options.checkpoint_path = (fresh_path("no_folder") / "x.safetensors").string();
  EXPECT_THAT(message_of<DataError>([&] { (void)train(setup); }), HasSubstr("x.safetensors"));
}

}  // namespace
}  // namespace overtake::testing
