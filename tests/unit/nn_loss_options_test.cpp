// SPDX-License-Identifier: MIT
// Absolute and Huber losses, weights, reductions and label smoothing against loops in double and finite differences.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

using nn::Reduction;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Doubles = std::vector<double>;

constexpr std::size_t rows = 6;
constexpr std::size_t columns = 3;

// Value and every partial derivative of `loss` at `x` against the oracle.
void check(const std::function<Array(const Array&)>& loss, const std::function<double(const Doubles&)>& oracle,
           float range = 3) {
  Array x = random_array(Shape{rows, columns}, 81, -range, range);
  x.requires_grad();
  const std::vector<float> point = x.to_vector<float>();
  Doubles at(point.begin(), point.end());
  const Array value = loss(x);
  EXPECT_NEAR(value.item(), oracle(at), 3e-6 * (1 + std::abs(oracle(at))));
  value.backward();
  const std::vector<float> gradients = x.grad().to_vector<float>();
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double before = at[i];
    const double expected = slope([&](double moved) { return at[i] = moved, oracle(at); }, before);
    at[i] = before;
    EXPECT_NEAR(gradients[i], expected, 3e-6) << "element " << i;
  }
}

struct Weights {
  std::vector<float> of_elements = numbers(rows * columns, 82, 0.1F, 2);
  std::vector<float> of_columns = numbers(columns, 83, 0.1F, 2);
  std::vector<float> of_rows = numbers(rows, 84, 0, 2);
  std::vector<float> target = numbers(rows * columns, 85);
  std::vector<float> shares = numbers(rows * columns, 86, 0, 1);

  [[nodiscard]] Array elements() const { return Array::from(of_elements, Shape{rows, columns}); }
  [[nodiscard]] Array cols() const { return Array::from(of_columns, Shape{columns}); }
  [[nodiscard]] Array samples() const { return Array::from(of_rows, Shape{rows}); }
  [[nodiscard]] Array targets() const { return Array::from(target, Shape{rows, columns}); }
  [[nodiscard]] Array probabilities() const { return Array::from(shares, Shape{rows, columns}); }
};

double absolute(double d) { return std::abs(d); }
double squared(double d) { return d * d; }
double huber(double d, double delta) { return std::abs(d) <= delta ? d * d / 2 : delta * (std::abs(d) - delta / 2); }

// sum w f(x - t) / sum w
double weighted_mean(const Doubles& x, const std::vector<float>& t, const std::function<double(double)>& f,
                     const std::function<double(std::size_t)>& weight) {
  double total = 0, weights = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    total += weight(i) * f(x[i] - t[i]);
    weights += weight(i);
  }
  return total / weights;
}

double one(std::size_t) { return 1; }

TEST(NnLossOptions, AbsoluteAndHuberLossesFollowTheLoops) {
  const Weights w;
  check([&](const Array& x) { return nn::l1_loss(x, w.targets()); },
        [&](const Doubles& x) { return weighted_mean(x, w.target, absolute, one); });
  for (const double delta : {0.5, 1.0, 2.5}) {
    check([&](const Array& x) { return nn::huber_loss(x, w.targets(), delta); },
          [&](const Doubles& x) {
            return weighted_mean(
                x, w.target, [&](double d) { return huber(d, delta); }, one);
          });
    check([&](const Array& x) { return nn::smooth_l1_loss(x, w.targets(), delta); },
          [&](const Doubles& x) {
            return weighted_mean(
                x, w.target, [&](double d) { return huber(d, delta) / delta; }, one);
          });
  }
  const Array x = random_array(Shape{rows, columns}, 81);
  EXPECT_EQ(nn::smooth_l1_loss(x, w.targets(), 0).item(), nn::l1_loss(x, w.targets()).item());
}

TEST(NnLossOptions, HuberHasItsGradientAtTheKneeAtZeroAndFarOut) {
  Array x = Array::from(std::vector<float>{0, 2, -2, 1e30F}, Shape{4});
  x.requires_grad();
  const Array loss = nn::huber_loss(x, zeros(Shape{4}), 2, {.reduction = Reduction::sum});
  loss.backward();
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(0, 2, -2, 2));
  EXPECT_FLOAT_EQ(loss.item(), 2e30F);
}

