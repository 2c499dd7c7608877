// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <utility>

#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

using optim::Schedule;

constexpr int steps = 200;
constexpr std::size_t width = 6;

nn::Parameter make_parameter() {
  nn::Parameter parameter{"p", random_array(Shape{static_cast<std::int64_t>(width)}, 21)};
  parameter.value.requires_grad();
  return parameter;
}

std::vector<float> gradient_of_step(int step) { return numbers(width, 1000 + static_cast<std::uint64_t>(step)); }

// Runs `optimizer` on given gradients, and the same formula in double precision on each element.
template <typename Rule>
void check(nn::Parameter& parameter, optim::Optimizer& optimizer, Rule rule) {
  const std::vector<float> start = parameter.value.to_vector<float>();
  std::vector<double> expected(start.begin(), start.end());
  for (int step = 1; step <= steps; ++step) {
    const std::vector<float> gradient = gradient_of_step(step);
    parameter.value.set_grad(Array::from(gradient, Shape{static_cast<std::int64_t>(width)}));
    optimizer.step();
    for (std::size_t i = 0; i < width; ++i) expected[i] = rule(i, step, expected[i], double{gradient[i]});
    if (step != 1 && step != 2 && step != steps) continue;
    const std::vector<float> values = parameter.value.to_vector<float>();
    for (std::size_t i = 0; i < width; ++i) EXPECT_NEAR(values[i], expected[i], 4e-6) << "step " << step;
  }
}

TEST(NnSgd, PlainFollowsTheFormula) {
  nn::Parameter parameter = make_parameter();
  optim::SGD optimizer({&parameter}, 0.1);
  check(parameter, optimizer, [](std::size_t, int, double p, double g) { return p - double{0.1F} * g; });
  EXPECT_TRUE(optimizer.state().empty());
}

TEST(NnSgd, MomentumNesterovAndDecayFollowTheFormula) {
  for (const bool nesterov : {false, true}) {
    nn::Parameter parameter = make_parameter();
    optim::SGD optimizer({&parameter}, 0.05, {.momentum = 0.9, .nesterov = nesterov, .weight_decay = 0.01});
    std::vector<double> velocity(width, 0);
    check(parameter, optimizer, [&](std::size_t i, int, double p, double g) {
      g += 0.01 * p;
      velocity[i] = 0.9 * velocity[i] + g;
      return p - 0.05 * (nesterov ? g + 0.9 * velocity[i] : velocity[i]);
    });
    ASSERT_EQ(optimizer.state().size(), 1U);
    EXPECT_EQ(optimizer.state()[0].name, "0.momentum");
  }
}

void check_adam(double weight_decay, bool decoupled, const optim::AdamOptions& options) {
  nn::Parameter parameter = make_parameter();
  std::unique_ptr<optim::Optimizer> optimizer;
  if (decoupled) {
    optimizer = std::make_unique<optim::AdamW>(std::vector{&parameter}, 0.01, options);
  } else {
    optimizer = std::make_unique<optim::Adam>(std::vector{&parameter}, 0.01, options);
  }
  std::vector<double> m(width, 0);
  std::vector<double> v(width, 0);
  check(parameter, *optimizer, [&](std::size_t i, int t, double p, double g) {
    if (decoupled) {
      p *= 1 - 0.01 * weight_decay;
    } else {
      g += weight_decay * p;
    }
    m[i] = options.beta1 * m[i] + (1 - options.beta1) * g;
    v[i] = options.beta2 * v[i] + (1 - options.beta2) * g * g;
    const double m_hat = m[i] / (1 - std::pow(options.beta1, t));
    const double v_hat = v[i] / (1 - std::pow(options.beta2, t));
    return p - 0.01 * m_hat / (std::sqrt(v_hat) + options.epsilon);
  });
}

TEST(NnAdam, FollowsTheFormula) { check_adam(0, false, {}); }
TEST(NnAdam, DecayIsAddedToTheGradient) { check_adam(0.1, false, {.weight_decay = 0.1}); }
TEST(NnAdam, ZeroBetasAreAllowed) { check_adam(0, false, {.beta1 = 0, .beta2 = 0}); }
TEST(NnAdamW, DecaysTheWeights) { check_adam(0.01, true, optim::adamw_defaults()); }

TEST(NnOptimizer, ANewLearningRateTakesEffect) {
  nn::Parameter parameter = make_parameter();
  optim::SGD optimizer({&parameter}, 0.1);
  const auto change = [&] {
    const float before = parameter.value.to_vector<float>()[0];
    parameter.value.set_grad(ones(Shape{static_cast<std::int64_t>(width)}));
    optimizer.step();
    return before - parameter.value.to_vector<float>()[0];
  };
  EXPECT_NEAR(change(), 0.1, 1e-6);
  optimizer.set_learning_rate(0.5);
  EXPECT_NEAR(change(), 0.5, 1e-6);
  EXPECT_EQ(optimizer.learning_rate(), 0.5F);
  EXPECT_THROW(optimizer.set_learning_rate(-1), UsageError);
  EXPECT_THROW(optimizer.set_learning_rate(std::nan("")), UsageError);
}

