// SPDX-License-Identifier: MIT
// Odd modules: the loop written by hand and the Trainer's compiled step give the same bits, or the Trainer says why
// not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/ops.hpp"

namespace overtake::testing {
namespace {

using nn::NamedModule;
using nn::Parameter;
using ::testing::HasSubstr;

constexpr std::int64_t features = 3;
constexpr std::int64_t rows = 70;
constexpr std::int64_t batch = 16;  // a smaller one is left at the end
constexpr int epochs = 4;

/// A hidden layer, something odd, an output layer.
class Odd : public nn::Module {
 public:
  Array forward(const Array& input) override { return last_(odd(tanh(first_(input)))); }
  std::vector<NamedModule> children() override { return {{"first", &first_}, {"last", &last_}}; }
  [[nodiscard]] virtual Array odd(const Array& x) = 0;

 protected:
  nn::Linear& first() { return first_; }

 private:
  nn::Linear first_{features, 5};
  nn::Linear last_{5, 1};
};

class CentredByDetachedMean : public Odd {
  Array odd(const Array& x) override { return x - mean(x, 0, true).detach(); }
};

class DetachedTwiceAndAsLeaf : public Odd {
  Array odd(const Array& x) override {
    const Array still = first().weight().value.detach();
    return x * (1.0F + mean(x.detach().detach() * x)) + sum(still) * 0.01F;
  }
};

/// Batch normalisation as people write it, with running statistics in buffers.
class NormalisedByHand : public Odd {
 public:
  std::vector<Parameter*> own_parameters() override { return {&scale_}; }
  std::vector<Parameter*> own_buffers() override { return {&mean_, &variance_, &steps_}; }
  NormalisedByHand() { scale_.value.requires_grad(); }

 private:
  Array odd(const Array& x) override {
    if (!is_training()) return scale_.value * (x - mean_.value) / sqrt(variance_.value + 1e-5F);
    const Array centre = mean(x, 0, true);
    const Array variance = mean(square(x - centre), 0, true);
    assign_buffer(mean_, mean_.value * 0.9F + centre * 0.1F);
    assign_buffer(variance_, variance_.value * 0.9F + variance * 0.1F);
    assign_buffer(steps_, steps_.value + astype(ones(Shape{1}), DType::int32));
    return scale_.value * (x - centre) / sqrt(variance + 1e-5F);
  }

  Parameter scale_{"scale", Array::from(std::vector<float>(5, 1), Shape{1, 5})};
  Parameter mean_{"mean", Array::from(std::vector<float>(5, 0), Shape{1, 5})};
  Parameter variance_{"variance", Array::from(std::vector<float>(5, 1), Shape{1, 5})};
  Parameter steps_{"steps", Array::from(std::vector<std::int32_t>{0}, Shape{1})};
};

class OtherInTraining : public Odd {
  Array odd(const Array& x) override { return is_training() ? x * 2.0F + 0.1F : x; }
};

class SameLayerTwice : public Odd {
 public:
  std::vector<NamedModule> children() override {
    std::vector<NamedModule> all = Odd::children();
    all.push_back({"middle", &middle_});
    all.push_back({"middle_again", &middle_});
    return all;
  }

 private:
  Array odd(const Array& x) override { return middle_(tanh(middle_(x))); }
  nn::Linear middle_{5, 5};
};

class SharedWeights : public Odd {
  // What the first layer multiplies with, transposed: (rows, 5) x (5, features) and back.
  Array odd(const Array& x) override {
    return tanh(matmul(matmul(x, first().weight().value), transpose(first().weight().value)));
  }
};

class DroppedTwice : public Odd {
 public:
  std::vector<NamedModule> children() override {
    std::vector<NamedModule> all = Odd::children();
    all.push_back({"drop", &drop_});
    return all;
  }

 private:
  Array odd(const Array& x) override { return drop_(drop_(x) + 1.0F); }
  nn::Dropout drop_{0.3F};
};

class BranchesByValue : public Odd {
  Array odd(const Array& x) override {
    return where(greater(mean(x), 0.0F), x, x * 0.5F) + where(less(x, 0.2F), x, 0.0F);
  }
};

class FadesWithSteps : public Odd {
 public:
  std::vector<Parameter*> own_buffers() override { return {&rate_}; }

