// SPDX-License-Identifier: MIT
// LBFGS on functions whose minimum is known, and its line search against the strong Wolfe conditions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "nn/training/wolfe.hpp"
#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

using optim::LBFGS;
using optim::LinePoint;
using optim::LineSearch;
using ::testing::HasSubstr;

nn::Parameter make_parameter(const std::vector<float>& values) {
  nn::Parameter parameter{"p", Array::from(values, Shape{static_cast<std::int64_t>(values.size())})};
  parameter.value.requires_grad();
  return parameter;
}

// (1 - x)^2 + 100 (y - x^2)^2, with its minimum at (1, 1).
Array rosenbrock(const Array& p) {
  const Array x = slice(p, 0, 1);
  const Array y = slice(p, 1, 2);
  return sum(square(1.0F - x) + 100.0F * square(y - square(x)));
}

std::function<Array()> closure_of(LBFGS& optimizer, const std::function<Array()>& loss) {
  return [&optimizer, loss] {
    optimizer.zero_grad();
    const Array value = loss();
    value.backward();
    return value;
  };
}

TEST(NnLbfgs, FindsTheMinimumOfRosenbrocksFunction) {
  nn::Parameter parameter = make_parameter({-1.2F, 1});
  LBFGS optimizer({&parameter}, 1, {.max_iter = 100, .max_eval = 300, .line_search = LineSearch::strong_wolfe});
  const double first = optimizer.step(closure_of(optimizer, [&] { return rosenbrock(parameter.value); }));
  EXPECT_NEAR(first, 24.2, 1e-4);
  EXPECT_NEAR(parameter.value.to_vector<float>()[0], 1, 2e-3);
  EXPECT_NEAR(parameter.value.to_vector<float>()[1], 1, 4e-3);
  EXPECT_LT(optimizer.iterations(), 60);
  optimizer.zero_grad();
}

TEST(NnLbfgs, WithoutALineSearchFollowsTheRecursionInDouble) {
  // f = sum c (p - 1)^2 / 2; the recursion of the inverse Hessian as a matrix, H = V H V' + s s' / (s y), beside it.
  const std::vector<double> c = {1, 4, 0.5};
  nn::Parameter parameter = make_parameter({3, -2, 0});
  LBFGS optimizer({&parameter}, 0.5, {.max_iter = 1});
  const Array weights = Array::from(std::vector<float>{1, 4, 0.5F}, Shape{3});
  const auto step = [&] {
    (void)optimizer.step(closure_of(optimizer, [&] { return 0.5F * sum(weights * square(parameter.value - 1.0F)); }));
  };
  std::vector<double> p = {3, -2, 0}, g(3), before, s(3);
  std::vector<std::vector<double>> ys, ss;
  for (int k = 0; k < 6; ++k) {
    for (std::size_t i = 0; i < 3; ++i) g[i] = c[i] * (p[i] - 1);
    double length = 0.5;
    std::vector<double> d(3);
    if (k == 0) {
      length *= std::min(1.0, 1 / (std::abs(g[0]) + std::abs(g[1]) + std::abs(g[2])));
      for (std::size_t i = 0; i < 3; ++i) d[i] = -g[i];
    } else {
      std::vector<double> y(3);
      for (std::size_t i = 0; i < 3; ++i) y[i] = g[i] - before[i];
      ys.push_back(y);
      ss.push_back(s);
      const auto product = [](const std::vector<double>& a, const std::vector<double>& b) {
        return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
      };
      double h[3][3] = {};
      for (std::size_t i = 0; i < 3; ++i) h[i][i] = product(s, y) / product(y, y);
      for (std::size_t n = 0; n < ys.size(); ++n) {
        const double rho = 1 / product(ss[n], ys[n]);
        double v[3][3], left[3][3], next[3][3];
        for (std::size_t i = 0; i < 3; ++i) {
          for (std::size_t j = 0; j < 3; ++j) v[i][j] = (i == j ? 1 : 0) - rho * ss[n][i] * ys[n][j];
        }
        for (std::size_t i = 0; i < 3; ++i) {
          for (std::size_t j = 0; j < 3; ++j) {
            left[i][j] = v[i][0] * h[0][j] + v[i][1] * h[1][j] + v[i][2] * h[2][j];
          }
        }
        for (std::size_t i = 0; i < 3; ++i) {
          for (std::size_t j = 0; j < 3; ++j) {
            next[i][j] = left[i][0] * v[j][0] + left[i][1] * v[j][1] + left[i][2] * v[j][2] + rho * ss[n][i] * ss[n][j];
          }
        }
        std::copy(&next[0][0], &next[0][0] + 9, &h[0][0]);
      }
      for (std::size_t i = 0; i < 3; ++i) d[i] = -(h[i][0] * g[0] + h[i][1] * g[1] + h[i][2] * g[2]);
    }
    before = g;
    for (std::size_t i = 0; i < 3; ++i) {
      s[i] = length * d[i];
      p[i] += s[i];
    }
    step();
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(parameter.value.to_vector<float>()[i], p[i], 2e-5) << k;
  }
  EXPECT_EQ(optimizer.evaluations(), 6);
  optimizer.zero_grad();
}