TEST(NnLossOptions, WeightsOfElementsColumnsAndRows) {
  const Weights w;
  check([&](const Array& x) { return nn::mse_loss(x, w.targets(), {.weight = w.elements()}); },
        [&](const Doubles& x) {
          return weighted_mean(x, w.target, squared, [&](std::size_t i) { return w.of_elements[i]; });
        });
  check([&](const Array& x) { return nn::l1_loss(x, w.targets(), {.weight = w.cols()}); },
        [&](const Doubles& x) {
          return weighted_mean(x, w.target, absolute, [&](std::size_t i) { return w.of_columns[i % columns]; });
        });
  check(
      [&](const Array& x) {
        return nn::huber_loss(x, w.targets(), 1, {.weight = w.cols(), .sample_weight = w.samples()});
      },
      [&](const Doubles& x) {
        return weighted_mean(
            x, w.target, [](double d) { return huber(d, 1); },
            [&](std::size_t i) { return w.of_columns[i % columns] * w.of_rows[i / columns]; });
      });
  // A whole weight counts as that many copies of the row.
  const Array x = Array::from(std::vector<float>{1, 5}, Shape{2, 1});
  const Array t = zeros(Shape{2});
  const Array weight = Array::from(std::vector<float>{3, 1}, Shape{2});
  EXPECT_FLOAT_EQ(nn::mse_loss(x, t, {.sample_weight = weight}).item(), (3 * 1 + 25) / 4.0F);
  EXPECT_FLOAT_EQ(nn::mse_loss(x, t, {.weight = weight}).item(), (3 * 1 + 25) / 4.0F);
}

TEST(NnLossOptions, ReductionsSumAndNone) {
  const Weights w;
  const Array x = random_array(Shape{rows, columns}, 81);
  const nn::LossOptions none{.reduction = Reduction::none, .sample_weight = w.samples()};
  const nn::LossOptions total{.reduction = Reduction::sum, .sample_weight = w.samples()};
  const std::vector<float> losses = nn::mse_loss(x, w.targets(), none).to_vector<float>();
  const std::vector<float> values = x.to_vector<float>();
  ASSERT_EQ(losses.size(), rows * columns);
  double sum = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    EXPECT_NEAR(losses[i], w.of_rows[i / columns] * std::pow(values[i] - w.target[i], 2), 1e-5);
    sum += losses[i];
  }
  EXPECT_NEAR(nn::mse_loss(x, w.targets(), total).item(), sum, 1e-5);
  const Array labels = labels_array({0, 1, 2, 2, 1, 0});
  EXPECT_EQ(nn::cross_entropy(x, labels, {.reduction = Reduction::none}).shape(), (Shape{rows}));
  EXPECT_NEAR(nn::cross_entropy(x, labels, {.reduction = Reduction::sum}).item(),
              6 * nn::cross_entropy(x, labels).item(), 1e-5);
}

double logistic(double x, double t, double pos_weight) {
  const double s = 1 / (1 + std::exp(-x));
  return -pos_weight * t * std::log(s) - (1 - t) * std::log(1 - s);
}