 private:
  Array odd(const Array& x) override {
    const Array rate = rate_.value;
    if (is_training()) assign_buffer(rate_, rate * 0.95F);
    return x * (1.0F + rate);
  }
  Parameter rate_{"rate", Array::from(std::vector<float>{1}, Shape{1})};
};

class PartlyFrozen : public Odd {
 public:
  PartlyFrozen() { first().weight().value.requires_grad(false); }

 private:
  Array odd(const Array& x) override { return sigmoid(x); }
};

class UsesConstantsOfTheHost : public Odd {
  Array odd(const Array& x) override {
    const Array weights = Array::from(std::vector<float>{1, 2, 3, 4, 5}, Shape{1, 5});
    return x * weights * (1.0F / weights.to_vector<float>()[4]) * sum(weights).item();
  }
};

template <typename M>
std::unique_ptr<M> fresh() {
  nn::manual_seed(11);
  auto model = std::make_unique<M>();
  model->initialize(5);
  return model;
}

struct Outcome {
  std::vector<std::vector<float>> weights;
  std::vector<std::vector<float>> buffers;
  std::vector<float> predicted;
};

Outcome outcome_of(nn::Module& model, const Array& x) {
  Outcome outcome;
  outcome.weights = weights_of(model);
  for (const nn::NamedValue& buffer : model.buffers())
    outcome.buffers.push_back(astype(*buffer.value, DType::float32).to_vector<float>());
  outcome.predicted = nn::predict(model, x).to_vector<float>();
  return outcome;
}

const Array& inputs() {
  static const Array x = random_array(Shape{rows, features}, 3);
  return x;
}
const Array& targets() {
  static const Array y = random_array(Shape{rows, 1}, 4);
  return y;
}

template <typename M>
Outcome by_hand() {
  const auto model = fresh<M>();
  optim::Adam optimizer(model->parameters(), 0.02);
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (std::int64_t begin = 0; begin < rows; begin += batch) {
      const std::int64_t end = std::min(rows, begin + batch);
      optimizer.zero_grad();
      const Array loss = nn::Loss::mse()(model->forward(slice(inputs(), begin, end)), slice(targets(), begin, end));
      loss.backward();
      optimizer.step();
    }
  }
  return outcome_of(*model, inputs());
}

template <typename M>
Outcome by_trainer() {
  const auto model = fresh<M>();
  optim::Adam optimizer(model->parameters(), 0.02);
  Trainer trainer(*model, nn::Loss::mse(), optimizer, {.epochs = epochs, .batch_size = batch, .shuffle = false});
  (void)trainer.fit(inputs(), targets());
  return outcome_of(*model, inputs());
}

template <typename M>
class NnZoo : public ::testing::Test {};
using Members = ::testing::Types<CentredByDetachedMean, DetachedTwiceAndAsLeaf, NormalisedByHand, OtherInTraining,
                                 SameLayerTwice, SharedWeights, DroppedTwice, BranchesByValue, FadesWithSteps,
                                 PartlyFrozen, UsesConstantsOfTheHost>;
TYPED_TEST_SUITE(NnZoo, Members);

TYPED_TEST(NnZoo, TrainerAndLoopGiveTheSameBits) {
  const Outcome hand = by_hand<TypeParam>();
  const Outcome trainer = by_trainer<TypeParam>();
  const auto untrained = fresh<TypeParam>();
  EXPECT_NE(weights_of(*untrained), hand.weights);
  EXPECT_EQ(hand.weights, trainer.weights);
  EXPECT_EQ(hand.buffers, trainer.buffers);
  EXPECT_EQ(hand.predicted, trainer.predicted);
}

// -- what a compiled step cannot do
// ------------------------------------------------------------------------------------

class ReadsItem : public Odd {
  Array odd(const Array& x) override { return x * mean(x).item(); }
};
class ReadsVector : public Odd {
  Array odd(const Array& x) override { return x * x.to_vector<float>()[0]; }
};
class Evaluates : public Odd {
  Array odd(const Array& x) override {
    x.eval();
    return x;
  }
};
class ReadsItsWeight : public Odd {
  Array odd(const Array& x) override { return x * first().weight().value.to_vector<float>()[0]; }
};
class GoesToAnotherDevice : public Odd {
  Array odd(const Array& x) override { return x * sum(x).to(Device("null")).to(Device()); }
};
class CountsOnTheHost : public Odd {
  Array odd(const Array& x) override { return x * static_cast<float>(++calls_); }
  int calls_ = 0;
};
class DrawsOnTheHost : public Odd {
  Array odd(const Array& x) override { return x * Array::from(numbers(5, ++calls_), Shape{1, 5}); }
  std::uint64_t calls_ = 0;
};
class KeepsItsLastOutput : public Odd {
  Array odd(const Array& x) override {
    const Array before = last_.defined() ? last_ : Array(0.0F);
    last_ = mean(x).detach();  // without it the graph of every step before would stay
    return x - before;
  }
  Array last_;
};

template <typename M>
std::string refusal() {
  return message_of<UsageError>([] { (void)by_trainer<M>(); });
}

TEST(NnZooRefused, WhatWouldFreezeAValue) {
  EXPECT_THAT(refusal<ReadsItem>(), HasSubstr("[item] inside a step that is being compiled"));
  EXPECT_THAT(refusal<ReadsVector>(), HasSubstr("[to_vector] inside a step"));
  EXPECT_THAT(refusal<Evaluates>(), HasSubstr("[eval] inside a step"));
  EXPECT_THAT(refusal<ReadsItsWeight>(), HasSubstr("[to_vector] inside a step"));
  EXPECT_THAT(refusal<GoesToAnotherDevice>(), HasSubstr("[to] inside a step"));
}

TEST(NnZooRefused, WhatChangesFromCallToCall) {
  EXPECT_THAT(refusal<CountsOnTheHost>(), HasSubstr("came out differently"));
  EXPECT_THAT(refusal<DrawsOnTheHost>(), HasSubstr("came out differently"));
  EXPECT_THAT(refusal<KeepsItsLastOutput>(), HasSubstr("kept from inside a compiled step"));
}

TEST(NnZooRefused, TheLoopByHandRunsThemAll) {
  EXPECT_NO_THROW((void)by_hand<ReadsItem>());
  EXPECT_NO_THROW((void)by_hand<CountsOnTheHost>());
  EXPECT_NO_THROW((void)by_hand<KeepsItsLastOutput>());
}

class Remembers : public Odd {
 public:
  Array kept;

