// SPDX-License-Identifier: MIT
// Losses of small networks over images against PyTorch's, from the same weights and batches, in float32 and in bf16, on
// every usable device; names and shapes of VGG against torchvision's. torch_images.json is written by
// make_torch_images.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/philox.hpp"
#include "oracle/devices.hpp"
#include "overtake/models.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/images.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"
#include "overtake/precision.hpp"

namespace overtake::testing {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t image_stream = 0x494D4147;
constexpr std::uint32_t label_stream = 0x4C41424C;

const Json& golden() {
  static const Json content = [] {
    std::ifstream file(OVERTAKE_TEST_DATA "/golden/torch_images.json");
    return Json::parse(file);
  }();
  return content;
}

std::vector<float> uniform_values(std::size_t count, const Json& golden_case, std::uint32_t stream,
                                  std::uint32_t counter) {
  std::vector<float> values(count);
  philox::fill_uniform(values, golden_case["seed"].get<std::uint64_t>(), stream, counter);
  return values;
}

struct Data {
  std::vector<float> images;  // a pattern of their class and as much noise
  std::vector<std::int32_t> labels;
};

Data make_data(const Json& golden_case) {
  const auto rows = golden()["batches"].get<std::size_t>() * golden_case["batch"].get<std::size_t>();
  const auto classes = golden()["classes"].get<std::size_t>();
  std::size_t pixels = 1;
  for (const Json& extent : golden_case["image"]) pixels *= extent.get<std::size_t>();
  Data data;
  for (const float value : uniform_values(rows, golden_case, label_stream, 0)) {
    data.labels.push_back(static_cast<std::int32_t>(std::floor(value * static_cast<float>(classes))));
  }
  data.images = uniform_values(rows * pixels, golden_case, image_stream, 0);
  const std::vector<float> patterns = uniform_values(classes * pixels, golden_case, image_stream, 1);
  const auto scale = golden_case["scale"].get<float>();
  for (std::size_t i = 0; i < data.images.size(); ++i) {
    const float pattern = patterns[static_cast<std::size_t>(data.labels[i / pixels]) * pixels + i % pixels];
    data.images[i] = ((2.0F * pattern - 1.0F) + (2.0F * data.images[i] - 1.0F)) * scale;
  }
  return data;
}

nn::Sequential small_vgg(bool batch_norm, std::int64_t classes) {
  nn::Sequential model;
  std::int64_t channels = 3;
  for (const std::int64_t width : {8, 16, 16}) {
    for (int i = 0; i < 2; ++i) {
      model.add(nn::Conv2d(channels, width, 3, {.padding = 1, .initial = nn::InitialWeight::kaiming_normal}));
      if (batch_norm) model.add(nn::BatchNorm2d(width));
      model.add(nn::ReLU());
      channels = width;
    }
    model.add(nn::MaxPool2d(2));
  }
  model.add(nn::Flatten()).add(nn::Linear(256, 64)).add(nn::ReLU()).add(nn::Dropout(0)).add(nn::Linear(64, classes));
  return model;
}

nn::Sequential make_model(const Json& golden_case) {
  const auto classes = golden()["classes"].get<std::int64_t>();
  nn::Sequential model = golden_case["model"] == "lenet" ? models::lenet(classes)
                                                         : small_vgg(golden_case["batch_norm"].get<bool>(), classes);
  model.initialize(golden_case["seed"].get<std::uint64_t>());
  return model;
}

Shape batch_shape(const Json& golden_case, std::int64_t rows) {
  std::vector<std::int64_t> extents = golden_case["image"].get<std::vector<std::int64_t>>();
  extents.insert(extents.begin(), rows);
  return Shape(std::move(extents));
}

void check_losses(const Json& golden_case, const Device& device, const char* record, double tolerance) {
  nn::Sequential model = make_model(golden_case);
  model.to(device);
  optim::SGD optimizer(model.parameters(), golden()["learning_rate"].get<double>(),
                       optim::SGDOptions{.momentum = golden()["momentum"].get<double>()});
  const nn::Loss loss_function = nn::Loss::named("cross_entropy");
  const Data data = make_data(golden_case);
  const auto batch = golden_case["batch"].get<std::int64_t>();
  const auto rows = static_cast<std::int64_t>(data.labels.size());
  const Array images = Array::from(data.images, batch_shape(golden_case, rows), device);
  const Array labels = Array::from(data.labels, Shape{rows}, device);
  const auto expected = golden_case[record].get<std::vector<double>>();
  ASSERT_EQ(expected.size(), golden()["steps"].get<std::size_t>());
  double worst = 0;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    const std::int64_t begin = static_cast<std::int64_t>(step) * batch % rows;
    const Array loss = loss_function(model(slice(images, begin, begin + batch)), slice(labels, begin, begin + batch));
    loss.backward();
    optimizer.step();
    optimizer.zero_grad();
    worst = std::max(worst, std::abs(loss.item() / expected[step] - 1));
    ASSERT_NEAR(loss.item(), expected[step], tolerance * expected[step]) << "step " << step;
  }
  for (const nn::Parameter* parameter : model.parameters()) EXPECT_EQ(parameter->value.dtype(), DType::float32);
  ::testing::Test::RecordProperty(
      golden_case["model"].get<std::string>() + (golden_case["batch_norm"].get<bool>() ? "_bn" : ""),
      std::to_string(worst));
}

