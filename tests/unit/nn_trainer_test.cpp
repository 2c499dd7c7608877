// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/ops.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;

struct Training {
  nn::Sequential model;
  FitReport report;
};

Training train_disc(const TrainerOptions& options, std::int64_t rows = 200, double rate = 0.1) {
  Training run{small_model(), {}};
  optim::SGD optimizer(run.model.parameters(), rate);
  const Dataset data = disc(rows, 3);
  Trainer trainer(run.model, nn::Loss::cross_entropy(), optimizer, options);
  run.report = trainer.fit(data.inputs, data.labels);
  return run;
}

TrainerOptions options_for(int epochs, std::int64_t batch = 20) {
  TrainerOptions options;
  options.epochs = epochs;
  options.batch_size = batch;
  return options;
}

TEST(NnTrainer, LearnsTheDisc) {
  const Training run = train_disc(options_for(150));
  EXPECT_EQ(run.report.stop_reason, StopReason::finished);
  EXPECT_EQ(run.report.epochs_run, 150);
  EXPECT_EQ(run.report.steps, 1500);
  EXPECT_EQ(run.report.epochs.size(), 150U);
  EXPECT_LT(run.report.last().train_loss, 0.3);
  EXPECT_LT(run.report.last().train_error, 0.12);
  EXPECT_EQ(run.report.engine, "graph");
  EXPECT_EQ(run.report.device, "cpu");
  EXPECT_EQ(run.report.parameters, 2 * 8 + 8 + 8 * 2 + 2);
  EXPECT_GT(run.report.launches_per_step, 0);
  EXPECT_GT(run.report.plan_bytes, 0U);
}

TEST(NnTrainer, EqualsTheLoopWrittenByHand) {
  TrainerOptions options = options_for(5, 30);  // 200 rows: the last batch has 20
  options.shuffle = false;
  const Training run = train_disc(options);

  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 0.1);
  const Dataset data = disc(200, 3);
  const Array x = Array::from(data.inputs, Shape{200, 2});
  const Array y = labels_array(data.labels);
  for (int epoch = 0; epoch < 5; ++epoch) {
    double loss_sum = 0;
    double wrong = 0;
    for (std::int64_t begin = 0; begin < 200; begin += 30) {
      const std::int64_t end = std::min<std::int64_t>(200, begin + 30);
      const Array labels = slice(y, begin, end);
      const Array output = model(slice(x, begin, end));
      const Array loss = nn::cross_entropy(output, labels);
      loss.backward();
      optimizer.step();
      optimizer.zero_grad();
      loss_sum += loss.item() * static_cast<double>(end - begin);
      wrong += sum(not_equal(argmax(output, -1), labels)).item();
    }
    const EpochRecord& record = run.report.epochs[static_cast<std::size_t>(epoch)];
    EXPECT_NEAR(record.train_loss, loss_sum / 200, 1e-5);
    EXPECT_NEAR(record.train_error, wrong / 200, 1e-6);
  }
  nn::Sequential trained = small_model();
  const auto expected = weights_of(model);
  Training again = train_disc(options);
  const auto actual = weights_of(again.model);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (std::size_t j = 0; j < expected[i].size(); ++j) EXPECT_NEAR(actual[i][j], expected[i][j], 1e-5);
  }
}

TEST(NnTrainer, SameSeedSameBits) {
  Training a = train_disc(options_for(20));
  Training b = train_disc(options_for(20));
  EXPECT_EQ(weights_of(a.model), weights_of(b.model));
  TrainerOptions other = options_for(20);
  other.seed = 1;
  Training c = train_disc(other);
  EXPECT_NE(weights_of(a.model), weights_of(c.model));
}

TEST(NnTrainer, ReadingBackSeldomChangesNothing) {
  for (const bool shuffle : {false, true}) {
    TrainerOptions often = options_for(23, 30);
    often.shuffle = shuffle;
    TrainerOptions seldom = often;
    seldom.report_every = 10;
    Training a = train_disc(often);
    Training b = train_disc(seldom);
    EXPECT_EQ(weights_of(a.model), weights_of(b.model));
    ASSERT_EQ(b.report.epochs.size(), 3U);  // after 10, 20 and the last, 23
    EXPECT_EQ(b.report.epochs[1].epoch, 20);
    EXPECT_EQ(b.report.epochs[1].train_loss, a.report.epochs[19].train_loss);
    EXPECT_EQ(b.report.last().train_loss, a.report.last().train_loss);
    EXPECT_EQ(b.report.last().train_error, a.report.last().train_error);
  }
}