 private:
  Array odd(const Array& x) override {
    kept = mean(x);
    return x;
  }
};

TEST(NnZooRefused, AValueKeptFromACompiledStepIsNotReadLater) {
  const auto model = fresh<Remembers>();
  optim::Adam optimizer(model->parameters(), 0.02);
  Trainer trainer(*model, nn::Loss::mse(), optimizer, {.epochs = 1, .batch_size = rows, .check_result = false});
  (void)trainer.fit(inputs(), targets());
  EXPECT_THAT(message_of<UsageError>([&] { (void)model->kept.item(); }), HasSubstr("kept from inside a compiled step"));
}

TEST(NnZooRefused, AReplacedWeightWithoutGradient) {
  const auto model = fresh<OtherInTraining>();
  optim::Adam optimizer(model->parameters(), 0.02);
  Parameter& weight = *model->parameters().front();
  weight.value = random_array(weight.value.shape(), 9);
  Trainer trainer(*model, nn::Loss::mse(), optimizer, {.epochs = 1});
  EXPECT_THAT(message_of<UsageError>([&] { (void)trainer.fit(inputs(), targets()); }),
              HasSubstr("requires no gradient"));
  weight.value.requires_grad();
  EXPECT_NO_THROW((void)trainer.fit(inputs(), targets()));
}

class InitialisesFromTheFirstBatch : public Odd {
 public:
  std::vector<Parameter*> own_buffers() override { return {&centre_}; }

