// SPDX-License-Identifier: MIT
// A training that ended stays ended: resumed with the same settings it changes nothing, with more it goes on as if it
// had never stopped, with less it is refused.
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
  double rate = 0.05;
  TrainerOptions options;
};

struct Outcome {
  std::vector<std::vector<float>> weights;
  FitReport report;
};

Outcome train(const Job& job) {
  nn::Sequential model(nn::Linear(2, 16), nn::ReLU(), nn::Dropout(0.1F), nn::Linear(16, 2));
  model.initialize(9);
  optim::SGD optimizer(model.parameters(), job.rate, optim::SGDOptions{.momentum = 0.5});
  const Dataset data = disc(120, 2);
  Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, job.options);
  Outcome outcome;
  outcome.report = trainer.fit(data.inputs, data.labels);
  outcome.weights = weights_of(model);
  return outcome;
}

// Stops early, long before its epochs are done.
Job early(std::uint64_t seed, double validation = 0.3) {
  Job job{.rate = 0.8, .options = {}};
  job.options.epochs = 2000;
  job.options.batch_size = 10;
  job.options.seed = seed;
  job.options.validation_fraction = validation;
  job.options.patience = 3;
  job.options.checkpoint_every = 4;
  return job;
}

// Diverges after a few good epochs; with one step an epoch the loss shows it an epoch too late.
Job diverging(bool validates, std::int64_t batch) {
  Job job{.rate = 1e-6, .options = {}};
  job.options.epochs = 20;
  job.options.batch_size = batch;
  job.options.validation_fraction = validates ? 0.3 : 0;
  job.options.schedule = optim::Schedule::exponential_lr(100);
  job.options.checkpoint_every = 3;
  return job;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void expect_same(const Outcome& one, const Outcome& other) {
  EXPECT_EQ(one.weights, other.weights);
  EXPECT_EQ(one.report.stop_reason, other.report.stop_reason);
  EXPECT_EQ(one.report.message, other.report.message);
  EXPECT_EQ(one.report.first_bad_step, other.report.first_bad_step);
  EXPECT_EQ(one.report.epochs_run, other.report.epochs_run);
  EXPECT_EQ(one.report.best_epoch, other.report.best_epoch);
  EXPECT_EQ(one.report.weights_epoch, other.report.weights_epoch);
  EXPECT_EQ(one.report.training.loss, other.report.training.loss);
  ASSERT_EQ(one.report.epochs.size(), other.report.epochs.size());
  for (std::size_t i = 0; i < one.report.epochs.size(); ++i) {
    EXPECT_EQ(one.report.epochs[i].train_loss, other.report.epochs[i].train_loss) << i;
  }
}

// The job, then the same again twice: nothing may change, in the file neither.
void expect_repeatable(Job job, const char* name) {
  const Outcome plain = train(job);
  job.options.checkpoint_path = fresh_path(name).string();
  const Outcome first = train(job);
  expect_same(plain, first);
  const std::string file = bytes_of(job.options.checkpoint_path);
  ASSERT_FALSE(file.empty());
  job.options.resume = true;
  for (int time = 0; time < 2; ++time) {
    const Outcome again = train(job);
    EXPECT_EQ(again.report.steps, 0);
    EXPECT_EQ(again.report.resumed_epoch, first.report.epochs_run);
    expect_same(first, again);
    EXPECT_EQ(bytes_of(job.options.checkpoint_path), file);
  }
}

TEST(NnResume, AfterEarlyStoppingNothingChanges) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    ASSERT_EQ(train(early(seed)).report.stop_reason, StopReason::early_stopped);
    expect_repeatable(early(seed), "early");
  }
  ASSERT_EQ(train(early(1, 0)).report.stop_reason, StopReason::early_stopped);
  expect_repeatable(early(1, 0), "early_without_validation");
  Job last = early(2);
  last.options.restore_best = false;
  expect_repeatable(last, "early_last_weights");
}

TEST(NnResume, AfterDivergenceNothingChanges) {
  for (const bool validates : {true, false}) {
    for (const std::int64_t batch : {10, 120}) {
      ASSERT_EQ(train(diverging(validates, batch)).report.stop_reason, StopReason::diverged);
      expect_repeatable(diverging(validates, batch), "diverged");
    }
  }
  Job at_once{.rate = 1e30, .options = {}};
  at_once.options.epochs = 4;
  at_once.options.batch_size = 10;
  expect_repeatable(at_once, "diverged_at_once");
  at_once.options.epochs = 1;
  at_once.options.batch_size = 120;  // the last step of all
  ASSERT_EQ(train(at_once).report.stop_reason, StopReason::diverged);
  expect_repeatable(at_once, "diverged_at_last");
}