TEST(NnTrainer, EveryEpochVisitsEveryRowOnceInAnotherOrder) {
  // With a rate of 0 the loss of an epoch is the mean over all rows, whatever their order.
  Training shuffled = train_disc(options_for(3, 30), 200, 0);
  const Evaluation all = [&] {
    optim::SGD optimizer(shuffled.model.parameters(), 0);
    Trainer trainer(shuffled.model, nn::Loss::cross_entropy(), optimizer);
    const Dataset data = disc(200, 3);
    return trainer.evaluate(Array::from(data.inputs, Shape{200, 2}), labels_array(data.labels));
  }();
  for (const EpochRecord& record : shuffled.report.epochs) {
    EXPECT_NEAR(record.train_loss, all.loss, 1e-6);
    EXPECT_NEAR(record.train_error, all.error, 1e-7);
  }
}

TEST(NnTrainer, BatchesOfEverySizeWork) {
  EXPECT_EQ(train_disc(options_for(2, 1), 7).report.steps, 14);
  EXPECT_EQ(train_disc(options_for(2, 1000), 7).report.steps, 2);
  EXPECT_EQ(train_disc(options_for(2, 3), 7).report.steps, 6);
  EXPECT_EQ(train_disc(options_for(2, 7), 1).report.steps, 2);
}

TEST(NnTrainer, OneClassAndWidthOneAndWideLayersWork) {
  nn::Sequential model(nn::Linear(1, 1), nn::ReLU(), nn::Linear(1, 4097), nn::Tanh(), nn::Linear(4097, 1));
  model.initialize(2);
  optim::SGD optimizer(model.parameters(), 0.01);
  Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, options_for(3, 4));
  const std::vector<float> x = numbers(10, 4);
  const FitReport report = trainer.fit(x, std::vector<std::int32_t>(10, 0));
  EXPECT_EQ(report.last().train_loss, 0);
  EXPECT_EQ(report.last().train_error, 0);
}

TEST(NnTrainer, RegressionAndBinaryTargetsWork) {
  const std::vector<float> x = numbers(64, 8);
  std::vector<float> line;
  std::vector<float> side;
  for (const float value : x) {
    line.push_back(3 * value - 1);
    side.push_back(value > 0 ? 1.0F : 0.0F);
  }
  const Array inputs = Array::from(x, Shape{64, 1});
  nn::Sequential regression((nn::Linear(1, 1)));
  optim::SGD sgd(regression.parameters(), 0.3);
  Trainer trainer(regression, nn::Loss::mse(), sgd, options_for(60, 16));
  const FitReport report = trainer.fit(inputs, Array::from(line, Shape{64}));
  EXPECT_LT(report.last().train_loss, 1e-6);
  EXPECT_TRUE(std::isnan(report.last().train_error));

  nn::Sequential binary((nn::Linear(1, 1)));
  optim::Adam adam(binary.parameters(), 0.1);
  Trainer second(binary, nn::Loss::binary_cross_entropy_with_logits(), adam, options_for(60, 16));
  EXPECT_LT(second.fit(inputs, Array::from(side, Shape{64, 1})).last().train_error, 0.05);
}

TEST(NnTrainer, SchedulesSetTheRateOfEachEpochAndItComesBack) {
  TrainerOptions options = options_for(6);
  options.schedule = optim::Schedule::step_lr(2, 0.5);
  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 0.4);
  Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, options);
  const Dataset data = disc(100, 1);
  const FitReport report = trainer.fit(data.inputs, data.labels);
  EXPECT_NEAR(report.epochs[1].learning_rate, 0.4, 1e-7);
  EXPECT_NEAR(report.epochs[2].learning_rate, 0.2, 1e-7);
  EXPECT_NEAR(report.epochs[5].learning_rate, 0.1, 1e-7);
  EXPECT_EQ(optimizer.learning_rate(), 0.4F);
}

TEST(NnTrainer, DropoutDrawsAnewEveryStep) {
  // A rate of 0: the loss of two epochs over the same single batch can differ only through the masks.
  nn::Sequential model(nn::Linear(2, 32), nn::Dropout(0.5F), nn::Linear(32, 2));
  model.initialize(4);
  optim::SGD optimizer(model.parameters(), 0);
  Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, options_for(3, 50));
  const Dataset data = disc(50, 1);
  const FitReport report = trainer.fit(data.inputs, data.labels);
  EXPECT_NE(report.epochs[0].train_loss, report.epochs[1].train_loss);
  EXPECT_NE(report.epochs[1].train_loss, report.epochs[2].train_loss);
  EXPECT_EQ(model.buffers()[0].value->to_vector<std::int32_t>()[0], 3);
}

