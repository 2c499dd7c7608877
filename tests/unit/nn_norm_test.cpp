// SPDX-License-Identifier: MIT
// LayerNorm and BatchNorm1d against loops in double and finite differences; Linear on more than two dimensions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "nn_support.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/model_file.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Doubles = std::vector<double>;

Doubles doubles(const Array& array) {
  const std::vector<float> values = array.to_vector<float>();
  return Doubles(values.begin(), values.end());
}

void expect_near(const Array& array, const Doubles& expected, double tolerance) {
  const std::vector<float> values = array.to_vector<float>();
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], tolerance) << "element " << i;
}

// y = (x - mean) / sqrt(variance + eps) * w + b within groups: group_of and feature_of say where each element belongs.
struct Truth {
  std::size_t groups;
  std::function<std::size_t(std::size_t)> group_of;
  std::function<std::size_t(std::size_t)> feature_of;
  double eps;

  [[nodiscard]] Doubles operator()(const Doubles& x, const Doubles& w, const Doubles& b) const {
    Doubles mean(groups, 0), variance(groups, 0), count(groups, 0), y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) mean[group_of(i)] += x[i], count[group_of(i)] += 1;
    for (std::size_t g = 0; g < groups; ++g) mean[g] /= count[g];
    for (std::size_t i = 0; i < x.size(); ++i) variance[group_of(i)] += std::pow(x[i] - mean[group_of(i)], 2);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t g = group_of(i);
      y[i] = (x[i] - mean[g]) / std::sqrt(variance[g] / count[g] + eps) * w[feature_of(i)] + b[feature_of(i)];
    }
    return y;
  }
};

// Value of the layer, and the gradients of sum(r y) by input, weight and bias.
void check(nn::Module& layer, nn::Parameter& weight, nn::Parameter& bias, const Shape& shape, const Truth& truth) {
  weight.value = random_array(weight.value.shape(), 51, 0.5F, 2);
  bias.value = random_array(bias.value.shape(), 52);
  weight.value.requires_grad();
  bias.value.requires_grad();
  Array x = random_array(shape, 53, -2, 3);
  x.requires_grad();
  const Array r = random_array(shape, 54);
  const Array y = layer(x);
  ASSERT_EQ(y.shape(), shape);
  std::vector<Doubles> at = {doubles(x), doubles(weight.value), doubles(bias.value)};
  expect_near(y, truth(at[0], at[1], at[2]), 1e-5);
  sum(r * y).backward();
  const Doubles factors = doubles(r);
  const auto objective = [&] {
    const Doubles values = truth(at[0], at[1], at[2]);
    double total = 0;
    for (std::size_t i = 0; i < values.size(); ++i) total += factors[i] * values[i];
    return total;
  };
  const std::vector<Array> gradients = {x.grad(), weight.value.grad(), bias.value.grad()};
  for (std::size_t which = 0; which < at.size(); ++which) {
    Doubles expected;
    for (double& value : at[which]) {
      const double before = value;
      expected.push_back(slope([&](double moved) { return value = moved, objective(); }, before));
      value = before;
    }
    expect_near(gradients[which], expected, 2e-5);
  }
}

TEST(NnLayerNorm, FollowsTheLoopOverItsLastAxis) {
  nn::LayerNorm layer(5, 0.01);
  check(layer, layer.weight(), layer.bias(), Shape{4, 5},
        {4, [](std::size_t i) { return i / 5; }, [](std::size_t i) { return i % 5; }, 0.01});
}

TEST(NnLayerNorm, FollowsTheLoopOverSeveralAxesOfFour) {
  nn::LayerNorm layer(Shape{3, 4});
  check(layer, layer.weight(), layer.bias(), Shape{2, 2, 3, 4},
        {4, [](std::size_t i) { return i / 12; }, [](std::size_t i) { return i % 12; }, 1e-5});
  EXPECT_EQ(layer.to_string(), "LayerNorm((3, 4), eps=1e-05, elementwise_affine=True, bias=True)");
}

// torch.nn.LayerNorm(2)([[1, 3]]) is -1 and 1 up to eps: the mean is 2, the biased variance 1.
TEST(NnLayerNorm, DividesByTheBiasedDeviation) {
  nn::LayerNorm layer(2);
  const double expected = 1 / std::sqrt(1 + 1e-5);
  expect_near(layer(Array::from(std::vector<float>{1, 3}, Shape{1, 2})), {-expected, expected}, 1e-6);
}