TEST(NnResume, ADivergedTrainingIsNotContinuedWithMoreEpochs) {
  Job job = diverging(false, 10);
  job.options.checkpoint_path = fresh_path("diverged_more").string();
  const Outcome first = train(job);
  job.options.resume = true;
  job.options.epochs = 22;
  expect_same(first, train(job));
}

class StopsAfter : public TrainingObserver {
 public:
  explicit StopsAfter(int epoch) : epoch_(epoch) {}
  void on_epoch(const EpochEvent& event) override {
    if (event.record.epoch == epoch_) token.request();
  }
  StopToken token;

 private:
  int epoch_;
};

// Stopped after each epoch in turn and resumed: the bits of the whole training, whatever its end.
TEST(NnResume, StoppedAfterAnyEpochItEndsAlike) {
  for (const Job& whole : {early(3), early(3, 0), diverging(true, 10), diverging(false, 10), diverging(false, 120)}) {
    const Outcome expected = train(whole);
    for (int epoch = 1; epoch < expected.report.epochs_run; ++epoch) {
      Job job = whole;
      job.options.checkpoint_path = fresh_path("stopped").string();
      StopsAfter stopper(epoch);
      job.options.observer = &stopper;
      job.options.stop = &stopper.token;
      const Outcome stopped = train(job);
      EXPECT_EQ(stopped.report.stop_reason, StopReason::interrupted);
      job.options.observer = nullptr;
      job.options.stop = nullptr;
      job.options.resume = true;
      const Outcome resumed = train(job);
      EXPECT_EQ(resumed.report.resumed_epoch, epoch);
      expect_same(expected, resumed);
    }
  }
}

TEST(NnResume, MorePatienceGoesOnAsIfItHadBeenGivenAtOnce) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Job patient = early(seed);
    patient.options.patience = 8;
    const Outcome whole = train(patient);
    Job job = early(seed);
    job.options.checkpoint_path = fresh_path("patience").string();
    const Outcome first = train(job);
    job.options.resume = true;
    job.options.patience = 8;
    const Outcome more = train(job);
    EXPECT_GT(more.report.epochs_run, first.report.epochs_run);
    expect_same(whole, more);
  }
}

TEST(NnResume, MoreEpochsDoNotHelpATrainingThatHadStoppedEarly) {
  Job job = early(0);
  job.options.checkpoint_path = fresh_path("more_epochs").string();
  const Outcome first = train(job);
  job.options.resume = true;
  job.options.epochs = 5000;
  expect_same(first, train(job));
}

TEST(NnResume, LessThanTheFileHoldsIsRefused) {
  Job job = early(0);
  job.options.checkpoint_path = fresh_path("less").string();
  const Outcome first = train(job);
  job.options.resume = true;
  const int held = first.report.epochs_run;
  Job shorter = job;
  shorter.options.epochs = held - 1;
  EXPECT_THAT(message_of<DataError>([&] { (void)train(shorter); }),
              HasSubstr("it holds " + std::to_string(held) + " epochs, asked for are " + std::to_string(held - 1)));
  Job impatient = job;
  impatient.options.patience = 1;
  EXPECT_THAT(message_of<DataError>([&] { (void)train(impatient); }),
              HasSubstr("a patience of 1 would have ended it after epoch"));
  Job seldom = job;
  seldom.options.report_every = 2;
  EXPECT_THAT(message_of<DataError>([&] { (void)train(seldom); }), HasSubstr("epochs read back was all, is now"));
}

TEST(NnResume, TheFileSaysWhyTrainingEnded) {
  const auto ended = [](const Job& job) {
    (void)train(job);
    return read_safetensors(job.options.checkpoint_path).metadata.at("overtake.checkpoint");
  };
  Job job = early(0);
  job.options.checkpoint_path = fresh_path("why").string();
  EXPECT_THAT(ended(job), HasSubstr(R"("ended":"early_stopped")"));
  job.options.patience = 0;
  job.options.epochs = 8;  // a multiple of checkpoint_every
  EXPECT_THAT(ended(job), HasSubstr(R"("ended":"finished")"));
  Job worse = diverging(true, 10);
  worse.options.checkpoint_path = job.options.checkpoint_path;
  EXPECT_THAT(ended(worse), HasSubstr(R"("ended":"diverged")"));
}

}  // namespace
}  // namespace overtake::testing
