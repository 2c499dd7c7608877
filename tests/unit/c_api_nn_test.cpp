// SPDX-License-Identifier: MIT
// Networks over the C interface: a module that is put together, functions of the caller, training, states.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "c_api_support.hpp"
#include "nn_support.hpp"
#include "overtake/c_nn.h"
#include "overtake/nn/trainer.hpp"
#include "overtake/optim.hpp"

namespace overtake::test {
namespace {

using ArrayHandle = std::unique_ptr<overtake_array, Freed<overtake_array_free>>;
using LossHandle = std::unique_ptr<overtake_loss, Freed<overtake_loss_free>>;
using ModuleHandle = std::unique_ptr<overtake_module, Freed<overtake_module_free>>;
using OptimizerHandle = std::unique_ptr<overtake_optimizer, Freed<overtake_optimizer_free>>;
using ParameterHandle = std::unique_ptr<overtake_parameter, Freed<overtake_parameter_free>>;
using StateHandle = std::unique_ptr<overtake_state, Freed<overtake_state_free>>;

template <typename T>
ArrayHandle array_of(const std::vector<T>& values, std::vector<std::int64_t> extents, overtake_element type) {
  return made<ArrayHandle>([&](overtake_array** array) {
    return overtake_array_from(values.data(), type, extents.data(), static_cast<std::int32_t>(extents.size()), nullptr,
                               array);
  });
}

std::vector<float> values_of(const overtake_array* array, std::size_t count) {
  std::vector<float> values(count);
  EXPECT_EQ(overtake_array_read(array, values.data(), static_cast<std::int64_t>(count * sizeof(float))), OVERTAKE_OK);
  return values;
}

ModuleHandle layer(const char* type, const char* attributes) {
  ModuleHandle module = made<ModuleHandle>(overtake_module_new);
  EXPECT_EQ(overtake_module_set_layer(module.get(), type, attributes), OVERTAKE_OK) << overtake_error_message();
  return module;
}

// Linear(2, 8), ReLU, Linear(8, 2), as testing::small_model() makes it.
struct Net {
  ModuleHandle first = layer("Linear", R"({"in_features": 2, "out_features": 8, "bias": true})");
  ModuleHandle relu = layer("ReLU", "");
  ModuleHandle last = layer("Linear", R"({"in_features": 8, "out_features": 2, "bias": true})");
  ModuleHandle whole = made<ModuleHandle>(overtake_module_new);
  std::vector<ParameterHandle> parameters;

  Net() {
    int place = 0;
    for (const overtake_module* part : {first.get(), relu.get(), last.get()}) {
      EXPECT_EQ(overtake_module_set_child(whole.get(), std::to_string(place++).c_str(), part), OVERTAKE_OK);
    }
    EXPECT_EQ(overtake_module_initialize(whole.get(), 1), OVERTAKE_OK);
    for (const overtake_module* part : {first.get(), last.get()}) {
      for (const char* name : {"weight", "bias"}) {
        parameters.push_back(made<ParameterHandle>(
            [&](overtake_parameter** parameter) { return overtake_module_parameter(part, name, parameter); }));
      }
    }
  }