TEST(NnLayerNorm, MayHaveNoWeightsOrNoBias) {
  EXPECT_TRUE(nn::LayerNorm(3, 1e-5, false).parameters().empty());
  EXPECT_EQ(nn::LayerNorm(3, 1e-5, true, false).parameters().size(), 1U);
  nn::LayerNorm plain(3, 1e-5, false);
  nn::LayerNorm with_ones(3);
  const Array x = random_array(Shape{4, 3}, 2);
  EXPECT_EQ(plain(x).to_vector<float>(), with_ones(x).to_vector<float>());
  EXPECT_EQ(plain(zeros(Shape{0, 3})).shape(), (Shape{0, 3}));
}

TEST(NnLayerNorm, RefusesWrongInputsAndSettings) {
  nn::LayerNorm layer(Shape{2, 3});
  EXPECT_THAT(message_of<UsageError>([&] { (void)layer(zeros(Shape{4, 3})); }), HasSubstr("(4, 3), expected an array"));
  EXPECT_THROW((void)layer(Array()), UsageError);
  EXPECT_THROW(nn::LayerNorm(0), UsageError);
  EXPECT_THROW(nn::LayerNorm(Shape{}), UsageError);
  EXPECT_THROW(nn::LayerNorm(3, -1), UsageError);
}

TEST(NnBatchNorm, TrainingFollowsTheLoopOverRows) {
  nn::BatchNorm1d layer(3, 0.01);
  check(layer, layer.weight(), layer.bias(), Shape{6, 3},
        {3, [](std::size_t i) { return i % 3; }, [](std::size_t i) { return i % 3; }, 0.01});
}

TEST(NnBatchNorm, TrainingFollowsTheLoopOverRowsAndPositions) {
  nn::BatchNorm1d layer(3);
  const auto feature = [](std::size_t i) { return i / 4 % 3; };
  check(layer, layer.weight(), layer.bias(), Shape{2, 3, 4}, {3, feature, feature, 1e-5});
}

void check_running_statistics(std::optional<double> momentum) {
  constexpr std::size_t rows = 5, features = 2;
  nn::BatchNorm1d layer(features, 1e-5, momentum);
  Doubles mean(features, 0), variance(features, 1);
  for (std::uint64_t call = 1; call <= 4; ++call) {
    const Array x = random_array(Shape{rows, features}, 60 + call, -1, 4);
    const Doubles values = doubles(x);
    (void)layer(x).to_vector<float>();
    for (std::size_t f = 0; f < features; ++f) {
      double m = 0, v = 0;
      for (std::size_t row = 0; row < rows; ++row) m += values[row * features + f] / rows;
      for (std::size_t row = 0; row < rows; ++row) v += std::pow(values[row * features + f] - m, 2) / (rows - 1);
      const double share = momentum.value_or(1.0 / static_cast<double>(call));
      mean[f] = (1 - share) * mean[f] + share * m;
      variance[f] = (1 - share) * variance[f] + share * v;
    }
    expect_near(layer.running_mean().value, mean, 1e-6);
    expect_near(layer.running_var().value, variance, 2e-6);
  }
  EXPECT_THAT(layer.num_batches_tracked().value.to_vector<std::int32_t>(), ElementsAre(4));

  layer.eval();
  const Array x = random_array(Shape{3, features}, 70);
  Doubles expected = doubles(x);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] = (expected[i] - mean[i % features]) / std::sqrt(variance[i % features] + 1e-5);
  }
  expect_near(layer(x), expected, 1e-5);
  expect_near(layer(slice(x, 0, 1)), {expected[0], expected[1]}, 1e-5);  // one row is enough now
  const Array positions = reshape(x, {1, features, 3});
  EXPECT_EQ(layer(positions).shape(), positions.shape());
  expect_near(layer.running_mean().value, mean, 1e-6);  // and nothing moves
}

TEST(NnBatchNorm, RunningStatisticsMoveByTheMomentum) { check_running_statistics(0.1); }
TEST(NnBatchNorm, RunningStatisticsWithoutAMomentumAreAverages) { check_running_statistics(std::nullopt); }

