// SPDX-License-Identifier: MIT
// States of modules: names, strictness, files of Overtake and of PyTorch, modules of one's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <utility>

#include "nn_support.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/model_file.hpp"
#include "overtake/nn/state_file.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

namespace overtake::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A module of a user's own: two branches, an array of its own, and a running figure in a buffer.
class Gated : public nn::Module {
 public:
  Gated() { gate_.value.requires_grad(); }
  Array forward(const Array& x) override {
    if (is_training()) assign_buffer(seen_, seen_.value + mean(x));
    return left_(x) * sigmoid(gate_.value) + right_(norm_(x));
  }
  std::vector<nn::Parameter*> own_parameters() override { return {&gate_}; }
  std::vector<nn::Parameter*> own_buffers() override { return {&seen_, &scratch_}; }
  std::vector<nn::NamedModule> children() override { return {{"left", &left_}, {"norm", &norm_}, {"right", &right_}}; }
  nn::Parameter& gate() { return gate_; }

 private:
  nn::Linear left_{3, 2};
  nn::BatchNorm1d norm_{3};
  nn::Linear right_{3, 2};
  nn::Parameter gate_{"gate", Array::from(std::vector<float>{0.25F, -0.75F}, Shape{2})};
  nn::Parameter seen_{"seen", zeros(Shape{})};
  nn::Parameter scratch_{"scratch", zeros(Shape{3}), false};
};

std::vector<std::string> names_of(const nn::StateDict& state) {
  std::vector<std::string> names;
  for (const auto& [name, value] : state) names.push_back(name);
  return names;
}

void expect_same_bits(const nn::StateDict& a, const nn::StateDict& b) {
  ASSERT_EQ(names_of(a), names_of(b));
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].second.shape(), b[i].second.shape());
    if (a[i].second.dtype() == DType::int32) {
      EXPECT_EQ(a[i].second.to_vector<std::int32_t>(), b[i].second.to_vector<std::int32_t>());
      continue;
    }
    const std::vector<float> left = a[i].second.to_vector<float>();
    const std::vector<float> right = b[i].second.to_vector<float>();
    EXPECT_EQ(std::memcmp(left.data(), right.data(), left.size() * sizeof(float)), 0) << a[i].first;
  }
}

TEST(NnStateDict, HasParametersAndPersistentBuffersInPyTorchsOrder) {
  Gated module;
  EXPECT_THAT(names_of(module.state_dict()),
              ElementsAre("gate", "seen", "left.weight", "left.bias", "norm.weight", "norm.bias", "norm.running_mean",
                          "norm.running_var", "norm.num_batches_tracked", "right.weight", "right.bias"));
  nn::Sequential with_dropout(nn::Linear(2, 2), nn::Dropout());
  EXPECT_THAT(names_of(with_dropout.state_dict()), ElementsAre("0.weight", "0.bias"));
  EXPECT_EQ(with_dropout.buffers().size(), 1U);
  const nn::StateDict state = module.state_dict();
  ASSERT_NE(nn::find(state, "gate"), nullptr);
  EXPECT_EQ(nn::find(state, "gates"), nullptr);
}

TEST(NnStateDict, IsACopyThatTrainingDoesNotChange) {
  nn::Sequential model = small_model();
  const nn::StateDict before = model.state_dict();
  const auto weights = weights_of(model);
  optim::SGD optimizer(model.parameters(), 0.1);
  sum(model(ones(Shape{3, 2}))).backward();
  optimizer.step();
  optimizer.zero_grad();
  EXPECT_NE(weights_of(model), weights);
  EXPECT_TRUE(model.load_state_dict(before).empty());
  EXPECT_EQ(weights_of(model), weights);
  sum(model(ones(Shape{3, 2}))).backward();  // the optimiser holds the parameters still, and they learn
  optimizer.step();
  optimizer.zero_grad();
  EXPECT_NE(weights_of(model), weights);
  EXPECT_TRUE(model.load_state_dict(before).empty());
  EXPECT_EQ(weights_of(model), weights);
}

TEST(NnStateDict, IsACopyThatLoadingInPlaceDoesNotChange) {
  nn::Sequential other = small_model(9);
  const std::filesystem::path path = fresh_path("other.safetensors");
  save_state(path, other);
  nn::Sequential model = small_model();
  const auto weights = weights_of(model);
  const nn::StateDict before = model.state_dict();
  load_weights(path, model);
  EXPECT_NE(weights_of(model), weights);
  EXPECT_EQ(before[0].second.to_vector<float>(), weights[0]);
}