TEST(NnOptimizer, ParametersWithoutAGradientStay) {
  nn::Parameter with = make_parameter();
  nn::Parameter without = make_parameter();
  optim::Adam optimizer({&with, &without});
  const auto before = without.value.to_vector<float>();
  with.value.set_grad(ones(Shape{static_cast<std::int64_t>(width)}));
  optimizer.step();
  EXPECT_EQ(without.value.to_vector<float>(), before);
  EXPECT_NE(with.value.to_vector<float>(), before);
  optimizer.zero_grad();
  EXPECT_FALSE(with.value.grad().defined());
  EXPECT_TRUE(std::as_const(with.value).requires_grad());
}

TEST(NnOptimizer, GradientsAccumulateUntilZeroed) {
  nn::Parameter parameter = make_parameter();
  sum(parameter.value).backward();
  sum(parameter.value).backward();
  EXPECT_EQ(parameter.value.grad().to_vector<float>(), std::vector<float>(width, 2.0F));
}

TEST(NnOptimizer, AStepKeepsTheGradientUntilItIsZeroed) {
  nn::Parameter parameter = make_parameter();
  optim::SGD optimizer({&parameter}, 0.1);
  sum(parameter.value).backward();
  optimizer.step();
  EXPECT_EQ(parameter.value.grad().to_vector<float>(), std::vector<float>(width, 1.0F));
  sum(3.0F * parameter.value).backward();
  EXPECT_EQ(parameter.value.grad().to_vector<float>(), std::vector<float>(width, 4.0F));
}

TEST(NnOptimizer, ALoopWrittenByHandKeepsNoOldGraph) {
  for (const bool adam : {false, true}) {
    nn::Sequential model = small_model();
    std::unique_ptr<optim::Optimizer> optimizer;
    if (adam) {
      optimizer = std::make_unique<optim::Adam>(model.parameters(), 0.01, optim::AdamOptions{.weight_decay = 0.1});
    } else {
      const optim::SGDOptions options{.momentum = 0.9, .weight_decay = 0.1};
      optimizer = std::make_unique<optim::SGD>(model.parameters(), 0.01, options);
    }
    std::vector<std::weak_ptr<graph::Node>> old;
    for (int step = 0; step < 3; ++step) {
      for (const nn::Parameter* parameter : model.parameters()) old.push_back(parameter->value.node());
      nn::cross_entropy(model(random_array(Shape{4, 2}, 1)), labels_array({0, 1, 1, 0})).backward();
      optimizer->step();
      optimizer->zero_grad();
    }
    for (const auto& node : old) EXPECT_TRUE(node.expired());
  }
}

TEST(NnOptimizer, RefusesWhatCannotBe) {
  nn::Parameter parameter = make_parameter();
  EXPECT_THROW(optim::SGD({}, 0.1), UsageError);
  EXPECT_THROW(optim::SGD({nullptr}, 0.1), UsageError);
  EXPECT_THROW(optim::SGD({&parameter}, -0.1), UsageError);
  EXPECT_THROW(optim::SGD({&parameter}, 0.1, {.nesterov = true}), UsageError);
  EXPECT_THROW(optim::Adam({&parameter}, 0.1, {.beta1 = 1}), UsageError);
}

TEST(NnOptimizer, DescribesItsSettings) {
  nn::Parameter parameter = make_parameter();
  EXPECT_EQ(optim::SGD({&parameter}, 0.1, {.momentum = 0.9}).describe(),
            "SGD(momentum=0.9, nesterov=False, weight_decay=0)");
  EXPECT_EQ(optim::AdamW({&parameter}).describe(), "AdamW(beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.01)");
}

TEST(NnSchedule, FollowsTheClosedFormulas) {
  for (int epoch = 0; epoch < 30; ++epoch) {
    EXPECT_DOUBLE_EQ(Schedule{}.at(0.1, epoch), 0.1);
    EXPECT_NEAR(Schedule::step_lr(10, 0.5).at(0.1, epoch), 0.1 * std::pow(0.5, epoch / 10), 1e-15);
    EXPECT_NEAR(Schedule::exponential_lr(0.9).at(0.1, epoch), 0.1 * std::pow(0.9, epoch), 1e-15);
    EXPECT_NEAR(Schedule::cosine_annealing_lr(30, 0.01).at(0.1, epoch),
                0.01 + 0.09 * (1 + std::cos(std::numbers::pi * epoch / 30)) / 2, 1e-15);
  }
  EXPECT_NEAR(Schedule::cosine_annealing_lr(30, 0.01).at(0.1, 30), 0.01, 1e-15);
  EXPECT_EQ(Schedule::step_lr(10, 0.5).describe(), "StepLR(step_size=10, gamma=0.5)");
  EXPECT_THROW((void)Schedule::step_lr(0), UsageError);
  EXPECT_THROW((void)Schedule::cosine_annealing_lr(0), UsageError);
  EXPECT_THROW((void)Schedule::exponential_lr(0), UsageError);
}

}  // namespace
}  // namespace overtake::testing
