// SPDX-License-Identifier: MIT
// Training losses against PyTorch's, from the same weights and batches, on every usable device. torch_losses.json is
// written by make_torch_golden.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "oracle/devices.hpp"
#include "overtake/data/dataset.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/ops.hpp"

namespace overtake::testing {
namespace {

using Json = nlohmann::json;

const Json& golden() {
  static const Json content = [] {
    std::ifstream file(OVERTAKE_TEST_DATA "/golden/torch_losses.json");
    return Json::parse(file);
  }();
  return content;
}

std::unique_ptr<nn::Module> activation(const std::string& name) {
  if (name == "LeakyReLU") return std::make_unique<nn::LeakyReLU>();
  return nn::make_layer({name, {}});
}

nn::Sequential make_model(const Json& golden_case, const Device& device) {
  nn::Sequential model;
  std::int64_t width = 2;
  for (int i = 1; i < golden_case["layers"].get<int>(); ++i, width *= 2) {
    model.add(nn::Linear(width, 2 * width)).add(activation(golden_case["activation"]));
  }
  model.add(nn::Linear(width, golden_case["loss"] == "cross_entropy" ? 2 : 1));
  model.initialize(golden()["seed"].get<std::uint64_t>());
  model.to(device);
  return model;
}

std::unique_ptr<optim::Optimizer> make_optimizer(const std::string& name, nn::Module& model) {
  const std::vector<nn::Parameter*> parameters = model.parameters();
  if (name == "SGD") return std::make_unique<optim::SGD>(parameters, 0.1);
  if (name == "SGD_nesterov") {
    const optim::SGDOptions options{.momentum = 0.9, .nesterov = true, .weight_decay = 1e-3};
    return std::make_unique<optim::SGD>(parameters, 0.02, options);
  }
  if (name == "AdamW") return std::make_unique<optim::AdamW>(parameters, 0.005);
  return std::make_unique<optim::Adam>(parameters, 0.005, optim::AdamOptions{.weight_decay = 1e-4});
}

struct Data {
  Array inputs;
  Array targets;
  std::vector<std::int32_t> labels;
};

Data make_data(const Json& golden_case, const Device& device) {
  const auto rows = golden()["rows"].get<std::int64_t>();
  const Dataset data = disc(rows, golden()["seed"].get<std::uint64_t>());
  const Array inputs = Array::from(data.inputs, Shape{rows, 2}, device);
  if (golden_case["loss"] == "cross_entropy")
    return {inputs, Array::from(data.labels, Shape{rows}, device), data.labels};
  const std::vector<float> targets(data.labels.begin(), data.labels.end());
  return {inputs, Array::from(targets, Shape{rows, 1}, device), data.labels};
}

// The first losses, by the loop written by hand.
void check_losses(const Json& golden_case, const Device& device) {
  nn::Sequential model = make_model(golden_case, device);
  const auto optimizer = make_optimizer(golden_case["optimizer"], model);
  const nn::Loss loss_function = nn::Loss::named(golden_case["loss"]);
  const Data data = make_data(golden_case, device);
  const auto batch = golden()["batch"].get<std::int64_t>();
  const auto batches = golden()["rows"].get<std::int64_t>() / batch;
  std::int64_t step = 0;
  for (const double expected : golden_case["losses"].get<std::vector<double>>()) {
    const std::int64_t begin = step % batches * batch;
    const Array loss =
        loss_function(model(slice(data.inputs, begin, begin + batch)), slice(data.targets, begin, begin + batch));
    loss.backward();
    optimizer->step();
    optimizer->zero_grad();
    EXPECT_NEAR(loss.item(), expected, 1e-5 * expected) << "step " << step;
    ++step;
  }
}

double share_wrong(const std::string& loss, const std::vector<float>& output, const std::vector<std::int32_t>& labels) {
  const std::size_t columns = output.size() / labels.size();
  int wrong = 0;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const bool one = columns == 2 ? output[2 * row + 1] > output[2 * row] : output[row] > (loss == "mse" ? 0.5F : 0.0F);
    wrong += one != (labels[row] == 1);
  }
  return static_cast<double>(wrong) / static_cast<double>(labels.size());
}

// The end of the training, by the Trainer.
void check_final_error(const Json& golden_case, const Device& device) {
  nn::Sequential model = make_model(golden_case, device);
  const auto optimizer = make_optimizer(golden_case["optimizer"], model);
  const Data data = make_data(golden_case, device);
  TrainerOptions options;
  options.epochs = golden()["epochs"].get<int>();
  options.batch_size = golden()["batch"].get<std::int64_t>();
  options.shuffle = false;
  options.report_every = options.epochs;
  Trainer trainer(model, nn::Loss::named(golden_case["loss"]), *optimizer, options);
  const FitReport report = trainer.fit(data.inputs, data.targets);
  EXPECT_EQ(report.stop_reason, StopReason::finished);
  const std::vector<float> output = nn::predict(model, data.inputs).to_vector<float>();
  // Two of 200 rows. The recorded share is a float32, which is off by some 1e-9.
  EXPECT_NEAR(share_wrong(golden_case["loss"], output, data.labels), golden_case["final_error"].get<double>(),
              0.01 + 1e-6);
}

class NnTorchLosses : public ::testing::TestWithParam<std::string> {
 protected:
  using Wanted = bool (*)(const Json&, const DeviceInfo&);