TEST(NnBatchNorm, InitializeStartsAgain) {
  nn::Sequential model(nn::Linear(2, 3), nn::BatchNorm1d(3));
  model.initialize(4);
  const Array x = random_array(Shape{6, 2}, 1);
  const std::vector<float> first = model(x).to_vector<float>();
  const std::vector<float> running = model.buffers()[0].value->to_vector<float>();
  (void)model(x).to_vector<float>();
  model.initialize(4);
  EXPECT_EQ(model(x).to_vector<float>(), first);
  EXPECT_EQ(model.buffers()[0].value->to_vector<float>(), running);
}

TEST(NnBatchNorm, WithoutStatisticsTheBatchCountsAlways) {
  nn::BatchNorm1d layer(2, 1e-5, 0.1, false, false);
  EXPECT_TRUE(layer.parameters().empty());
  EXPECT_TRUE(layer.buffers().empty());
  const Array x = random_array(Shape{5, 2}, 3);
  const std::vector<float> in_training = layer(x).to_vector<float>();
  layer.eval();
  EXPECT_EQ(layer(x).to_vector<float>(), in_training);
  EXPECT_THROW((void)layer(zeros(Shape{1, 2})), UsageError);
}

TEST(NnBatchNorm, RefusesWrongInputsAndSettings) {
  nn::BatchNorm1d layer(3);
  EXPECT_THAT(message_of<UsageError>([&] { (void)layer(zeros(Shape{5, 2})); }), HasSubstr("expected (rows, 3)"));
  EXPECT_THROW((void)layer(zeros(Shape{3})), UsageError);
  EXPECT_THAT(message_of<UsageError>([&] { (void)layer(zeros(Shape{1, 3})); }), HasSubstr("more than one value"));
  EXPECT_EQ(layer(zeros(Shape{1, 3, 2})).shape(), (Shape{1, 3, 2}));
  EXPECT_THROW(nn::BatchNorm1d(0), UsageError);
  EXPECT_THROW(nn::BatchNorm1d(3, std::nan("")), UsageError);
  EXPECT_THROW(nn::BatchNorm1d(3, 1e-5, 1.5), UsageError);
}

nn::Sequential normalised_model(std::uint64_t seed) {
  nn::Sequential model(nn::Linear(3, 6), nn::BatchNorm1d(6), nn::ReLU(), nn::Linear(6, 4), nn::LayerNorm(4),
                       nn::BatchNorm1d(4, 1e-3, std::nullopt, false), nn::Linear(4, 1));
  model.initialize(seed);
  return model;
}

TEST(NnNorm, NamesAndPrintsAsPyTorchDoes) {
  nn::Sequential model = normalised_model(1);
  std::vector<std::string> names;
  for (const auto& [name, value] : model.state_dict()) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
                                 "1.num_batches_tracked", "3.weight", "3.bias", "4.weight", "4.bias", "5.running_mean",
                                 "5.running_var", "5.num_batches_tracked", "6.weight", "6.bias"));
  EXPECT_THAT(model.to_string(), HasSubstr("(1): BatchNorm1d(num_features=6, eps=1e-05, momentum=0.1, affine=True, "
                                           "track_running_stats=True)"));
}

TEST(NnNorm, ATrainersCompiledStepGivesTheBitsOfALoopByHand) {
  const Array x = random_array(Shape{40, 3}, 5);
  const Array y = random_array(Shape{40, 1}, 6);
  nn::Sequential by_hand = normalised_model(2);
  optim::SGD by_hand_optimizer(by_hand.parameters(), 0.05, {.momentum = 0.9});
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (std::int64_t begin = 0; begin < 40; begin += 16) {
      const std::int64_t end = std::min<std::int64_t>(40, begin + 16);
      const Array loss = nn::mse_loss(by_hand(slice(x, begin, end)), slice(y, begin, end));
      loss.backward();
      by_hand_optimizer.step();
      by_hand_optimizer.zero_grad();
    }
  }
  nn::Sequential trained = normalised_model(2);
  optim::SGD optimizer(trained.parameters(), 0.05, {.momentum = 0.9});
  TrainerOptions options;
  options.epochs = 3;
  options.batch_size = 16;
  options.shuffle = false;
  Trainer trainer(trained, nn::Loss::mse(), optimizer, options);
  const FitReport report = trainer.fit(x, y);
  EXPECT_EQ(weights_of(trained), weights_of(by_hand));
  for (std::size_t i = 0; i < trained.buffers().size(); ++i) {
    const Array& mine = *trained.buffers()[i].value;
    const Array& other = *by_hand.buffers()[i].value;
    if (mine.dtype() == DType::int32) {
      EXPECT_EQ(mine.to_vector<std::int32_t>(), other.to_vector<std::int32_t>());
    } else {
      EXPECT_EQ(mine.to_vector<float>(), other.to_vector<float>());
    }
  }
  const double in_evaluation = nn::mse_loss(nn::predict(by_hand, x), y).item();
  EXPECT_NEAR(report.training.loss, in_evaluation, 1e-6);
}

