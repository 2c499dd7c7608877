// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "graph/node.hpp"
#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;

TEST(NnLinear, IsXTimesTransposedWeightPlusBias) {
  nn::Linear layer(3, 4);
  const std::vector<float> x = numbers(15, 5);
  const std::vector<float> y = layer(Array::from(x, Shape{5, 3})).to_vector<float>();
  const std::vector<float> w = layer.weight().value.to_vector<float>();
  const std::vector<float> b = layer.bias().value.to_vector<float>();
  for (std::size_t row = 0; row < 5; ++row) {
    for (std::size_t out = 0; out < 4; ++out) {
      double sum = b[out];
      for (std::size_t in = 0; in < 3; ++in) sum += double{x[row * 3 + in]} * w[out * 3 + in];
      EXPECT_NEAR(y[row * 4 + out], sum, 1e-6);
    }
  }
}

TEST(NnLinear, DrawsUniformInPlusMinusOneOverRootOfInputs) {
  nn::Linear layer(100, 400);
  for (const nn::Parameter* parameter : layer.parameters()) {
    const std::vector<float> values = parameter->value.to_vector<float>();
    const double count = static_cast<double>(values.size());
    double sum = 0;
    double squares = 0;
    for (const float value : values) {
      ASSERT_GE(value, -0.1F);
      ASSERT_LT(value, 0.1F);
      sum += value;
      squares += double{value} * value;
    }
    EXPECT_NEAR(sum / count, 0, 5 * 0.0577 / std::sqrt(count));
    EXPECT_NEAR(squares / count, 0.01 / 3, 0.2 * 0.01 / std::sqrt(count) * 5);
  }
}

TEST(NnLinear, KeepsRequiringAGradientOnEveryDeviceItMovesTo) {
  nn::Linear layer(2, 3, false);
  ASSERT_EQ(layer.parameters().size(), 1U);
  layer.to(Device("cpu"));
  EXPECT_TRUE(std::as_const(layer.weight().value).requires_grad());
  EXPECT_EQ(layer.weight().value.shape(), (Shape{3, 2}));
}

TEST(NnLinear, RefusesWrongInputsAndSizes) {
  nn::Linear layer(3, 4);
  EXPECT_THAT(message_of<UsageError>([&] {
                (void)layer(zeros(Shape{5, 2}));
              }),
              HasSubstr("expects (rows, 3), got (5, 2)"));
  EXPECT_THAT(message_of<UsageError>([&] { (void)layer(Array()); }), HasSubstr("[Linear]"));
  EXPECT_THAT(message_of<UsageError>([] { nn::Linear(0, 4); }), HasSubstr("in_features 0"));
}

TEST(NnModule, SeedDecidesTheWeightsAndLayersDiffer) {
  nn::Sequential model(nn::Linear(4, 4), nn::Linear(4, 4));
  model.initialize(7);
  const auto first = weights_of(model);
  EXPECT_NE(first[0], first[2]);
  model.initialize(8);
  EXPECT_NE(weights_of(model)[0], first[0]);
  model.initialize(7);
  EXPECT_EQ(weights_of(model), first);
  nn::manual_seed(7);
  nn::Sequential again(nn::Linear(4, 4), nn::Linear(4, 4));
  EXPECT_EQ(weights_of(again).size(), 4U);
  std::multiset<std::vector<float>> a;
  std::multiset<std::vector<float>> b;
  for (const auto& values : first) a.insert(values);
  for (const auto& values : weights_of(again)) b.insert(values);
  EXPECT_EQ(a, b);  // the order in which arguments are made is the compiler's choice; the streams are the same
}

TEST(NnModule, NamesParametersAsPyTorchDoes) {
  nn::Sequential model(nn::Linear(2, 3), nn::ReLU(), nn::Sequential(nn::Linear(3, 3, false), nn::Dropout(0.5F)),
                       nn::Linear(3, 1));
  std::vector<std::string> names;
  for (const nn::NamedValue& entry : model.named_parameters()) names.push_back(entry.name);
  EXPECT_THAT(names, ::testing::ElementsAre("0.weight", "0.bias", "2.0.weight", "3.weight", "3.bias"));
  ASSERT_EQ(model.buffers().size(), 1U);
  EXPECT_EQ(model.buffers()[0].name, "2.1.counter");
  EXPECT_EQ(model.parameter_count(), 6 + 3 + 9 + 3 + 1);
}

TEST(NnModule, PrintsItsStructure) {
  nn::Sequential model(nn::Linear(2, 3), nn::LeakyReLU(), nn::Sequential(nn::Dropout(0.25F)));
  EXPECT_EQ(model.to_string(),
            "Sequential(\n"
            "  (0): Linear(in_features=2, out_features=3, bias=True)\n"
            "  (1): LeakyReLU(negative_slope=0.01)\n"
            "  (2): Sequential(\n"
            "    (0): Dropout(p=0.25)\n"
            "  )\n"
            ")");
}