  void for_each_case(void (*check)(const Json&, const Device&), Wanted wanted) {
    for (const DeviceInfo& info : list_devices()) {
      if (info.id != GetParam()) continue;
      if (const std::string trouble = oracle::trouble_of(info); !trouble.empty()) {
        GTEST_SKIP() << info.id << ": " << trouble;
      }
      const Device device(info.id);
      for (const Json& golden_case : golden()["cases"]) {
        if (!wanted(golden_case, info)) continue;
        SCOPED_TRACE(golden_case["layers"].dump() + " layers, " + golden_case["activation"].dump() + ", " +
                     golden_case["loss"].dump() + ", " + golden_case["optimizer"].dump());
        check(golden_case, device);
      }
    }
  }
};

bool all_cases(const Json&, const DeviceInfo&) { return true; }

// An OpenCL device may be a CPU that takes milliseconds a step: three layers with every optimiser are enough there,
// since the first steps are checked for all cases.
bool affordable(const Json& golden_case, const DeviceInfo& info) {
  return info.backend != "opencl" || (golden_case["layers"] == 3 && golden_case["activation"] == "ReLU");
}

TEST_P(NnTorchLosses, FirstStepsAgree) { for_each_case(check_losses, all_cases); }
TEST_P(NnTorchLosses, FinalErrorAgrees) { for_each_case(check_final_error, affordable); }

std::vector<std::string> device_names() {
  std::vector<std::string> names;
  for (const DeviceInfo& info : list_devices()) {
    if (info.backend != "null") names.push_back(info.id);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Devices, NnTorchLosses, ::testing::ValuesIn(device_names()), [](const auto& each) {
  std::string name = each.param;
  for (char& c : name) c = c == ':' ? '_' : c;
  return name;
});

TEST(NnTorchDefinition, WeightsAndDataAreThoseOfTheScript) {
  const Dataset data = disc(golden()["rows"].get<std::int64_t>(), golden()["seed"].get<std::uint64_t>());
  const auto inputs = golden()["first_inputs"].get<std::vector<float>>();
  for (std::size_t i = 0; i < inputs.size(); ++i) EXPECT_FLOAT_EQ(data.inputs[i], inputs[i]);
  EXPECT_EQ(std::count(data.labels.begin(), data.labels.end(), 1), golden()["ones"].get<int>());
  const Json three = {{"layers", 3}, {"activation", "ReLU"}, {"loss", "cross_entropy"}};
  nn::Sequential model = make_model(three, Device());
  const std::vector<float> weights = model.named_parameters()[2].value->to_vector<float>();
  const auto expected = golden()["first_weights"].get<std::vector<float>>();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(weights[i], expected[i]);
}

}  // namespace
}  // namespace overtake::testing
