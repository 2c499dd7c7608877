// SPDX-License-Identifier: MIT
// Embedding: rows by number, its gradient, padding, what it refuses; states of every type, halves among them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <string>

#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/model_file.hpp"
#include "overtake/nn/state_file.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(NnEmbedding, GivesRowsOfItsTableForNumbersOfAnyShape) {
  nn::Embedding layer(5, 3);
  const std::vector<float> table = layer.weight().value.to_vector<float>();
  const std::vector<std::int64_t> places = {4, 0, 1, 1, 3, 2};
  const Array y = layer(Array::from(places, Shape{2, 3}));
  ASSERT_EQ(y.shape(), (Shape{2, 3, 3}));
  const std::vector<float> values = y.to_vector<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i], table[static_cast<std::size_t>(places[i / 3]) * 3 + i % 3]);
  }
  EXPECT_EQ(layer(Array::from({2.0F}, Shape{1})).to_vector<float>(),
            layer(Array::from({std::int32_t{2}}, Shape{1})).to_vector<float>());
  EXPECT_THROW((void)layer(Array::from({std::int32_t{5}}, Shape{1})), UsageError);
  EXPECT_EQ(layer.to_string(), "Embedding(num_embeddings=5, embedding_dim=3)");
}

TEST(NnEmbedding, AddsUpTheGradientOfEachRowAndLeavesPaddingOut) {
  nn::Embedding layer(4, 2, -1);
  EXPECT_EQ(layer.padding_idx(), 3);
  const Array places = Array::from({std::int32_t{1}, std::int32_t{3}, std::int32_t{1}, std::int32_t{0}}, Shape{4});
  const Array y = layer(places);
  EXPECT_EQ(y.to_vector<float>()[2], 0.0F);  // the row of padding starts as zeros
  sum(y * Array::from({1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F, 7.0F, 8.0F}, Shape{4, 2})).backward();
  EXPECT_THAT(layer.weight().value.grad().to_vector<float>(), ElementsAre(7, 8, 6, 8, 0, 0, 0, 0));
}

TEST(NnEmbedding, IsNormallyDistributedAndAFunctionOfTheSeed) {
  nn::Embedding layer(100, 100);
  layer.initialize(3);
  const std::vector<float> values = layer.weight().value.to_vector<float>();
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 1e4;
  double square = 0;
  for (const float value : values) square += value * value;
  EXPECT_NEAR(mean, 0, 0.04);
  EXPECT_NEAR(square / 1e4, 1, 0.05);
  layer.initialize(4);
  EXPECT_NE(layer.weight().value.to_vector<float>(), values);
  layer.initialize(3);
  EXPECT_EQ(layer.weight().value.to_vector<float>(), values);
}

TEST(NnEmbedding, LearnsInACompiledStep) {
  nn::Sequential model(nn::Embedding(6, 4), nn::Linear(4, 2));
  model.initialize(1);
  class First final : public nn::Module {
   public:
    explicit First(nn::Module& inner) : inner_(&inner) {}
    Array forward(const Array& x) override { return mean((*inner_)(x), 1); }
    std::vector<nn::NamedModule> children() override { return {{"inner", inner_}}; }

   private:
    nn::Module* inner_;
  } first(model);
  std::vector<float> words;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 60; ++i) {
    words.push_back(static_cast<float>(i % 6)), words.push_back(static_cast<float>(i % 6));
    labels.push_back(i % 6 < 3 ? 0 : 1);
  }
  optim::Adam optimizer(first.parameters(), 0.05);
  Trainer trainer(first, nn::Loss::cross_entropy(), optimizer, {.epochs = 60, .batch_size = 30});
  const FitReport report = trainer.fit(Array::from(words, Shape{60, 2}), labels_array(labels));
  EXPECT_EQ(report.training.error, 0);
}

TEST(NnEmbedding, RefusesWhatItCannotTake) {
  EXPECT_THROW(nn::Embedding(0, 1), UsageError);
  EXPECT_THROW(nn::Embedding(3, 1, 3), UsageError);
  EXPECT_THROW(nn::Embedding(3, 1, -4), UsageError);
  nn::Embedding layer(3, 1);
  EXPECT_THROW((void)layer(astype(ones(Shape{1}), DType::boolean)), UsageError);
  EXPECT_THROW((void)nn::make_layer({"Embedding", {{"num_embeddings", 3}, {"embedding_dim", 1}, {"padding_idx", 7}}}),
               DataError);
  EXPECT_EQ(nn::make_layer(nn::Embedding(3, 2, 1).spec())->spec(), nn::Embedding(3, 2, 1).spec());
}

TEST(NnStateFile, ReadsHalvesAndWritesEveryTypeThatFilesHold) {
  const test::TempFolder folder;
  const auto path = folder / "state.safetensors";
  const std::vector<float> values = {1.5F, -2.0F, 0.25F};
  const Array given = Array::from(values, Shape{3});
  nn::StateDict state;
  for (const DType type : {DType::float16, DType::bfloat16, DType::float32, DType::float64}) {
    state.emplace_back(std::string(name_of(type)), astype(given, type));
  }
  for (const DType type : {DType::int32, DType::int64, DType::uint8, DType::boolean}) {
    state.emplace_back(std::string(name_of(type)), astype(abs(given), type));
  }
  write_state_dict(path, state);
  const nn::StateDict read = read_state_dict(path);
  ASSERT_EQ(read.size(), state.size());
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(nn::find(read, state[i].first)->to_vector<float>(), values);
  EXPECT_THAT(nn::find(read, "int64")->to_vector<std::int32_t>(), ElementsAre(1, 2, 0));
  try {
    write_state_dict(path, {{"small", astype(given, DType::int8)}});
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("int8"));
  }
}

}  // namespace
}  // namespace overtake::testing