TEST(NnLossOptions, LogisticWeightsAsPyTorchHasThem) {
  const Weights w;
  check(
      [&](const Array& x) {
        return nn::binary_cross_entropy_with_logits(x, w.probabilities(),
                                                    {.weight = w.elements(), .pos_weight = w.cols()});
      },
      [&](const Doubles& x) {
        double total = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
          total += w.of_elements[i] * logistic(x[i], w.shares[i], w.of_columns[i % columns]);
        }
        return total / static_cast<double>(x.size());
      });
  check(
      [&](const Array& x) {
        return nn::binary_cross_entropy_with_logits(x, w.probabilities(), {.sample_weight = w.samples()});
      },
      [&](const Doubles& x) {
        double total = 0, weights = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
          total += w.of_rows[i / columns] * logistic(x[i], w.shares[i], 1);
          weights += w.of_rows[i / columns];
        }
        return total / weights;
      });
  Array far = Array::from(std::vector<float>{-300, 300, 0}, Shape{3});
  far.requires_grad();
  const Array loss = nn::binary_cross_entropy_with_logits(far, Array::from(std::vector<float>{1, 0, 1}, Shape{3}),
                                                          {.reduction = Reduction::sum, .pos_weight = Array(2.0F)});
  EXPECT_NEAR(loss.item(), 600 + 300 + 2 * std::log(2.0), 1e-3);
  loss.backward();
  EXPECT_THAT(far.grad().to_vector<float>(), ElementsAre(-2, 1, -1));
}

const std::vector<std::int32_t> some_labels = {0, 2, 1, 1, 2, 0};

struct EntropyOracle {
  std::vector<float> class_weight = std::vector<float>(columns, 1);
  std::vector<float> row_weight = std::vector<float>(rows, 1);
  double smoothing = 0;

  double operator()(const Doubles& x) const {
    double total = 0, weights = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      double sum = 0;
      for (std::size_t c = 0; c < columns; ++c) sum += std::exp(x[row * columns + c]);
      double loss = 0;
      const auto label = static_cast<std::size_t>(some_labels[row]);
      for (std::size_t c = 0; c < columns; ++c) {
        const double share = (c == label ? 1 - smoothing : 0) + smoothing / columns;
        loss += share * class_weight[c] * (std::log(sum) - x[row * columns + c]);
      }
      total += row_weight[row] * loss;
      weights += row_weight[row] * class_weight[label];
    }
    return total / weights;
  }
};

TEST(NnLossOptions, CrossEntropyWithClassWeightsSmoothingAndSampleWeights) {
  const Weights w;
  const Array labels = labels_array(some_labels);
  EntropyOracle oracle{.smoothing = 0.2};
  check([&](const Array& x) { return nn::cross_entropy(x, labels, {.label_smoothing = 0.2}); }, oracle);
  oracle = {.class_weight = w.of_columns};
  check([&](const Array& x) { return nn::cross_entropy(x, labels, {.weight = w.cols()}); }, oracle);
  oracle = {.class_weight = w.of_columns, .row_weight = w.of_rows, .smoothing = 0.1};
  check(
      [&](const Array& x) {
        return nn::cross_entropy(x, labels, {.weight = w.cols(), .sample_weight = w.samples(), .label_smoothing = 0.1});
      },
      oracle);
}

TEST(NnLossOptions, CrossEntropyLeavesOutIgnoredRows) {
  EntropyOracle oracle{.row_weight = {1, 1, 0, 0, 1, 1}, .smoothing = 0.1};
  const Array labels = labels_array({0, 2, -100, -100, 2, 0});
  check([&](const Array& x) { return nn::cross_entropy(x, labels, {.label_smoothing = 0.1, .ignore_index = -100}); },
        oracle);
  const Weights w;
  oracle = {.class_weight = w.of_columns, .row_weight = {1, 1, 0, 0, 1, 1}};
  check([&](const Array& x) { return nn::cross_entropy(x, labels, {.weight = w.cols(), .ignore_index = -100}); },
        oracle);
  const Array x = random_array(Shape{rows, columns}, 3);
  EXPECT_THROW((void)nn::cross_entropy(x, labels), UsageError);  // a label outside the classes, unless it is ignored
  EXPECT_EQ(nn::cross_entropy(x, labels, {.reduction = Reduction::none, .ignore_index = -100}).to_vector<float>()[2],
            0);
}

