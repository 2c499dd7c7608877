// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::testing {
namespace {

using Doubles = std::vector<double>;

double cross_entropy_oracle(const Doubles& logits, const std::vector<std::int32_t>& labels, std::size_t classes) {
  double total = 0;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    double sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += std::exp(logits[row * classes + c]);
    total += std::log(sum) - logits[row * classes + static_cast<std::size_t>(labels[row])];
  }
  return total / static_cast<double>(labels.size());
}

double mse_oracle(const Doubles& output, const std::vector<float>& target) {
  double total = 0;
  for (std::size_t i = 0; i < output.size(); ++i) total += (output[i] - target[i]) * (output[i] - target[i]);
  return total / static_cast<double>(output.size());
}

double logistic_oracle(const Doubles& logits, const std::vector<float>& target) {
  double total = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double x = logits[i];
    total += std::max(x, 0.0) - x * target[i] + std::log1p(std::exp(-std::abs(x)));
  }
  return total / static_cast<double>(logits.size());
}

// Value and every partial derivative of `loss` at `x` against the oracle.
void check(const Array& loss, const Array& x, const std::function<double(const Doubles&)>& oracle) {
  const std::vector<float> point = x.to_vector<float>();
  const Doubles at(point.begin(), point.end());
  EXPECT_NEAR(loss.item(), oracle(at), 2e-6 * (1 + std::abs(oracle(at))));
  loss.backward();
  const std::vector<float> gradients = x.grad().to_vector<float>();
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double expected = slope(
        [&](double value) {
          Doubles moved = at;
          moved[i] = value;
          return oracle(moved);
        },
        at[i]);
    EXPECT_NEAR(gradients[i], expected, 1e-6) << "element " << i;
  }
}

TEST(NnLoss, CrossEntropyFollowsTheOracle) {
  Array x = random_array(Shape{7, 5}, 11, -6, 6);
  x.requires_grad();
  const std::vector<std::int32_t> labels = {0, 4, 2, 2, 1, 3, 0};
  check(nn::cross_entropy(x, labels_array(labels)), x,
        [&](const Doubles& logits) { return cross_entropy_oracle(logits, labels, 5); });
}

TEST(NnLoss, CrossEntropyOfLargeLogitsIsFinite) {
  const Array x = Array::from(std::vector<float>{1000, -1000, 0, 1000, 1000, 1000}, Shape{2, 3});
  EXPECT_NEAR(nn::cross_entropy(x, labels_array({1, 0})).item(), (2000 + std::log(3.0)) / 2, 1e-3);
}

TEST(NnLoss, CrossEntropyOfOneClassIsZero) {
  EXPECT_EQ(nn::cross_entropy(random_array(Shape{3, 1}, 2), labels_array({0, 0, 0})).item(), 0.0F);
}

TEST(NnLoss, CrossEntropyOfALabelOutsideTheClasses) {
  const Array logits = random_array(Shape{2, 3}, 2), labels = labels_array({0, 3});
  EXPECT_THROW((void)nn::cross_entropy(logits, labels), UsageError);
  EXPECT_TRUE(std::isnan(cross_entropy_rows(logits, labels).to_vector<float>()[1])) << "what a GPU answers";
}

TEST(NnLoss, MeanSquaredErrorFollowsTheOracle) {
  Array x = random_array(Shape{6, 3}, 12, -2, 2);
  x.requires_grad();
  const std::vector<float> target = numbers(18, 13);
  check(nn::mse_loss(x, Array::from(target, Shape{6, 3})), x,
        [&](const Doubles& output) { return mse_oracle(output, target); });
}

TEST(NnLoss, TargetsOfOneColumnMayBeAVector) {
  const Array x = random_array(Shape{6, 1}, 12);
  const std::vector<float> target = numbers(6, 13);
  EXPECT_EQ(nn::mse_loss(x, Array::from(target, Shape{6})).item(),
            nn::mse_loss(x, Array::from(target, Shape{6, 1})).item());
  EXPECT_THAT(message_of<UsageError>([&] { (void)nn::mse_loss(x, zeros(Shape{5})); }),
              ::testing::HasSubstr("(6, 1) and target (5,)"));
}

TEST(NnLoss, LogisticFollowsTheOracle) {
  Array x = random_array(Shape{9, 2}, 14, -8, 8);
  x.requires_grad();
  const std::vector<float> target = numbers(18, 15, 0, 1);
  check(nn::binary_cross_entropy_with_logits(x, Array::from(target, Shape{9, 2})), x,
        [&](const Doubles& logits) { return logistic_oracle(logits, target); });
}

TEST(NnLoss, LogisticIsStableAndHasItsGradientAtZero) {
  Array x = Array::from(std::vector<float>{0, 200, -200, 1e30F}, Shape{4, 1});
  x.requires_grad();
  const Array loss =
      sum(nn::Loss::binary_cross_entropy_with_logits().rows(x, Array::from(std::vector<float>{1, 0, 1, 1}, Shape{4})));
  EXPECT_NEAR(loss.item(), std::log(2.0) + 400, 1e-3);
  loss.backward();
  const std::vector<float> gradients = x.grad().to_vector<float>();
  EXPECT_FLOAT_EQ(gradients[0], -0.5F);
  EXPECT_FLOAT_EQ(gradients[1], 1.0F);
  EXPECT_FLOAT_EQ(gradients[2], -1.0F);
  EXPECT_FLOAT_EQ(gradients[3], 0.0F);
}

TEST(NnLoss, RowsAverageToTheLoss) {
  const Array x = random_array(Shape{8, 3}, 16);
  const Array t = random_array(Shape{8, 3}, 17, 0, 1);
  const Array labels = labels_array({0, 1, 2, 0, 1, 2, 0, 1});
  EXPECT_NEAR(nn::Loss::mse()(x, t).item(), nn::mse_loss(x, t).item(), 1e-6);
  EXPECT_NEAR(nn::Loss::binary_cross_entropy_with_logits()(x, t).item(),
              nn::binary_cross_entropy_with_logits(x, t).item(), 1e-6);
  EXPECT_EQ(nn::Loss::cross_entropy()(x, labels).item(), nn::cross_entropy(x, labels).item());
  EXPECT_EQ(nn::Loss::mse().rows(x, t).shape(), (Shape{8}));
}

TEST(NnLoss, NaNInTheOutputGivesNaN) {
  const Array x = Array::from(std::vector<float>{std::nanf(""), 1}, Shape{2, 1});
  const Array t = Array::from(std::vector<float>{1, 1}, Shape{2, 1});
  EXPECT_TRUE(std::isnan(nn::binary_cross_entropy_with_logits(x, t).item()));
  EXPECT_TRUE(std::isnan(nn::mse_loss(x, t).item()));
  const Array logits = Array::from(std::vector<float>{std::nanf(""), 1}, Shape{1, 2});
  EXPECT_TRUE(std::isnan(nn::cross_entropy(logits, labels_array({1})).item()));
}

TEST(NnLoss, UnknownNamesAreCorrected) {
  EXPECT_EQ(nn::Loss::named("mse").name, "mse");
  try {
    (void)nn::Loss::named("cross_entrpy");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("cross_entropy"));
  }
}

}  // namespace
}  // namespace overtake::testing