TEST(NnStateDict, LoadingKeepsGradientsAndWhatIsFrozen) {
  nn::Sequential model = small_model();
  sum(model(ones(Shape{3, 2}))).backward();
  model.parameters()[0]->value.requires_grad(false);
  const std::vector<float> gradient = model.parameters()[1]->value.grad().to_vector<float>();
  (void)model.load_state_dict(small_model(9).state_dict());
  EXPECT_FALSE(std::as_const(model.parameters()[0]->value).requires_grad());
  EXPECT_EQ(model.parameters()[1]->value.grad().to_vector<float>(), gradient);
  optim::SGD optimizer(model.parameters(), 0.1);
  optimizer.step();  // refuses arrays that neither learn nor are frozen
  optimizer.zero_grad();
}

TEST(NnStateDict, StrictLoadingListsWhatDoesNotFitAndChangesNothing) {
  nn::Sequential model = small_model(1, 2, 3, 2);
  const auto before = weights_of(model);
  nn::StateDict state = small_model(2, 2, 4, 2).state_dict();
  state.erase(state.begin() + 3);
  state.emplace_back("2.extra", zeros(Shape{1}));
  const std::string message = message_of<UsageError>([&] { (void)model.load_state_dict(state); });
  EXPECT_THAT(message, HasSubstr("missing: 2.bias;"));
  EXPECT_THAT(message, HasSubstr("unexpected: 2.extra;"));
  EXPECT_THAT(message, HasSubstr("of another shape: 0.weight (4, 2), expected (3, 2), 0.bias (4,), expected (3,)"));
  const std::string loose = message_of<UsageError>([&] { (void)model.load_state_dict(state, false); });
  EXPECT_THAT(loose, HasSubstr("of another shape"));
  EXPECT_EQ(loose.find("missing"), std::string::npos);
  EXPECT_EQ(weights_of(model), before);
}

TEST(NnStateDict, LooseLoadingTakesWhatFits) {
  nn::Sequential model = small_model(1);
  const auto before = weights_of(model);
  nn::StateDict state = small_model(2).state_dict();
  const auto expected = state[0].second.to_vector<float>();
  state.erase(state.begin() + 1, state.end());
  state.emplace_back("other", zeros(Shape{1}));
  const nn::IncompatibleKeys keys = model.load_state_dict(state, false);
  EXPECT_THAT(keys.missing_keys, ElementsAre("0.bias", "2.weight", "2.bias"));
  EXPECT_THAT(keys.unexpected_keys, ElementsAre("other"));
  EXPECT_EQ(weights_of(model)[0], expected);
  EXPECT_EQ(weights_of(model)[2], before[2]);
}

TEST(NnStateDict, RefusesDuplicatesAndUndefinedArrays) {
  nn::Sequential model = small_model();
  nn::StateDict state = model.state_dict();
  state.push_back(state.front());
  EXPECT_THAT(message_of<UsageError>([&] { (void)model.load_state_dict(state); }),
              HasSubstr("'0.weight' occurs twice"));
  state.back() = {"x", Array()};
  EXPECT_THAT(message_of<UsageError>([&] { (void)model.load_state_dict(state, false); }), HasSubstr("'x'"));

  class Twins : public nn::Module {
   public:
    Array forward(const Array& x) override { return b_(a_(x)); }
    std::vector<nn::NamedModule> children() override { return {{"twin", &a_}, {"twin", &b_}}; }

   private:
    nn::Linear a_{2, 2}, b_{2, 2};
  };
  Twins twins;
  EXPECT_THAT(message_of<UsageError>([&] { (void)twins.state_dict(); }), HasSubstr("'twin.weight'"));
}

TEST(NnStateFile, KeepsTheBitsOfAModuleOfOnesOwn) {
  Gated module;
  module.initialize(11);
  (void)module(random_array(Shape{7, 3}, 12)).to_vector<float>();
  // A subnormal number, a negative zero and NaN with a payload come back as they were.
  const std::vector<float> odd = {std::bit_cast<float>(0x00000003U), std::bit_cast<float>(0x80000000U)};
  module.gate().value = Array::from(odd, Shape{2});
  module.gate().value.requires_grad();
  const std::filesystem::path path = fresh_path("gated.safetensors");
  save_state(path, module, {{"note", "of one's own"}});
  EXPECT_EQ(read_safetensors(path).metadata.at("note"), "of one's own");

  Gated other;
  EXPECT_TRUE(load_state(path, other).empty());
  expect_same_bits(other.state_dict(), module.state_dict());
  module.eval();
  other.eval();
  const Array x = random_array(Shape{4, 3}, 13);
  EXPECT_EQ(other(x).to_vector<float>(), module(x).to_vector<float>());
  EXPECT_TRUE(std::as_const(other.gate().value).requires_grad());
}

