// SPDX-License-Identifier: MIT
// From a table to a model file and back to answers and scores, in a few lines, for networks and forests alike.
#include <gtest/gtest.h>

#include <cmath>

#include "data_support.hpp"
#include "overtake/forest.hpp"
#include "overtake/model.hpp"
#include "overtake/nn/network.hpp"
#include "overtake/placement.hpp"
#include "overtake/scores.hpp"

namespace overtake {
namespace {

using test::expect_error;
using test::TempFolder;

/// Two classes that x tells apart; weights, groups and folds beside it.
std::string classes_csv() {
  std::string text = "x,w,g,f,y\n";
  for (int i = 0; i < 40; ++i) {
    text += std::to_string(i % 20) + "," + std::to_string(1 + i % 3) + ",g" + std::to_string(i % 4) + "," +
            std::to_string(i % 3 - 1) + "," + (i % 20 < 10 ? "low" : "high") + "\n";
  }
  return text;
}

NetworkOptions small_network() {
  NetworkOptions options;
  options.hidden = {8};
  options.learning_rate = 0.05;
  options.training.epochs = 60;
  return options;
}

TEST(TableModels, ANetworkFromATableToAnswers) {
  const TempFolder folder;
  PreprocessingOptions columns;
  columns.ignore = {"w", "g", "f"};
  const Table table = read_table(folder.file("d.csv", classes_csv()));
  const PreparedData data = prepare(table, "y", columns, 0.25, 1);
  const TrainedNetwork trained = train_network(data, small_network());
  EXPECT_EQ(trained.training->rows, 30);
  EXPECT_EQ(trained.validation->rows, 10);
  EXPECT_GT(trained.training->accuracy, 0.9);
  EXPECT_EQ(to_text(small_network(), 1, 2), "1 -> 8 -> 2, relu, 34 parameters");
  EXPECT_EQ(trained.fit.parameters, 34);

  write_model(folder / "m", *trained.model, data.preprocessing);
  const TableModel read = read_model(folder / "m");
  const Table answers = predict(read, table, {.probabilities = true});
  EXPECT_EQ(answers.names(), (std::vector<std::string>{"y", "probability_high", "probability_low"}));
  const double accuracy = score_of(read, answers, table).value();
  EXPECT_GT(accuracy, 0.9);
  const Scores scores = score_tables(answers, table, {.target = "y", .metrics = {Metric::accuracy}});
  EXPECT_EQ(scores.list.at(0).value, accuracy);
  expect_error<UsageError>([&] { (void)predict(read, table, {.leaves = true}); }, {"leaves", "forests"});
}

TEST(TableModels, ANetworkOfNumbersAnswersInTheirUnit) {
  const TempFolder folder;
  std::string text = "x,y\n";
  for (int i = 0; i < 50; ++i) text += std::to_string(i) + "," + std::to_string(1000 + 3 * i) + "\n";
  const Table table = read_table(folder.file("d.csv", text));
  PreprocessingOptions columns;
  columns.task = Task::regression;
  const PreparedData data = prepare(table, "y", columns, 0, 0);
  TrainedNetwork trained = train_network(data, small_network());
  EXPECT_GT(trained.training->r2, 0.9);
  EXPECT_FALSE(trained.validation);
  EXPECT_NEAR(trained.model->predict(data.training.inputs)[0],
              data.preprocessing.target_mean + data.preprocessing.target_scale * data.training.targets[0], 30);
  expect_error<UsageError>([&] { (void)trained.model->predict_classes(data.training.inputs); }, {"numbers"});
  const TableModel model{std::move(trained.model), data.preprocessing};
  expect_error<UsageError>([&] { (void)predict(model, table, {.probabilities = true}); }, {"probabilities", "numbers"});
  EXPECT_EQ(score_of(model, predict(model, table), read_table(folder.file("e.csv", "x\n1.5\n2.5\n"))), std::nullopt);
}

TEST(TableModels, AForestWithWeightsAndGroups) {
  const TempFolder folder;
  const ColumnRoles roles{.target = "y", .sample_weight = "w", .group = "g"};
  TableOptions reading;
  reading.ignored = {"f"};
  roles.apply_to(reading, {});
  const Table table = read_table(folder.file("d.csv", classes_csv()), reading);
  PreprocessingOptions columns = PreprocessingOptions::for_forests();
  columns.ignore = {"f"};
  const PreparedData data = prepare(table, roles, columns);
  EXPECT_EQ(data.preprocessing.feature_names(), (std::vector<std::string>{"x"}));
  EXPECT_EQ(data.sample_weight.at(1), 2);
  EXPECT_EQ(data.groups, prepare(table, roles, columns, &data.preprocessing).groups);
  EXPECT_EQ(data.groups.at(7), 3);
  const ForestModel model(train_forest(ForestParameters::defaults(ForestKind::random_forest, Task::classification),
                                       data.training, {}, data.sample_weight));
  EXPECT_EQ(score_of(model.forest(), data.training), 1);
  write_model(folder / "m", model, data.preprocessing);
  const TableModel read = read_model(folder / "m");
  const Table answers = predict(read, table, {.leaves = true});
  EXPECT_EQ(answers.columns.size(), 101U);
  EXPECT_EQ(score_of(read, answers, table), 1);
}

TEST(TableModels, FoldsAreCountedInTheOrderOfTheirLabels) {
  const TempFolder folder;
  const ColumnRoles roles{.target = "y", .fold = "f"};
  TableOptions reading;
  roles.apply_to(reading, {});
  const Table table = read_table(folder.file("d.csv", classes_csv()), reading);
  const PreparedData data = prepare(table, roles, PreprocessingOptions::for_forests());
  EXPECT_EQ(std::vector<std::int32_t>(data.groups.begin(), data.groups.begin() + 4),
            (std::vector<std::int32_t>{-1, 0, 1, -1}));
}

TEST(TableModels, RolesThatCannotBe) {
  const TempFolder folder;
  TableOptions reading;
  expect_error<UsageError>([&] { ColumnRoles{.target = "y", .group = "y"}.apply_to(reading, {}); },
                           {"column y", "the target and group"});
  reading.ignored = {"y"};
  expect_error<UsageError>([&] { ColumnRoles{.target = "y"}.apply_to(reading, {}); }, {"y", "target"});
  const Table table = read_table(folder.file("d.csv", "x,w,y\n1,2,a\n2,-3,b\n"));
  const ColumnRoles weights{.target = "y", .sample_weight = "w"};
  expect_error<DataError>([&] { (void)prepare(table, weights, PreprocessingOptions::for_forests()); },
                          {"line 3", "column 2 (w)", "found -3"});
}

TEST(TableModels, ADeviceIsChosenForANetwork) {
  const TempFolder folder;
  const PreparedData data = prepare(read_table(folder.file("d.csv", classes_csv())), "y", {}, 0, 0);
  NetworkOptions options = small_network();
  options.training.epochs = 1;
  EXPECT_EQ(choose_device(data, options).device, "cpu");
  options.memory_limit = 100;
  expect_error<DeviceError>([&] { (void)choose_device(data, options); }, {"hidden 8", "the limit is 100 B"});
}

TEST(NetworkOptions, RefusesWhatCannotBe) {
  const auto refuses = [](auto change, const std::vector<std::string>& says) {
    NetworkOptions options;
    change(options);
    expect_error<UsageError>([&] { options.check(); }, says);
  };
  refuses([](NetworkOptions& o) { o.activation = "rleu"; }, {"activation \"rleu\"", "\"relu\""});
  refuses([](NetworkOptions& o) { o.optimizer = "sdg"; }, {"optimizer", "\"sgd\""});
  refuses([](NetworkOptions& o) { o.hidden = {4, 0}; }, {"hidden 0"});
  refuses([](NetworkOptions& o) { o.dropout = 1; }, {"dropout"});
  refuses([](NetworkOptions& o) { o.dropout = 0.5, o.hidden = {}; }, {"dropout", "hidden"});
  refuses([](NetworkOptions& o) { o.momentum = 0.9; }, {"momentum", "sgd"});
  refuses([](NetworkOptions& o) { o.learning_rate = std::nan(""); }, {"learning_rate"});
  refuses([](NetworkOptions& o) { o.weight_decay = 1e39; }, {"weight_decay"});
  refuses([](NetworkOptions& o) { o.schedule = "step:2:3:4"; }, {"schedule \"step:2:3:4\"", "step:EPOCHS"});
  refuses([](NetworkOptions& o) { o.training.epochs = 0; }, {"epochs 0"});
  refuses([](NetworkOptions& o) { o.training.batch_size = 0; }, {"batch_size 0"});
  EXPECT_NO_THROW(NetworkOptions().check());
}

TEST(Schedule, ReadsItsText) {
  EXPECT_EQ(optim::Schedule::parse("constant", 9).describe(), "constant");
  EXPECT_EQ(optim::Schedule::parse("step:5", 9).describe(), "StepLR(step_size=5, gamma=0.1)");
  EXPECT_EQ(optim::Schedule::parse("step:5:0.5", 9).describe(), "StepLR(step_size=5, gamma=0.5)");
  EXPECT_EQ(optim::Schedule::parse("cosine", 9).describe(), "CosineAnnealingLR(t_max=9, minimum=0)");
  EXPECT_EQ(optim::Schedule::parse("exponential:0.9", 9).describe(), "ExponentialLR(gamma=0.9)");
  for (const char* text :
       {"", "linear", "step", "step:", "step:1.5", "step:0", "cosine:3", "exponential", "constant:1"}) {
    expect_error<UsageError>([&] { (void)optim::Schedule::parse(text, 9); }, {});
  }
}

}  // namespace
}  // namespace overtake