TEST(NnNorm, ModelFilesKeepStatisticsAndSettings) {
  nn::Sequential model = normalised_model(3);
  (void)model(random_array(Shape{9, 3}, 7, -3, 3)).to_vector<float>();
  const std::filesystem::path path = fresh_path("norm.safetensors");
  save_model(path, model);
  LoadedModel loaded = load_model(path);
  EXPECT_EQ(loaded.model.to_string(), model.to_string());
  const Array x = random_array(Shape{5, 3}, 8);
  EXPECT_EQ(loaded.model(x).to_vector<float>(), nn::predict(model, x).to_vector<float>());
  nn::Sequential other = normalised_model(4);
  load_weights(path, other);
  EXPECT_EQ(nn::predict(other, x).to_vector<float>(), nn::predict(model, x).to_vector<float>());
}

TEST(NnNorm, ModelFilesThatDoNotFitAreRefused) {
  const std::filesystem::path path = fresh_path("norm.safetensors");
  const auto refused_after = [&](const std::string& from, const std::string& to) {
    nn::Sequential model = normalised_model(3);
    save_model(path, model);
    TensorFile file = read_safetensors(path);
    std::string& text = file.metadata.at("overtake.model");
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << text;
    text.replace(at, from.size(), to);
    write_safetensors(path, file);
    return message_of<DataError>([&] { (void)load_model(path); });
  };
  EXPECT_THAT(refused_after("\"num_features\":6.0", "\"num_features\":2000000000"), HasSubstr("1.weight"));
  EXPECT_THAT(refused_after("\"num_features\":4.0", "\"num_features\":2000000000"), HasSubstr("5.running_mean"));
  EXPECT_THAT(refused_after("\"normalized_shape_0\":4.0", "\"normalized_shape_0\":2000000000"), HasSubstr("4.weight"));
  EXPECT_THAT(refused_after("\"momentum\":0.1", "\"momentum\":7"), HasSubstr("momentum = 7"));
  EXPECT_THAT(refused_after("\"eps\":0.001", "\"eps\":-1"), HasSubstr("eps = -1"));
  EXPECT_THAT(refused_after("\"elementwise_affine\":1.0", "\"elementwise_affine\":0"),
              HasSubstr("belongs to no layer"));
}

TEST(NnLinear, TakesMoreAxesBeforeTheLast) {
  nn::Linear layer(3, 2);
  for (const Shape& shape : {Shape{4, 5, 3}, Shape{2, 2, 5, 3}}) {
    Array x = random_array(shape, 9);
    x.requires_grad();
    layer.zero_grad();
    const Array y = layer(x);
    std::vector<std::int64_t> extents = shape.to_vector();
    extents.back() = 2;
    ASSERT_EQ(y.shape(), Shape(extents));
    EXPECT_EQ(y.to_vector<float>(), layer(reshape(x, {20, 3})).to_vector<float>());
    sum(y).backward();
    const std::vector<float> w = layer.weight().value.to_vector<float>();
    const std::vector<float> gradient = x.grad().to_vector<float>();
    for (std::size_t i = 0; i < gradient.size(); ++i) EXPECT_NEAR(gradient[i], w[i % 3] + w[3 + i % 3], 1e-6);
    EXPECT_EQ(layer.bias().value.grad().to_vector<float>(), (std::vector<float>{20, 20}));
  }
  EXPECT_EQ(layer(zeros(Shape{0, 4, 3})).shape(), (Shape{0, 4, 2}));
  EXPECT_THROW((void)layer(zeros(Shape{3})), UsageError);
}

}  // namespace
}  // namespace overtake::testing