TEST(NnLossOptions, CrossEntropyOfProbabilities) {
  const Weights w;
  check(
      [&](const Array& x) {
        return nn::cross_entropy(x, w.probabilities(), {.weight = w.cols(), .label_smoothing = 0.3});
      },
      [&](const Doubles& x) {
        double total = 0;
        for (std::size_t row = 0; row < rows; ++row) {
          double sum = 0;
          for (std::size_t c = 0; c < columns; ++c) sum += std::exp(x[row * columns + c]);
          for (std::size_t c = 0; c < columns; ++c) {
            const double share = 0.7 * w.shares[row * columns + c] + 0.3 / columns;
            total += w.of_columns[c] * share * (std::log(sum) - x[row * columns + c]);
          }
        }
        return total / rows;
      });
}

TEST(NnLossOptions, WhatDoesNotFitIsRefused) {
  const Array x = zeros(Shape{rows, columns});
  const Array labels = labels_array(some_labels);
  EXPECT_THAT(message_of<UsageError>([&] { (void)nn::mse_loss(x, x, {.weight = zeros(Shape{rows})}); }),
              HasSubstr("weight (6,), expected a shape that broadcasts"));
  EXPECT_THAT(message_of<UsageError>([&] { (void)nn::l1_loss(x, x, {.sample_weight = zeros(Shape{columns})}); }),
              HasSubstr("sample_weight (3,), expected (6,)"));
  EXPECT_THAT(message_of<UsageError>([&] { (void)nn::cross_entropy(x, labels, {.weight = zeros(Shape{rows})}); }),
              HasSubstr("expected float32 (3,)"));
  EXPECT_THROW((void)nn::cross_entropy(x, labels, {.label_smoothing = 1.5}), UsageError);
  EXPECT_THROW((void)nn::cross_entropy(x, labels_array({1})), UsageError);
  EXPECT_THROW((void)nn::cross_entropy(x, zeros(Shape{rows})), UsageError);
  EXPECT_THROW((void)nn::cross_entropy(x, x, {.ignore_index = 0}), UsageError);
  EXPECT_THROW((void)nn::cross_entropy(Array(), labels), UsageError);
  EXPECT_THROW((void)nn::huber_loss(x, x, 0), UsageError);
  EXPECT_THROW((void)nn::smooth_l1_loss(x, x, -1), UsageError);
  EXPECT_THROW((void)nn::Loss::huber(-1), UsageError);
  EXPECT_THROW((void)nn::Loss::cross_entropy({.reduction = Reduction::sum}), UsageError);
}

TEST(NnLossOptions, LossesOfATrainerAverageToTheFunctions) {
  const Weights w;
  const Array x = random_array(Shape{rows, columns}, 81);
  const Array labels = labels_array(some_labels);
  const nn::CrossEntropyOptions options{.weight = w.cols(), .label_smoothing = 0.1};
  const nn::Loss loss = nn::Loss::cross_entropy(options);
  EXPECT_NEAR(loss(x, labels).item(), nn::cross_entropy(x, labels, options).item(), 1e-6);
  EXPECT_THAT(loss.name, HasSubstr("label_smoothing=0.1"));
  EXPECT_NEAR(nn::Loss::l1()(x, w.targets()).item(), nn::l1_loss(x, w.targets()).item(), 1e-6);
  EXPECT_NEAR(nn::Loss::huber(0.5)(x, w.targets()).item(), nn::huber_loss(x, w.targets(), 0.5).item(), 1e-6);
  EXPECT_NEAR(nn::Loss::smooth_l1(2)(x, w.targets()).item(), nn::smooth_l1_loss(x, w.targets(), 2).item(), 1e-6);
  EXPECT_EQ(nn::Loss::named("huber").name, "huber(delta=1)");

  nn::Sequential model = small_model(1, 2, 6, 3);
  optim::Adam optimizer(model.parameters(), 0.01);
  TrainerOptions training;
  training.epochs = 20;
  training.batch_size = 8;
  Trainer trainer(model, loss, optimizer, training);
  std::vector<std::int32_t> classes;
  for (std::int32_t i = 0; i < 30; ++i) classes.push_back(i % 3);
  const FitReport report = trainer.fit(random_array(Shape{30, 2}, 4), labels_array(classes));
  EXPECT_LT(report.epochs.back().train_loss, report.epochs.front().train_loss);
}

}  // namespace
}  // namespace overtake::testing
