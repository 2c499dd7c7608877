// SPDX-License-Identifier: MIT
// Dampening, amsgrad, maximize and RMSprop against their formulas in double, and what they refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/no_grad.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;

constexpr int steps = 100;
constexpr std::size_t width = 5;

nn::Parameter make_parameter(const std::vector<float>& values = numbers(width, 41)) {
  nn::Parameter parameter{"p", Array::from(values, Shape{static_cast<std::int64_t>(values.size())})};
  parameter.value.requires_grad();
  return parameter;
}

// Runs `optimizer` on given gradients beside `rule`, which takes (element, step from 1, parameter, gradient).
template <typename Rule>
void check(nn::Parameter& parameter, optim::Optimizer& optimizer, Rule rule) {
  const std::vector<float> start = parameter.value.to_vector<float>();
  std::vector<double> expected(start.begin(), start.end());
  for (int step = 1; step <= steps; ++step) {
    const std::vector<float> gradient = numbers(width, 2000 + static_cast<std::uint64_t>(step));
    parameter.value.set_grad(Array::from(gradient, parameter.value.shape()));
    optimizer.step();
    for (std::size_t i = 0; i < width; ++i) expected[i] = rule(i, step, expected[i], double{gradient[i]});
    if (step > 3 && step != steps) continue;
    const std::vector<float> values = parameter.value.to_vector<float>();
    for (std::size_t i = 0; i < width; ++i) ASSERT_NEAR(values[i], expected[i], 1e-5) << "step " << step;
  }
  optimizer.zero_grad();
}

TEST(NnSgdDampening, TakesTheFirstGradientWhole) {
  nn::Parameter parameter = make_parameter();
  optim::SGD optimizer({&parameter}, 0.05, {.momentum = 0.9, .dampening = 0.4});
  std::vector<double> velocity(width, 0);
  check(parameter, optimizer, [&](std::size_t i, int t, double p, double g) {
    velocity[i] = t == 1 ? g : 0.9 * velocity[i] + (1 - 0.4) * g;
    return p - 0.05 * velocity[i];
  });
  EXPECT_EQ(optimizer.describe(), "SGD(momentum=0.9, nesterov=False, weight_decay=0, dampening=0.4)");
  EXPECT_THROW(optim::SGD({&parameter}, 0.1, {.momentum = 0.9, .nesterov = true, .dampening = 0.1}), UsageError);
  EXPECT_THROW(optim::SGD({&parameter}, 0.1, {.dampening = -0.1}), UsageError);
}

TEST(NnSgdDampening, CountsTheFirstGradientOfEachParameter) {
  nn::Parameter early = make_parameter({1});
  nn::Parameter late = make_parameter({1});
  optim::SGD optimizer({&early, &late}, 1, {.momentum = 0.5, .dampening = 0.5});
  early.value.set_grad(ones(Shape{1}));
  optimizer.step();
  EXPECT_FLOAT_EQ(late.value.item(), 1);
  late.value.set_grad(ones(Shape{1}));
  optimizer.step();
  EXPECT_FLOAT_EQ(late.value.item(), 0);    // the whole first gradient
  EXPECT_FLOAT_EQ(early.value.item(), -1);  // v = 0.5 + (1 - 0.5)
}

TEST(NnOptimMaximize, ClimbsAndKeepsDecayDownhill) {
  nn::Parameter parameter = make_parameter();
  optim::SGD optimizer({&parameter}, 0.05, {.weight_decay = 0.1, .maximize = true});
  check(parameter, optimizer, [](std::size_t, int, double p, double g) { return p - 0.05 * (-g + 0.1 * p); });
  EXPECT_THAT(optimizer.describe(), HasSubstr("maximize=True"));
}

TEST(NnAdamAmsgrad, DividesByTheLargestSecondMoment) {
  nn::Parameter parameter = make_parameter();
  // A short memory, so that the second moment falls again and the largest differs from the last.
  optim::Adam optimizer({&parameter}, 0.01, {.beta2 = 0.5, .amsgrad = true, .maximize = true});
  std::vector<double> m(width, 0), v(width, 0), most(width, 0);
  bool differs = false;
  check(parameter, optimizer, [&](std::size_t i, int t, double p, double g) {
    g = -g;
    m[i] = 0.9 * m[i] + 0.1 * g;
    v[i] = 0.5 * v[i] + 0.5 * g * g;
    most[i] = std::max(most[i], v[i]);
    differs = differs || most[i] > v[i];
    const double denominator = std::sqrt(most[i]) / std::sqrt(1 - std::pow(0.5, t)) + 1e-8;
    return p - 0.01 / (1 - std::pow(0.9, t)) * m[i] / denominator;
  });
  EXPECT_TRUE(differs);
  EXPECT_THAT(optimizer.describe(), HasSubstr("amsgrad=True, maximize=True"));
  EXPECT_EQ(optimizer.state().size(), 4U);
}