TEST(NnModule, TrainAndEvalReachEveryPart) {
  nn::Sequential model(nn::Sequential(nn::Dropout(0.5F)), nn::ReLU());
  model.eval();
  EXPECT_FALSE(dynamic_cast<nn::Sequential&>(model[0])[0].is_training());
  model.train();
  EXPECT_TRUE(dynamic_cast<nn::Sequential&>(model[0])[0].is_training());
}

struct Activation {
  const char* name;
  std::function<std::unique_ptr<nn::Module>()> make;
  double (*formula)(double);
};

class NnActivation : public ::testing::TestWithParam<Activation> {};

TEST_P(NnActivation, ValueAndGradientFollowTheFormula) {
  const auto layer = GetParam().make();
  std::vector<float> points = numbers(64, 3, -4, 4);
  points.insert(points.end(), {-30.0F, 30.0F, 1e-3F, -1e-3F});
  Array x = Array::from(points, Shape{4, 17});
  x.requires_grad();
  const Array y = (*layer)(x);
  const std::vector<float> values = y.to_vector<float>();
  sum(y).backward();
  const std::vector<float> gradients = x.grad().to_vector<float>();
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_NEAR(values[i], GetParam().formula(points[i]), 2e-6 * (1 + std::abs(points[i]))) << points[i];
    EXPECT_NEAR(gradients[i], slope(GetParam().formula, points[i]), 1e-5) << points[i];
  }
}

INSTANTIATE_TEST_SUITE_P(All, NnActivation,
                         ::testing::Values(Activation{"ReLU", [] { return std::make_unique<nn::ReLU>(); },
                                                      [](double x) { return x > 0 ? x : 0; }},
                                           Activation{"LeakyReLU", [] { return std::make_unique<nn::LeakyReLU>(0.1F); },
                                                      [](double x) { return x > 0 ? x : double{0.1F} * x; }},
                                           Activation{"Tanh", [] { return std::make_unique<nn::Tanh>(); },
                                                      [](double x) { return std::tanh(x); }},
                                           Activation{"Sigmoid", [] { return std::make_unique<nn::Sigmoid>(); },
                                                      [](double x) { return 1 / (1 + std::exp(-x)); }},
                                           Activation{
                                               "GELU", [] { return std::make_unique<nn::GELU>(); },
                                               [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }},
                                           Activation{"SiLU", [] { return std::make_unique<nn::SiLU>(); },
                                                      [](double x) { return x / (1 + std::exp(-x)); }}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(NnSoftmax, RowsSumToOne) {
  nn::Softmax layer;
  const std::vector<float> y = layer(random_array(Shape{6, 5}, 4, -50, 50)).to_vector<float>();
  for (std::size_t row = 0; row < 6; ++row) {
    EXPECT_NEAR(std::accumulate(y.begin() + row * 5, y.begin() + row * 5 + 5, 0.0), 1, 1e-6);
  }
}

TEST(NnLinear, GradientsFollowFiniteDifferences) {
  constexpr std::size_t rows = 4;
  constexpr std::size_t in = 3;
  constexpr std::size_t out = 2;
  nn::Linear layer(in, out);
  Array x = random_array(Shape{rows, in}, 31);
  x.requires_grad();
  const std::vector<float> r = numbers(rows * out, 32);
  sum(layer(x) * Array::from(r, Shape{rows, out})).backward();
  const std::vector<const Array*> arrays = {&x, &layer.weight().value, &layer.bias().value};
  std::vector<std::vector<double>> at;
  for (const Array* array : arrays) {
    const std::vector<float> values = array->to_vector<float>();
    at.emplace_back(values.begin(), values.end());
  }
  const auto objective = [&] {
    double total = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < out; ++j) {
        double y = at[2][j];
        for (std::size_t k = 0; k < in; ++k) y += at[0][i * in + k] * at[1][j * in + k];
        total += r[i * out + j] * y;
      }
    }
    return total;
  };
  for (std::size_t which = 0; which < arrays.size(); ++which) {
    const std::vector<float> gradients = arrays[which]->grad().to_vector<float>();
    ASSERT_EQ(gradients.size(), at[which].size());
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      const double before = at[which][i];
      const double expected = slope(
          [&](double value) {
            at[which][i] = value;
            return objective();
          },
          before);
      at[which][i] = before;
      EXPECT_NEAR(gradients[i], expected, 1e-5) << "array " << which << ", element " << i;
    }
  }
}

TEST(NnSoftmax, GradientsFollowFiniteDifferences) {
  constexpr std::size_t columns = 5;
  nn::Softmax layer;
  Array x = random_array(Shape{1, columns}, 33, -3, 3);
  x.requires_grad();
  const std::vector<float> r = numbers(columns, 34);
  sum(layer(x) * Array::from(r, Shape{1, columns})).backward();
  const std::vector<float> gradients = x.grad().to_vector<float>();
  const std::vector<float> values = x.to_vector<float>();
  std::vector<double> at(values.begin(), values.end());
  for (std::size_t i = 0; i < columns; ++i) {
    const double before = at[i];
    const double expected = slope(
        [&](double value) {
          at[i] = value;
          double total = 0;
          double weighted = 0;
          for (std::size_t c = 0; c < columns; ++c) {
            total += std::exp(at[c]);
            weighted += r[c] * std::exp(at[c]);
          }
          return weighted / total;
        },
        before);
    at[i] = before;
    EXPECT_NEAR(gradients[i], expected, 1e-6);
  }
}