class Residual : public nn::Module {
 public:
  explicit Residual(std::int64_t width) : inner_(width, width) {}
  Array forward(const Array& x) override {
    assign_buffer(calls_, calls_.value + 1.0F);
    return x + relu(inner_(x));
  }
  std::vector<nn::NamedModule> children() override { return {{"inner", &inner_}}; }
  std::vector<nn::Parameter*> own_buffers() override { return {&calls_}; }

 private:
  nn::Linear inner_;
  nn::Parameter calls_{"calls", zeros(Shape{1})};
};

TEST(NnTrainer, ModulesOfOnesOwnTrainAndTheirBuffersAdvance) {
  nn::Sequential model(nn::Linear(2, 8), Residual(8), nn::Linear(8, 2));
  model.initialize(6);
  EXPECT_EQ(model.named_parameters()[2].name, "1.inner.weight");
  optim::SGD optimizer(model.parameters(), 0.1);
  const Dataset data = disc(100, 1);
  TrainerOptions options = options_for(40, 30);
  options.report_every = 8;
  options.validation_fraction = 0.1;  // its passes leave the buffers alone
  options.restore_best = false;
  const FitReport report = Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(data.inputs, data.labels);
  EXPECT_LT(report.last().train_loss, 0.8 * report.epochs.front().train_loss);
  EXPECT_EQ(model.buffers()[0].value->item(), 40 * 3);
}

TEST(NnTrainer, ModelStaysUsableAfterwards) {
  Training run = train_disc(options_for(3));
  Array x = random_array(Shape{4, 2}, 9);
  nn::cross_entropy(run.model(x), labels_array({0, 1, 0, 1})).backward();
  for (const nn::Parameter* parameter : run.model.parameters()) {
    EXPECT_TRUE(parameter->value.grad().defined());
    parameter->value.set_grad(Array());
  }
  EXPECT_TRUE(run.model.is_training());
}

class Recorder : public TrainingObserver {
 public:
  void on_start(int epochs, std::int64_t steps) override {
    started_epochs = epochs;
    started_steps = steps;
  }
  void on_epoch(const EpochEvent& event) override {
    events.push_back(event);
    if (stop != nullptr && event.record.epoch == stop_after) stop->request();
  }
  int started_epochs = 0;
  std::int64_t started_steps = 0;
  std::vector<EpochEvent> events;
  StopToken* stop = nullptr;
  int stop_after = 0;
};

TEST(NnTrainer, ObserverSeesEveryEpoch) {
  Recorder recorder;
  TrainerOptions options = options_for(4, 30);
  options.observer = &recorder;
  (void)train_disc(options);
  EXPECT_EQ(recorder.started_epochs, 4);
  EXPECT_EQ(recorder.started_steps, 7);
  ASSERT_EQ(recorder.events.size(), 4U);
  EXPECT_TRUE(recorder.events[0].best);
  EXPECT_GT(recorder.events[0].seconds_left, 0);
  EXPECT_EQ(recorder.events[3].seconds_left, 0);
}

TEST(NnTrainer, AStopRequestEndsItAndKeepsTheBest) {
  StopToken stop;
  Recorder recorder;
  recorder.stop = &stop;
  recorder.stop_after = 7;
  TrainerOptions options = options_for(1000);
  options.observer = &recorder;
  options.stop = &stop;
  options.validation_fraction = 0.25;
  Training run = train_disc(options);
  EXPECT_EQ(run.report.stop_reason, StopReason::interrupted);
  EXPECT_EQ(run.report.epochs_run, 7);
  optim::SGD optimizer(run.model.parameters(), 0.1);
  const Dataset data = disc(200, 3);
  const Dataset held_out = select(data, split_rows(200, 0.25, 0).validation);
  Trainer trainer(run.model, nn::Loss::cross_entropy(), optimizer);
  const Evaluation kept =
      trainer.evaluate(Array::from(held_out.inputs, Shape{held_out.rows, 2}), labels_array(held_out.labels));
  const EpochRecord& best = run.report.epochs[static_cast<std::size_t>(run.report.best_epoch - 1)];
  EXPECT_NEAR(kept.loss, best.validation_loss, 1e-6);
  EXPECT_NEAR(kept.error, best.validation_error, 1e-7);
}