  [[nodiscard]] OptimizerHandle sgd() const {
    std::vector<const overtake_parameter*> all;
    for (const ParameterHandle& each : parameters) all.push_back(each.get());
    return made<OptimizerHandle>([&](overtake_optimizer** optimizer) {
      return overtake_optimizer_new("SGD", all.data(), static_cast<std::int64_t>(all.size()), R"({"lr": 0.1})",
                                    optimizer);
    });
  }
};

struct Data {
  std::vector<float> inputs = testing::numbers(80, 5);
  std::vector<std::int32_t> labels;
  Data() {
    for (std::size_t i = 0; i < 40; ++i) labels.push_back(inputs[2 * i] > inputs[2 * i + 1] ? 1 : 0);
  }
};

std::int32_t twice(void* calls, const overtake_array* input, overtake_array** output) {
  ++*static_cast<int*>(calls);
  std::int32_t add = 0;
  if (overtake_array_function("add", &add) != OVERTAKE_OK) return 1;
  return overtake_array_binary(add, input, input, output);
}

std::int32_t failing(void*, const overtake_array*, overtake_array**) { return 1; }

TEST(CApiNetworks, TrainAsInCpp) {
  const Data data;
  const Net net;
  const ArrayHandle inputs = array_of(data.inputs, {40, 2}, OVERTAKE_ELEMENT_FLOAT32);
  const ArrayHandle labels = array_of(data.labels, {40}, OVERTAKE_ELEMENT_INT32);
  const LossHandle loss = made<LossHandle>(
      [](overtake_loss** made_loss) { return overtake_loss_new("cross_entropy", "", nullptr, nullptr, made_loss); });
  const OptimizerHandle optimizer = net.sgd();
  int epochs = 0;
  overtake_training training{};
  training.inputs = inputs.get(), training.targets = labels.get();
  training.settings = R"({"epochs": 3, "batch_size": 16, "seed": 2})";
  training.on_epoch = [](void* context, const overtake_epoch*) { return ++*static_cast<int*>(context), 0; };
  training.context = &epochs;
  const auto report = nlohmann::json::parse(text_made([&](overtake_text** text) {
    return overtake_train(net.whole.get(), loss.get(), optimizer.get(), &training, nullptr, text);
  }));
  EXPECT_EQ(epochs, 3);
  nn::Sequential model = testing::small_model();
  optim::SGD sgd(model.parameters(), 0.1);
  Trainer trainer(model, nn::Loss::cross_entropy(), sgd, {.epochs = 3, .batch_size = 16, .seed = 2});
  const FitReport expected = trainer.fit(data.inputs, data.labels);
  EXPECT_EQ(report["epochs"].back()["train_loss"].get<double>(), expected.last().train_loss);
  overtake_array* weight = nullptr;
  ASSERT_EQ(overtake_parameter_array(net.parameters[0].get(), &weight), OVERTAKE_OK);
  EXPECT_EQ(values_of(weight, 16), model.parameters()[0]->value.to_vector<float>());
}

TEST(CApiNetworks, FunctionsOfTheCallerComputeAndFail) {
  const Net net;
  const ArrayHandle x = array_of(std::vector<float>{1, 2}, {1, 2}, OVERTAKE_ELEMENT_FLOAT32);
  const ModuleHandle own = made<ModuleHandle>(overtake_module_new);
  int calls = 0;
  ASSERT_EQ(overtake_module_set_forward(own.get(), twice, &calls), OVERTAKE_OK);
  ASSERT_EQ(overtake_module_set_child(net.whole.get(), "3", own.get()), OVERTAKE_OK);
  const auto forward = [&](overtake_array** y) { return overtake_module_forward(net.whole.get(), x.get(), y); };
  const ArrayHandle doubled = made<ArrayHandle>(forward);
  ASSERT_EQ(overtake_module_set_child(net.whole.get(), "3", nullptr), OVERTAKE_OK);
  const std::vector<float> plain = values_of(made<ArrayHandle>(forward).get(), 2);
  EXPECT_EQ(values_of(doubled.get(), 2), (std::vector<float>{2 * plain[0], 2 * plain[1]}));
  EXPECT_EQ(calls, 1);
  ASSERT_EQ(overtake_module_set_forward(own.get(), failing, nullptr), OVERTAKE_OK);
  overtake_array* none = nullptr;
  expect_status(OVERTAKE_CALLER_ERROR, overtake_module_forward(own.get(), x.get(), &none), "of the caller failed");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_module_layer_forward(own.get(), x.get(), &none), "neither a layer");
  EXPECT_EQ(none, nullptr);
}

TEST(CApiNetworks, ValuesAreAddedSharedAndRefused) {
  const ModuleHandle module = made<ModuleHandle>(overtake_module_new);
  const ModuleHandle other = made<ModuleHandle>(overtake_module_new);
  const ArrayHandle ones = array_of(std::vector<float>{1, 1}, {2}, OVERTAKE_ELEMENT_FLOAT32);
  const ArrayHandle three = array_of(std::vector<float>{1, 1, 1}, {3}, OVERTAKE_ELEMENT_FLOAT32);
  const ParameterHandle scale = made<ParameterHandle>(
      [&](overtake_parameter** parameter) { return overtake_parameter_new(ones.get(), 1, parameter); });
  ASSERT_EQ(overtake_module_set_parameter(module.get(), "scale", scale.get()), OVERTAKE_OK);
  ASSERT_EQ(overtake_module_set_parameter(other.get(), "scale", scale.get()), OVERTAKE_OK);
  const auto refused = [&](const char* name, const char* fragment) {
    expect_status(OVERTAKE_USAGE_ERROR, overtake_module_set_parameter(other.get(), name, scale.get()), fragment);
  };
  refused("size", "is called 'scale' in another module");
  refused("", "cannot be a name");
  refused("a.b", "cannot be a name");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_module_set_buffer(module.get(), "scale", scale.get(), 1), "already");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_parameter_assign(scale.get(), three.get()), "has the shape");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_module_set_layer(module.get(), "Tahn", ""), "no layer \"Tahn\"");
  const StateHandle state =
      made<StateHandle>([&](overtake_state** made_state) { return overtake_module_state(module.get(), made_state); });
  EXPECT_EQ(text_made([&](overtake_text** text) { return overtake_state_names(state.get(), text); }), R"(["scale"])");
}

TEST(CApiNetworks, StatesOfOptimisersAreCheckedBeforeAnythingChanges) {
  const Net net;
  const OptimizerHandle optimizer = net.sgd();
  const StateHandle empty = made<StateHandle>(overtake_state_new);
  expect_status(OVERTAKE_USAGE_ERROR, overtake_optimizer_load_state(optimizer.get(), empty.get()), "holds 0 arrays");
  double rate = 0;
  ASSERT_EQ(overtake_optimizer_set_rate(optimizer.get(), 0.5), OVERTAKE_OK);
  const StateHandle state = made<StateHandle>(
      [&](overtake_state** made_state) { return overtake_optimizer_state(optimizer.get(), made_state); });
  ASSERT_EQ(overtake_optimizer_set_rate(optimizer.get(), 0.1), OVERTAKE_OK);
  ASSERT_EQ(overtake_optimizer_load_state(optimizer.get(), state.get()), OVERTAKE_OK);
  ASSERT_EQ(overtake_optimizer_rate(optimizer.get(), &rate), OVERTAKE_OK);
  EXPECT_EQ(rate, 0.5);
  expect_status(OVERTAKE_USAGE_ERROR, overtake_schedule_at(R"({"kind": "up"})", 1, 0, &rate), "no schedule 'up'");
}

}  // namespace
}  // namespace overtake::test