class NnTorchImages : public oracle::OnEveryDevice {
 protected:
  static void check(Precision precision, const char* record, double tolerance) {
    const PrecisionScope scope(precision);
    for (const Json& golden_case : golden()["cases"]) {
      SCOPED_TRACE(golden_case["model"].dump() + ", batch norm " + golden_case["batch_norm"].dump());
      check_losses(golden_case, device(), record, tolerance);
    }
  }
};

TEST_P(NnTorchImages, LossesAgree) { check(Precision::fp32, "fp32", 1e-4); }
TEST_P(NnTorchImages, LossesAgreeInTf32) {
  if (GetParam().backend == "opencl") GTEST_SKIP() << "no such units there: what is computed is fp32, as above";
  check(Precision::tf32, "fp32", 2e-3);
}
TEST_P(NnTorchImages, LossesAgreeInBf16) { check(Precision::bf16, "bf16", 2e-2); }

std::vector<DeviceInfo> computing_devices() {
  std::vector<DeviceInfo> devices = list_devices();
  std::erase_if(devices, [](const DeviceInfo& info) { return info.backend == "null"; });
  return devices;
}

INSTANTIATE_TEST_SUITE_P(Devices, NnTorchImages, ::testing::ValuesIn(computing_devices()), oracle::device_name);

template <typename T>
void expect_begins(const std::vector<T>& values, const Json& expected) {
  ASSERT_GE(values.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(values[i], expected[i].get<T>()) << i;
}

TEST(NnTorchImagesDefinition, WeightsAndDataAreThoseOfTheScript) {
  const Data data = make_data(golden()["cases"][0]);
  expect_begins(data.images, golden()["first_pixels"]);
  expect_begins(data.labels, golden()["first_labels"]);
  for (const std::size_t index : {0U, 1U}) {
    const Json& golden_case = golden()["cases"][index];
    nn::Sequential model = make_model(golden_case);
    expect_begins(model.parameters()[0]->value.to_vector<float>(),
                  golden()["first_weights"][golden_case["model"].get<std::string>()]);
  }
}

class TorchvisionVgg : public ::testing::TestWithParam<std::string> {};

TEST_P(TorchvisionVgg, NamesAndShapesAreTorchvisions) {
  const auto model = models::make(GetParam(), 1000);
  Json names = Json::array();
  for (const auto& [name, value] : model->state_dict()) {
    const std::span<const std::int64_t> extents = value.shape().extents();
    names.push_back({name, std::vector<std::int64_t>(extents.begin(), extents.end())});
  }
  EXPECT_EQ(names, golden()["shapes"][GetParam()]);
}

INSTANTIATE_TEST_SUITE_P(All, TorchvisionVgg,
                         ::testing::Values("vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19",
                                           "vgg19_bn"));

}  // namespace
}  // namespace overtake::testing