TEST(NnTrainer, StopsEarlyAndRestoresTheBestWeights) {
  // Validation labels are the opposite of the training labels: learning makes the validation loss worse.
  const Dataset data = disc(100, 5);
  std::vector<std::int32_t> opposite;
  for (const std::int32_t label : data.labels) opposite.push_back(1 - label);
  TrainerOptions options = options_for(200);
  options.patience = 4;
  options.validation_inputs = Array::from(data.inputs, Shape{100, 2});
  options.validation_targets = labels_array(opposite);
  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 0.1);
  Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, options);
  const FitReport report = trainer.fit(data.inputs, data.labels);
  EXPECT_EQ(report.stop_reason, StopReason::early_stopped);
  EXPECT_EQ(report.epochs_run, report.best_epoch + 4);
  const Evaluation kept = trainer.evaluate(options.validation_inputs, options.validation_targets);
  EXPECT_NEAR(kept.loss, report.epochs[static_cast<std::size_t>(report.best_epoch - 1)].validation_loss, 1e-6);
  EXPECT_LT(kept.loss, report.last().validation_loss);
}

TEST(NnTrainer, DivergenceNamesTheStepAndKeepsTheLastGoodWeights) {
  TrainerOptions options = options_for(50);
  options.shuffle = false;
  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 1e30);
  Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, options);
  const auto before = weights_of(model);
  const Dataset data = disc(200, 3);
  const FitReport report = trainer.fit(data.inputs, data.labels);
  EXPECT_EQ(report.stop_reason, StopReason::diverged);
  EXPECT_EQ(report.epochs_run, 1);
  EXPECT_THAT(report.message, HasSubstr("learning rate 1e+30 is most likely too high"));
  EXPECT_THAT(report.message, HasSubstr("step " + std::to_string(report.first_bad_step)));
  EXPECT_EQ(weights_of(model), before);

  // The step it names is the first whose loss is not finite in the loop written by hand.
  nn::Sequential by_hand = small_model();
  optim::SGD second(by_hand.parameters(), 1e30);
  const Array x = Array::from(data.inputs, Shape{200, 2});
  const Array y = labels_array(data.labels);
  for (std::int64_t step = 1; step <= report.first_bad_step; ++step) {
    const std::int64_t begin = (step - 1) % 10 * 20;
    const Array loss = nn::cross_entropy(by_hand(slice(x, begin, begin + 20)), slice(y, begin, begin + 20));
    EXPECT_EQ(std::isfinite(loss.item()), step < report.first_bad_step) << step;
    loss.backward();
    second.step();
    second.zero_grad();
  }
}

TEST(NnTrainer, DivergenceInALaterEpochKeepsTheEpochBefore) {
  // The rate grows a thousandfold each epoch: some epochs are good before one is not.
  TrainerOptions options = options_for(14);
  options.schedule = optim::Schedule::exponential_lr(1000);
  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 1e-6);
  Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, options);
  const Dataset data = disc(200, 3);
  const FitReport report = trainer.fit(data.inputs, data.labels);
  ASSERT_EQ(report.stop_reason, StopReason::diverged);
  const int good = report.epochs_run - 1;
  ASSERT_GT(good, 0);
  EXPECT_GT(report.first_bad_step, 10 * good);
  TrainerOptions shorter = options;
  shorter.epochs = good;
  nn::Sequential expected = small_model();
  optim::SGD again(expected.parameters(), 1e-6);
  Trainer second(expected, nn::Loss::cross_entropy(), again, shorter);
  (void)second.fit(data.inputs, data.labels);
  EXPECT_EQ(weights_of(model), weights_of(expected));
}

TEST(NnTrainer, NaNAndInfinityInTheDataAreNamed) {
  Dataset data = disc(50, 1);
  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 0.1);
  Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, options_for(3));
  data.inputs[2 * 17 + 1] = std::nanf("");
  EXPECT_THAT(message_of<DataError>([&] { (void)trainer.fit(data.inputs, data.labels); }),
              HasSubstr("row 17, column 1 (counted from 0) is NaN"));
  data.inputs[2 * 17 + 1] = INFINITY;
  EXPECT_THAT(message_of<DataError>([&] { (void)trainer.fit(data.inputs, data.labels); }), HasSubstr("infinite"));
  // Unchecked, they show as a divergence in the epoch's first step that meets them.
  TrainerOptions unchecked = options_for(3, 50);
  unchecked.check_data = false;
  Trainer second(model, nn::Loss::cross_entropy(), optimizer, unchecked);
  const FitReport report = second.fit(data.inputs, data.labels);
  EXPECT_EQ(report.stop_reason, StopReason::diverged);
  EXPECT_EQ(report.first_bad_step, 1);
  EXPECT_THAT(report.message, HasSubstr("data"));
}