TEST(NnDropout, DropsTheShareAndScalesTheRest) {
  nn::Dropout layer(0.25F);
  const std::vector<float> y = layer(ones(Shape{200, 200})).to_vector<float>();
  std::int64_t dropped = 0;
  for (const float value : y) {
    if (value == 0) {
      ++dropped;
    } else {
      ASSERT_FLOAT_EQ(value, 1 / 0.75F);
    }
  }
  EXPECT_NEAR(static_cast<double>(dropped) / 40000, 0.25, 5 * std::sqrt(0.25 * 0.75 / 40000));
}

TEST(NnDropout, EveryCallDrawsAnewAndInitializeStartsAgain) {
  nn::Sequential model(nn::Dropout(0.5F), nn::Dropout(0.5F));
  model.initialize(3);
  const auto mask = [&](std::size_t i) { return model[i](ones(Shape{8, 8})).to_vector<float>(); };
  const auto first = mask(0);
  EXPECT_NE(mask(0), first);
  EXPECT_NE(mask(1), first);
  EXPECT_EQ(model.buffers()[0].value->to_vector<std::int32_t>()[0], 2);
  model.initialize(3);
  EXPECT_EQ(mask(0), first);
}

TEST(NnDropout, IsTheIdentityInEvaluationModeAndForZero) {
  nn::Dropout layer(0.5F);
  layer.eval();
  const Array x = random_array(Shape{4, 4}, 1);
  EXPECT_EQ(layer(x).to_vector<float>(), x.to_vector<float>());
  nn::Dropout none(0);
  EXPECT_EQ(none(x).to_vector<float>(), x.to_vector<float>());
  nn::Dropout all(1);
  EXPECT_EQ(all(x).to_vector<float>(), std::vector<float>(16, 0.0F));
  EXPECT_THROW(nn::Dropout(1.5F), UsageError);
  EXPECT_THROW(nn::Dropout(std::nanf("")), UsageError);
}

TEST(NnDropout, GradientPassesThroughTheSameMask) {
  nn::Dropout layer(0.5F);
  Array x = ones(Shape{32, 32});
  x.requires_grad();
  const Array y = layer(x);
  sum(y).backward();
  EXPECT_EQ(y.to_vector<float>(), x.grad().to_vector<float>());  // x is 1, so y is the scaled mask
}

TEST(NnPredict, BatchesGiveTheSameRowsAndTheModeComesBack) {
  nn::Sequential model = small_model();
  model.add(nn::Dropout(0.9F));
  const Array x = random_array(Shape{23, 2}, 6);
  const std::vector<float> whole = nn::predict(model, x).to_vector<float>();
  const std::vector<float> parts = nn::predict(model, x, 5).to_vector<float>();
  ASSERT_EQ(parts.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(parts[i], whole[i], 1e-6);
  EXPECT_TRUE(model.is_training());
  EXPECT_THROW((void)nn::predict(model, zeros(Shape{0, 2})), UsageError);
}

TEST(NnLayerFactory, NamesTheNearestLayer) {
  try {
    (void)nn::make_layer({"Linaer", {}});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("Linaer"));
    EXPECT_THAT(error.hint(), HasSubstr("Linear"));
  }
  EXPECT_THAT(message_of<DataError>([] {
                (void)nn::make_layer({"Linear", {{"in_features", 2.5}, {"out_features", 1}, {"bias", 1}}});
              }),
              HasSubstr("in_features = 2.5"));
}

TEST(NnGradients, ThatNobodyEvaluatesDoNotKeepTheGraph) {
  std::weak_ptr<graph::Node> leaf;
  {
    nn::Sequential model = small_model();
    const Array kept = model.parameters().front()->value;
    leaf = kept.node()->weak_from_this();
    const Array loss = mean(square(model(random_array(Shape{3, 2}, 1))));
    loss.backward();
    EXPECT_FALSE(kept.grad().is_evaluated());
    loss.backward();  // added to the first ones
  }
  EXPECT_TRUE(leaf.expired());
}

TEST(NnGradients, BelongToEveryHandleOfTheLeaf) {
  Array x = Array::from(std::vector<float>{1, 2}, Shape{2});
  x.requires_grad();
  Array other = x;
  sum(x * x).backward();
  EXPECT_EQ(other.grad().to_vector<float>(), (std::vector<float>{2, 4}));
  x = Array();
  EXPECT_TRUE(std::as_const(other).requires_grad());
  EXPECT_EQ(other.grad().to_vector<float>(), (std::vector<float>{2, 4}));
  other.requires_grad(false);
  EXPECT_FALSE(other.grad().defined());
  other.requires_grad();
  EXPECT_FALSE(other.grad().defined());
}

}  // namespace
}  // namespace overtake::testing