void check_rmsprop(const optim::RMSpropOptions& options) {
  nn::Parameter parameter = make_parameter();
  optim::RMSprop optimizer({&parameter}, 0.01, options);
  std::vector<double> v(width, 0), average(width, 0), buffer(width, 0);
  check(parameter, optimizer, [&](std::size_t i, int, double p, double g) {
    if (options.maximize) g = -g;
    g += options.weight_decay * p;
    v[i] = options.alpha * v[i] + (1 - options.alpha) * g * g;
    average[i] = options.alpha * average[i] + (1 - options.alpha) * g;
    const double spread = options.centered ? v[i] - average[i] * average[i] : v[i];
    const double direction = g / (std::sqrt(spread) + options.epsilon);
    buffer[i] = options.momentum * buffer[i] + direction;
    return p - 0.01 * buffer[i];
  });
}

TEST(NnRmsprop, FollowsTheFormula) { check_rmsprop({}); }
TEST(NnRmsprop, WithMomentumAndDecay) { check_rmsprop({.alpha = 0.9, .weight_decay = 0.05, .momentum = 0.8}); }
TEST(NnRmsprop, Centered) { check_rmsprop({.alpha = 0.9, .epsilon = 1e-3, .momentum = 0.5, .centered = true}); }
TEST(NnRmsprop, Maximizes) { check_rmsprop({.alpha = 0, .epsilon = 0.1, .maximize = true}); }

TEST(NnRmsprop, CenteredStaysFiniteWhereAllGradientsAreEqual) {
  constexpr std::int64_t count = 64;  // some of them round to a variance below 0
  nn::Parameter parameter = make_parameter(numbers(count, 43));
  optim::RMSprop optimizer({&parameter}, 1e-4, {.alpha = 0.9, .centered = true});
  for (int i = 0; i < 300; ++i) {
    parameter.value.set_grad(random_array(Shape{count}, 44, 0.1F, 100));
    optimizer.step();
  }
  for (const float value : parameter.value.to_vector<float>()) EXPECT_TRUE(std::isfinite(value));
  optimizer.zero_grad();
}

TEST(NnRmsprop, RefusesSettingsOutOfRangeAndDescribesTheOthers) {
  nn::Parameter parameter = make_parameter();
  EXPECT_THAT(message_of<UsageError>([&] { optim::RMSprop({&parameter}, 0.1, {.alpha = 1}); }),
              HasSubstr("[RMSprop] alpha 1"));
  EXPECT_THROW(optim::RMSprop({&parameter}, 0.1, {.epsilon = -1}), UsageError);
  EXPECT_THROW(optim::RMSprop({&parameter}, 0.1, {.momentum = std::nan("")}), UsageError);
  EXPECT_EQ(optim::RMSprop({&parameter}).describe(),
            "RMSprop(alpha=0.99, epsilon=1e-08, weight_decay=0, momentum=0, centered=False)");
}

// torch.optim.RMSprop([1.0, -2.0], lr=0.1) with the gradient of p^2: one step from rest moves each value by
// lr * g / (sqrt(0.01) |g| + eps), which is lr * 10.
TEST(NnRmsprop, FirstStepIsTenTimesTheRate) {
  nn::Parameter parameter = make_parameter({1, -2});
  optim::RMSprop optimizer({&parameter}, 0.1);
  sum(square(parameter.value)).backward();
  optimizer.step();
  EXPECT_NEAR(parameter.value.to_vector<float>()[0], 0, 1e-5);
  EXPECT_NEAR(parameter.value.to_vector<float>()[1], -1, 1e-5);
  optimizer.zero_grad();
}

TEST(NnNoGrad, NothingMadeInItsScopeIsDifferentiated) {
  Array x = ones(Shape{2});
  x.requires_grad();
  Array inside;
  {
    const NoGrad outer;
    { const NoGrad inner; }
    inside = sum(3.0F * x);
  }
  EXPECT_THAT(message_of<UsageError>([&] { inside.backward(); }), HasSubstr("nothing to differentiate"));
  EXPECT_FALSE(x.grad().defined());
  inside.eval();
  (inside * sum(x)).backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{6, 6}));  // `inside` counts as the constant 6
}

}  // namespace
}  // namespace overtake::testing