TEST(NnLbfgs, TrainsANetworkToALowerLossThanItBeganWith) {
  nn::Sequential model = small_model(3, 2, 6, 1);
  const Array x = random_array(Shape{40, 2}, 5);
  const Array y = sum(x * x, 1, true);
  LBFGS optimizer(model.parameters(), 1, {.line_search = LineSearch::strong_wolfe});
  const auto closure = closure_of(optimizer, [&] { return nn::mse_loss(model(x), y); });
  const double first = optimizer.step(closure);
  double last = first;
  for (int i = 0; i < 4; ++i) {
    const double loss = optimizer.step(closure);
    EXPECT_LE(loss, last);
    last = loss;
  }
  EXPECT_LT(last, first / 20);
  optimizer.zero_grad();
}

TEST(NnLbfgs, StopsByItsTolerancesAndBudgets) {
  nn::Parameter parameter = make_parameter({1, 1});
  LBFGS still({&parameter});
  EXPECT_EQ(still.step(closure_of(still, [&] { return rosenbrock(parameter.value); })), 0);
  EXPECT_EQ(still.evaluations(), 1);
  EXPECT_EQ(still.iterations(), 0);

  nn::Parameter other = make_parameter({-1.2F, 1});
  LBFGS budgeted({&other}, 1e-3, {.max_iter = 100, .max_eval = 7});
  (void)budgeted.step(closure_of(budgeted, [&] { return rosenbrock(other.value); }));
  EXPECT_EQ(budgeted.evaluations(), 7);
  still.zero_grad();
  budgeted.zero_grad();
}

TEST(NnLbfgs, GoesBackWhereTheLossIsNotFinite) {
  nn::Parameter parameter = make_parameter({0.5F});
  LBFGS optimizer({&parameter}, 1e3, {.max_iter = 3});
  const auto closure = closure_of(optimizer, [&] { return sum(parameter.value + log(1.0F - parameter.value)); });
  (void)optimizer.step(closure);  // the slope is -1: from 0.5 a step of 1000 upwards, where the logarithm is NaN
  EXPECT_EQ(parameter.value.item(), 0.5F);
  EXPECT_TRUE(std::as_const(parameter.value).requires_grad());
  optimizer.zero_grad();
}

TEST(NnLbfgs, FrozenParametersStay) {
  nn::Parameter free = make_parameter({2});
  nn::Parameter frozen = make_parameter({2});
  frozen.value.requires_grad(false);
  LBFGS optimizer({&frozen, &free}, 1, {.line_search = LineSearch::strong_wolfe});
  (void)optimizer.step(closure_of(optimizer, [&] { return sum(square(free.value) + square(frozen.value)); }));
  EXPECT_EQ(frozen.value.item(), 2.0F);
  EXPECT_NEAR(free.value.item(), 0, 1e-4);
  EXPECT_FALSE(std::as_const(frozen.value).requires_grad());
  optimizer.zero_grad();
}

TEST(NnLbfgs, RefusesWhatItCannotUse) {
  nn::Parameter parameter = make_parameter({1});
  EXPECT_THAT(message_of<UsageError>([&] { LBFGS({&parameter}, 0); }), HasSubstr("learning rate 0"));
  EXPECT_THROW(LBFGS({}), UsageError);
  EXPECT_THROW(LBFGS({nullptr}), UsageError);
  EXPECT_THROW(LBFGS({&parameter}, 1, {.max_iter = 0}), UsageError);
  EXPECT_THROW(LBFGS({&parameter}, 1, {.tolerance_grad = std::nan("")}), UsageError);
  LBFGS optimizer({&parameter});
  EXPECT_THROW((void)optimizer.step({}), UsageError);
  EXPECT_THAT(message_of<UsageError>([&] { (void)optimizer.step([] { return zeros(Shape{2}); }); }),
              HasSubstr("one element"));
  EXPECT_EQ(optimizer.describe(), "LBFGS(max_iter=20, history_size=100, line_search=none)");
}

struct Line {
  const char* name;
  double (*value)(double);
  double first_length;
};

TEST(NnWolfe, FindsAPointThatFulfilsBothConditions) {
  const std::vector<Line> lines = {
      {"a parabola, too far", [](double t) { return (t - 1) * (t - 1); }, 50},
      {"a parabola, too near", [](double t) { return (t - 1) * (t - 1); }, 1e-4},
      {"More and Thuente's first", [](double t) { return -t / (t * t + 2); }, 1e-3},
      {"More and Thuente's second", [](double t) { return std::pow(t + 0.004, 5) - 2 * std::pow(t + 0.004, 4); }, 10},
      {"a wall of NaN", [](double t) { return t < 2 ? (t - 1) * (t - 1) : std::nan(""); }, 30}};
  for (const Line& line : lines) {
    const auto at = [&](double t) { return LinePoint{t, line.value(t), slope(line.value, t, 1e-7), {}}; };
    const LinePoint start = at(0);
    const LinePoint found = optim::strong_wolfe(start, line.first_length, at, {});
    EXPECT_GT(found.t, 0) << line.name;
    EXPECT_LE(found.value, start.value + 1e-4 * found.t * start.slope) << line.name;
    EXPECT_LE(std::abs(found.slope), 0.9 * std::abs(start.slope)) << line.name;
  }
}

TEST(NnWolfe, GivesTheStartWhereNothingIsLower) {
  int calls = 0;
  const auto rises = [&](double t) {
    ++calls;
    return LinePoint{t, t, -1, {}};
  };
  EXPECT_EQ(optim::strong_wolfe({0, 0, -1, {}}, 1, rises, {.most_evaluations = 9}).t, 0);
  EXPECT_EQ(calls, 9);
}

}  // namespace
}  // namespace overtake::testing