TEST(NnTrainer, RefusesWhatItCannotTrainOn) {
  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 0.1);
  Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, options_for(3));
  const auto fit = [&](const Array& x, const Array& y) {
    return message_of<UsageError>([&] { (void)trainer.fit(x, y); });
  };
  const std::vector<std::int32_t> none;
  EXPECT_THAT(message_of<UsageError>([&] { (void)trainer.fit(std::vector<float>(), none); }), HasSubstr("no rows"));
  EXPECT_THAT(fit(zeros(Shape{0, 2}), labels_array({})), HasSubstr("no rows"));
  EXPECT_THAT(fit(zeros(Shape{4, 2}), labels_array({0, 1})), HasSubstr("4 rows of inputs"));
  EXPECT_THAT(fit(zeros(Shape{2, 2}), zeros(Shape{2})), HasSubstr("takes int32 targets"));
  EXPECT_THAT(fit(zeros(Shape{2, 3}), labels_array({0, 1})), HasSubstr("[Linear] expects"));
  EXPECT_THAT(message_of<DataError>([&] {
                (void)trainer.fit(zeros(Shape{2, 2}), labels_array({0, 2}));
              }),
              HasSubstr("label of row 1 (counted from 0) is 2, but the model gives classes 0 to 1"));
}

TEST(NnTrainer, RefusesOptionsOutOfRange) {
  nn::Sequential model = small_model();
  nn::Sequential other = small_model();
  optim::SGD optimizer(model.parameters(), 0.1);
  const auto make = [&](const std::function<void(TrainerOptions&)>& change) {
    TrainerOptions options;
    change(options);
    return message_of<UsageError>([&] { Trainer(model, nn::Loss::mse(), optimizer, options); });
  };
  EXPECT_THAT(make([](TrainerOptions& o) { o.batch_size = 0; }), HasSubstr("batch_size 0"));
  EXPECT_THAT(make([](TrainerOptions& o) { o.epochs = -1; }), HasSubstr("epochs -1"));
  EXPECT_THAT(make([](TrainerOptions& o) { o.validation_fraction = 1; }), HasSubstr("validation_fraction"));
  EXPECT_THAT(make([](TrainerOptions& o) { o.report_every = 0; }), HasSubstr("report_every"));
  Trainer mixed(other, nn::Loss::cross_entropy(), optimizer);
  EXPECT_THAT(message_of<UsageError>([&] {
                (void)mixed.fit(zeros(Shape{2, 2}), labels_array({0, 1}));
              }),
              HasSubstr("not one of the model's"));
}

TEST(NnTrainer, NoEpochsLeaveTheModelAlone) {
  nn::Sequential fresh = small_model();
  Training run = train_disc(options_for(0));
  EXPECT_EQ(weights_of(run.model), weights_of(fresh));
  EXPECT_EQ(run.report.steps, 0);
}

TEST(NnTrainer, DataGoesUpOnceAndOneSmallReadComesBackEachEpoch) {
  nn::Sequential model = small_model();
  optim::SGD optimizer(model.parameters(), 0.1);
  const Dataset data = disc(200, 3);
  const Array x = Array::from(data.inputs, Shape{200, 2});
  const Array y = labels_array(data.labels);
  TrainerOptions options = options_for(1);
  options.check_data = false;
  const auto downloads = [&](int epochs) {
    options.epochs = epochs;
    const TransferCount before = Device("cpu").transfers();
    (void)Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(x, y);
    const TransferCount after = Device("cpu").transfers();
    return std::pair(after.downloads - before.downloads, after.download_bytes - before.download_bytes);
  };
  const auto few = downloads(2);
  const auto many = downloads(12);
  EXPECT_EQ(many.first - few.first, 10U);
  EXPECT_EQ(many.second - few.second, 10U * 3 * sizeof(float));
}

}  // namespace
}  // namespace overtake::testing
