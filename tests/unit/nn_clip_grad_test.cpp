// SPDX-License-Identifier: MIT
// Limits on gradients against loops in double.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

using ::testing::ElementsAre;

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Rig {
  nn::Parameter a{"a", zeros(Shape{2, 3})};
  nn::Parameter b{"b", zeros(Shape{4})};
  nn::Parameter without{"without", zeros(Shape{2})};
  std::vector<nn::Parameter*> parameters{&a, &b, &without};
  std::vector<float> first = numbers(6, 91, -3, 3);
  std::vector<float> second = numbers(4, 92, -3, 3);

  Rig() {
    for (nn::Parameter* parameter : parameters) parameter->value.requires_grad();
    a.value.set_grad(Array::from(first, Shape{2, 3}));
    b.value.set_grad(Array::from(second, Shape{4}));
  }
  ~Rig() {
    for (nn::Parameter* parameter : parameters) parameter->value.set_grad(Array());
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  [[nodiscard]] double norm(double p) const {
    double total = 0, largest = 0;
    for (const std::vector<float>& values : {first, second}) {
      for (const float value : values) {
        total += std::pow(std::abs(double{value}), p);
        largest = std::max(largest, std::abs(double{value}));
      }
    }
    return std::isinf(p) ? largest : std::pow(total, 1 / p);
  }
};

TEST(NnClipGrad, NormScalesAllGradientsTogether) {
  for (const double p : {1.0, 2.0, 3.0, infinity}) {
    Rig rig;
    const double norm = rig.norm(p);
    EXPECT_NEAR(nn::clip_grad_norm(rig.parameters, 0.5, p).item(), norm, 1e-5 * norm) << p;
    const std::vector<float> clipped = rig.a.value.grad().to_vector<float>();
    for (std::size_t i = 0; i < clipped.size(); ++i) EXPECT_NEAR(clipped[i], rig.first[i] * 0.5 / norm, 1e-5) << p;
    EXPECT_NEAR(rig.b.value.grad().to_vector<float>()[3], rig.second[3] * 0.5 / norm, 1e-5) << p;
    EXPECT_FALSE(rig.without.value.grad().defined());
  }
}

TEST(NnClipGrad, ANormBelowTheLimitChangesNoBit) {
  Rig rig;
  (void)nn::clip_grad_norm(rig.parameters, 1000);
  EXPECT_EQ(rig.a.value.grad().to_vector<float>(), rig.first);
  EXPECT_EQ(rig.b.value.grad().to_vector<float>(), rig.second);
  EXPECT_NEAR(nn::clip_grad_norm(rig.parameters, infinity).item(), rig.norm(2), 1e-5);
  EXPECT_EQ(rig.b.value.grad().to_vector<float>(), rig.second);
}

TEST(NnClipGrad, ATrainerClipsEachStepAsALoopByHandDoes) {
  const Array x = random_array(Shape{32, 2}, 1);
  const Array y = random_array(Shape{32, 2}, 2, 50, 90);
  nn::Sequential by_hand = small_model(3);
  optim::SGD by_hand_optimizer(by_hand.parameters(), 0.1);
  for (int step = 0; step < 5; ++step) {
    nn::mse_loss(by_hand(x), y).backward();
    (void)nn::clip_grad_norm(by_hand.parameters(), 1);
    by_hand_optimizer.step();
    by_hand_optimizer.zero_grad();
  }
  TrainerOptions options;
  options.epochs = 5;
  options.shuffle = false;
  options.clip_grad_norm = 1;
  nn::Sequential trained = small_model(3);
  optim::SGD optimizer(trained.parameters(), 0.1);
  (void)Trainer(trained, nn::Loss::mse(), optimizer, options).fit(x, y);
  for (std::size_t i = 0; i < 4; ++i) {
    const std::vector<float> expected = weights_of(by_hand)[i];
    const std::vector<float> values = weights_of(trained)[i];
    for (std::size_t k = 0; k < values.size(); ++k) EXPECT_NEAR(values[k], expected[k], 1e-5);
  }
  options.clip_grad_norm = -1;
  EXPECT_THROW(Trainer(trained, nn::Loss::mse(), optimizer, options), UsageError);
}

TEST(NnClipGrad, AFollowingStepUsesTheClippedGradient) {
  nn::Parameter parameter{"p", Array::from(std::vector<float>{3, 4}, Shape{2})};
  parameter.value.requires_grad();
  optim::SGD optimizer({&parameter}, 1);
  (0.5F * sum(square(parameter.value))).backward();  // the gradient is the parameter, of norm 5
  const Array norm = nn::clip_grad_norm(optimizer.parameters(), 1);
  optimizer.step();
  EXPECT_FLOAT_EQ(norm.item(), 5);
  EXPECT_NEAR(parameter.value.to_vector<float>()[0], 3 - 0.6, 1e-5);
  EXPECT_NEAR(parameter.value.to_vector<float>()[1], 4 - 0.8, 1e-5);
  optimizer.zero_grad();
}

TEST(NnClipGrad, NoGradientsHaveTheNormZero) {
  nn::Sequential model = small_model();
  EXPECT_EQ(nn::clip_grad_norm(model.parameters(), 1).item(), 0.0F);
}

TEST(NnClipGrad, NormsThatAreNotFiniteAreAnErrorWhereAsked) {
  Rig rig;
  rig.b.value.set_grad(Array::from(std::vector<float>{1, std::nanf(""), 1, 1}, Shape{4}));
  EXPECT_THROW((void)nn::clip_grad_norm(rig.parameters, 1, 2, true), UsageError);
  EXPECT_EQ(rig.a.value.grad().to_vector<float>(), rig.first);
  EXPECT_TRUE(std::isnan(nn::clip_grad_norm(rig.parameters, 1).item()));
  EXPECT_TRUE(std::isnan(rig.a.value.grad().to_vector<float>()[0]));
}

TEST(NnClipGrad, ValueClipsEachElement) {
  Rig rig;
  rig.b.value.set_grad(Array::from(std::vector<float>{-2, 0.5F, 7, std::nanf("")}, Shape{4}));
  nn::clip_grad_value(rig.parameters, 1);
  const std::vector<float> clipped = rig.b.value.grad().to_vector<float>();
  EXPECT_THAT(std::vector<float>(clipped.begin(), clipped.begin() + 3), ElementsAre(-1, 0.5F, 1));
  EXPECT_TRUE(std::isnan(clipped[3]));
}

TEST(NnClipGrad, RefusesLimitsOutOfRange) {
  Rig rig;
  EXPECT_THROW((void)nn::clip_grad_norm(rig.parameters, -1), UsageError);
  EXPECT_THROW((void)nn::clip_grad_norm(rig.parameters, 1, 0), UsageError);
  EXPECT_THROW(nn::clip_grad_value(rig.parameters, std::nan("")), UsageError);
  const std::vector<nn::Parameter*> null = {nullptr};
  EXPECT_THROW(nn::clip_grad_value(null, 1), UsageError);
}

TEST(NnModule, ZeroGradForgetsAllGradients) {
  nn::Sequential model = small_model();
  sum(model(ones(Shape{3, 2}))).backward();
  EXPECT_TRUE(model.parameters()[0]->value.grad().defined());
  model.zero_grad();
  for (const nn::Parameter* parameter : model.parameters()) EXPECT_FALSE(parameter->value.grad().defined());
}

}  // namespace
}  // namespace overtake::testing