TEST(NnStateFile, IsRefusedByNameWhereItDoesNotFit) {
  nn::Sequential model = small_model();
  const std::filesystem::path path = fresh_path("small.safetensors");
  save_state(path, model);
  nn::Sequential larger = small_model(1, 2, 9, 2);
  EXPECT_THAT(message_of<DataError>([&] { (void)load_state(path, larger); }),
              ::testing::AllOf(HasSubstr("small.safetensors"), HasSubstr("0.weight (8, 2), expected (9, 2)")));
  Gated other;
  EXPECT_THAT(message_of<DataError>([&] { (void)load_state(path, other); }), HasSubstr("missing: gate, seen"));
  EXPECT_EQ(load_state(path, other, false).unexpected_keys.size(), 4U);
  EXPECT_THROW((void)load_state(fresh_path("none.safetensors"), model), DataError);
  EXPECT_THROW(save_state(path, model, {{"overtake.x", ""}}), UsageError);
  EXPECT_THROW(write_state_dict(path, {{"x", Array()}}), UsageError);
}

// A file in the form of safetensors.torch.save_file(torch.nn.Sequential(Linear(2, 1), BatchNorm1d(1)).state_dict()):
// the tensors sorted by name, the counter int64 without dimensions, one tensor float64.
std::filesystem::path torch_file(const std::string& counter_value, bool with_counter = true) {
  std::string header = R"({"0.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                       R"("0.weight":{"dtype":"F64","shape":[1,2],"data_offsets":[4,20]},)"
                       R"("1.bias":{"dtype":"F32","shape":[1],"data_offsets":[20,24]},)";
  std::size_t at = 24;
  if (with_counter) {
    header += R"("1.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[24,32]},)";
    at = 32;
  }
  const auto entry = [&](const char* name, std::size_t begin) {
    return "\"" + std::string(name) + R"(":{"dtype":"F32","shape":[1],"data_offsets":[)" + std::to_string(begin) + "," +
           std::to_string(begin + 4) + "]}";
  };
  header += entry("1.running_mean", at) + "," + entry("1.running_var", at + 4) + "," + entry("1.weight", at + 8) + "}";
  const auto bytes = [](auto value) { return std::string(reinterpret_cast<const char*>(&value), sizeof(value)); };
  std::string content = bytes(std::uint64_t{header.size()}) + header;
  content += bytes(0.5F) + bytes(0.1) + bytes(-2.0) + bytes(0.75F);
  if (with_counter) content += bytes(std::int64_t{std::stoll(counter_value)});
  content += bytes(1.5F) + bytes(4.0F) + bytes(2.0F);
  const std::filesystem::path path = fresh_path("torch.safetensors");
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(NnStateFile, ReadsWhatPyTorchWrites) {
  nn::Sequential model(nn::Linear(2, 1), nn::BatchNorm1d(1));
  EXPECT_TRUE(load_state(torch_file("12"), model).empty());
  EXPECT_THAT(weights_of(model)[0], ElementsAre(0.1F, -2.0F));
  EXPECT_THAT(model.buffers()[2].value->to_vector<std::int32_t>(), ElementsAre(12));
  model.eval();
  const double y = 0.1 * 1 - 2.0 * 1 + 0.5;
  const double expected = (y - 1.5) / std::sqrt(4 + 1e-5) * 2 + 0.75;
  EXPECT_NEAR(model(ones(Shape{1, 2})).item(), expected, 1e-5);

  nn::Sequential counts_anew(nn::Linear(2, 1), nn::BatchNorm1d(1));
  EXPECT_TRUE(load_state(torch_file("", false), counts_anew).empty());  // as before PyTorch 0.4
  EXPECT_THAT(message_of<DataError>([&] { (void)load_state(torch_file("5000000000"), model); }),
              HasSubstr("1.num_batches_tracked"));
}

TEST(NnStateFile, RefusesTensorsOfTooManyDimensions) {
  const std::filesystem::path path = fresh_path("nine.safetensors");
  TensorFile file;
  file.tensors.push_back({"x", host_array(std::vector<float>{1}, {1, 1, 1, 1, 1, 1, 1, 1, 1})});
  write_safetensors(path, file);
  EXPECT_THAT(message_of<DataError>([&] { (void)read_state_dict(path); }), HasSubstr("9 dimensions"));
}

}  // namespace
}  // namespace overtake::testing