 private:
  Array odd(const Array& x) override {
    if (!done_) assign_buffer(centre_, mean(x, 0, true));
    done_ = true;
    return x - centre_.value;
  }
  bool done_ = false;
  Parameter centre_{"centre", Array::from(std::vector<float>(5, 0), Shape{1, 5})};
};

TEST(NnZooRefused, InitialisationOnTheHost) {
  EXPECT_THAT(refusal<InitialisesFromTheFirstBatch>(), HasSubstr("came out differently"));
}

// -- what an observer may do between epochs
// ----------------------------------------------------------------------------

/// Calls `action` after the epochs.
class Observer : public TrainingObserver {
 public:
  explicit Observer(std::function<void(int)> action) : action_(std::move(action)) {}
  void on_epoch(const EpochEvent& event) override { action_(event.record.epoch); }

 private:
  std::function<void(int)> action_;
};

/// Trains epoch by epoch; between them `action(model, optimizer, epoch)`, by hand or from an observer.
using Action = std::function<void(nn::Module&, optim::Optimizer&, int)>;

template <typename M>
Outcome observed(const Action& action, bool hand) {
  const auto model = fresh<M>();
  optim::Adam optimizer(model->parameters(), 0.02);
  Observer observer([&](int epoch) { action(*model, optimizer, epoch); });
  if (!hand) {
    Trainer trainer(*model, nn::Loss::mse(), optimizer,
                    {.epochs = epochs, .batch_size = batch, .shuffle = false, .observer = &observer});
    (void)trainer.fit(inputs(), targets());
    return outcome_of(*model, inputs());
  }
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (std::int64_t begin = 0; begin < rows; begin += batch) {
      const std::int64_t end = std::min(rows, begin + batch);
      optimizer.zero_grad();
      nn::Loss::mse()(model->forward(slice(inputs(), begin, end)), slice(targets(), begin, end)).backward();
      optimizer.step();
    }
    action(*model, optimizer, epoch);
  }
  return outcome_of(*model, inputs());
}

template <typename M>
void expect_the_same(const Action& action) {
  const Outcome hand = observed<M>(action, true);
  const Outcome trainer = observed<M>(action, false);
  EXPECT_EQ(hand.weights, trainer.weights);
  EXPECT_EQ(hand.buffers, trainer.buffers);
}

TEST(NnObserver, AssignedWeightsAreTrainedOn) {
  expect_the_same<OtherInTraining>([](nn::Module& model, optim::Optimizer&, int epoch) {
    if (epoch > 2) return;
    for (Parameter* parameter : model.parameters()) {
      parameter->value = minimum(maximum(parameter->value, -0.1F), 0.1F);
      parameter->value.requires_grad();
    }
  });
}

TEST(NnObserver, ACallInTrainingModeMovesBuffers) {
  const Action call = [](nn::Module& model, optim::Optimizer&, int) { model.forward(inputs()).eval(); };
  expect_the_same<NormalisedByHand>(call);
  expect_the_same<DroppedTwice>(call);
}

TEST(NnObserver, ANewLearningRateTakesEffect) {
  expect_the_same<OtherInTraining>(
      [](nn::Module&, optim::Optimizer& optimizer, int epoch) { optimizer.set_learning_rate(0.02 / epoch); });
}

class Annealed : public Odd {
 public:
  float alpha = 1;

 private:
  Array odd(const Array& x) override { return x * alpha; }
};

TEST(NnObserver, WhatAPlanCannotFollowIsAnError) {
  const auto refused = [](const Action& action) {
    return message_of<UsageError>([&] { (void)observed<Annealed>(action, false); });
  };
  EXPECT_THAT(refused([](nn::Module& model, optim::Optimizer&, int) { dynamic_cast<Annealed&>(model).alpha *= 0.5F; }),
              HasSubstr("came out differently"));
  EXPECT_THAT(refused([](nn::Module& model, optim::Optimizer&, int) { model.eval(); }), HasSubstr("evaluation mode"));
  EXPECT_THAT(refused([](nn::Module& model, optim::Optimizer&, int) {
                model.parameters().front()->value.requires_grad(false);
              }),
              HasSubstr("an observer froze 'first.weight'"));
  EXPECT_THAT(refused([](nn::Module& model, optim::Optimizer&, int) {
                model.parameters().front()->value = Array::from(std::vector<float>{1}, Shape{1});
              }),
              HasSubstr("another shape"));
}

}  // namespace
}  // namespace overtake::testing
