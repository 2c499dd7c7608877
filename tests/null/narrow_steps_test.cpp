// SPDX-License-Identifier: MIT
// In bfloat16 the gradients of layers are taken of bfloat16 operands, too: float32 ones would take the slow units.
#include <gtest/gtest.h>

#include <optional>
#include <variant>

#include "backend/common/lower/shallow.hpp"
#include "backend/common/lower/thin_product.hpp"
#include "graph/node.hpp"
#include "graph/planner.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/loss.hpp"
#include "overtake/ops.hpp"
#include "overtake/precision.hpp"

namespace overtake {
namespace {

/// What steps down the gradients by all parameters, of two images.
graph::Plan plan_of_step(nn::Module& model, const Array& images, std::optional<backend::FusionLimits> limits = {}) {
  const Array labels = Array::from(std::vector<std::int32_t>{1, 2}, Shape{2});
  const Array loss = nn::cross_entropy(astype(model.forward(images), DType::float32), labels);
  loss.backward();
  std::vector<std::shared_ptr<graph::Node>> targets;
  for (nn::Parameter* parameter : model.parameters()) {
    targets.push_back((parameter->value - 0.1F * parameter->value.grad()).node());
  }
  return graph::make_plan(targets, {}, limits);
}

TEST(NarrowSteps, EveryProductIsOfBfloat16) {
  const PrecisionScope precision(Precision::bf16);
  nn::Sequential model;
  model.add(nn::Conv2d(3, 8, 3, {.padding = 1})).add(nn::ReLU());
  model.add(nn::Conv2d(8, 8, 3, {.padding = 1})).add(nn::ReLU()).add(nn::MaxPool2d(2));
  model.add(nn::Flatten()).add(nn::Linear(128, 16)).add(nn::ReLU()).add(nn::Linear(16, 4));
  const Array images = zeros(Shape{2, 3, 8, 8});
  const graph::Plan plan = plan_of_step(model, images);
  int products = 0;
  for (const backend::Operation& operation : plan.schedule.operations) {
    if (const auto* product = std::get_if<backend::MatMulCore>(&operation.core)) {
      EXPECT_EQ(product->dtype, DType::bfloat16) << operation.name;
      ++products;
    }
    if (const auto* convolution = std::get_if<backend::ConvolutionCore>(&operation.core)) {
      EXPECT_EQ(convolution->a.dtype, DType::bfloat16) << operation.name;
      EXPECT_EQ(convolution->b.dtype, DType::bfloat16) << operation.name;
      ASSERT_EQ(operation.tape.stores.size(), 1U) << operation.name;
      EXPECT_EQ(operation.tape.stores[0].dtype, DType::bfloat16) << operation.name << ": what libraries store fast";
      ++products;
    }
  }
  EXPECT_GE(products, 5);  // gradients by weights, and by what comes in behind the first layer
  model.zero_grad();       // a gradient that nobody evaluates holds its parameter, and the parameter the gradient
}

// The classifier of VGG16 on one image: what layers hand over is what the kernel for few rows takes, with weights of
// either precision, and so does the gradient by what comes in.
TEST(NarrowSteps, ClassifiersOfOneImageAreThinProducts) {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    const PrecisionScope scope(precision);
    nn::Linear layer(4096, 1000);
    if (precision == Precision::bf16) {
      for (nn::Parameter* parameter : layer.parameters()) parameter->value = astype(parameter->value, DType::bfloat16);
    }
    const Array images = zeros(Shape{1, 4096}, precision == Precision::bf16 ? DType::bfloat16 : DType::float32);
    const Array result = relu(layer.forward(images));
    const std::vector<std::shared_ptr<graph::Node>> targets = {result.node()};
    const graph::Plan plan = graph::make_plan(targets, {});
    int products = 0;
    for (const backend::Operation& operation : plan.schedule.operations) {
      const auto* core = std::get_if<backend::MatMulCore>(&operation.core);
      if (core == nullptr) continue;
      ++products;
      EXPECT_TRUE(backend::is_thin(*core));
      EXPECT_EQ(core->b.row_stride, 1) << "weights run along k";
      const auto kernels = backend::lower(operation, {.compute_units = 132}).kernels;
      ASSERT_EQ(kernels.size(), 1U) << "the tape is part of it";
      EXPECT_EQ(kernels[0].entry.rfind("product_thin_", 0), 0U) << kernels[0].entry;
      EXPECT_NE(kernels[0].source.find("#define X_VECTOR 1"), std::string::npos) << "loads of 16 bytes";
    }
    EXPECT_EQ(products, 1);
  }
}

// VGG16's first layer, in a step: three channels are not filled up, and forward and the gradient by the filters are
// what the kernels for shallow images take.
TEST(NarrowSteps, FirstLayersAreShallow) {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    const PrecisionScope scope(precision);
    nn::Sequential model;
    model.add(nn::Conv2d(3, 64, 3, {.padding = 1})).add(nn::ReLU()).add(nn::MaxPool2d(96));
    model.add(nn::Flatten()).add(nn::Linear(64, 4));
    const Array images = zeros(Shape{2, 3, 96, 96});
    const graph::Plan plan = plan_of_step(model, images);
    std::vector<std::string> families;
    for (const backend::Operation& operation : plan.schedule.operations) {
      const auto* core = std::get_if<backend::ConvolutionCore>(&operation.core);
      if (core == nullptr) continue;
      EXPECT_EQ(core->extents.c, 3);
      EXPECT_EQ(core->a.dtype, precision == Precision::bf16 ? DType::bfloat16 : DType::float32);
      EXPECT_TRUE(backend::is_faster_shallow(*core)) << operation.name;
      const std::string entry = backend::lower(operation, {.compute_units = 132}).kernels.at(0).entry;
      families.push_back(entry.substr(0, entry.rfind('_')));
    }
    EXPECT_EQ(families, (std::vector<std::string>{"convolution_shallow", "convolution_shallow_filters"}));
    model.zero_grad();
  }
}

// Where a device takes it, gradients of pooling add themselves up for the biases of the convolutions before them: large
// ones, whose sum is not read by anything but the next sum. What is added up is the register that is stored.
TEST(NarrowSteps, PoolsAddUpTheirGradients) {
  const PrecisionScope precision(Precision::bf16);
  for (const std::int64_t extent : {256, 64}) {
    nn::Sequential model;
    model.add(nn::Conv2d(3, 64, 3, {.padding = 1})).add(nn::ReLU()).add(nn::MaxPool2d(2));
    model.add(nn::Conv2d(64, 64, 3, {.padding = 1})).add(nn::ReLU()).add(nn::MaxPool2d(32));
    model.add(nn::Flatten()).add(nn::Linear(extent * extent / 64, 4));
    const Array images = zeros(Shape{2, 3, extent, extent});
    for (const bool can : {true, false}) {
      const graph::Plan plan = plan_of_step(model, images, backend::FusionLimits{.channel_sums = can});
      int sums = 0, absorbed = 0;
      for (const backend::Operation& operation : plan.schedule.operations) {
        const auto* pool = std::get_if<backend::PoolCore>(&operation.core);
        if (std::holds_alternative<backend::ReduceCore>(operation.core)) ++sums;
        if (pool == nullptr || pool->sums.slot < 0) continue;
        ++absorbed;
        EXPECT_EQ(operation.name, "max_pool2d_gradient+astype+less+where+sum");
        EXPECT_EQ(pool->sums.value_register, operation.tape.stores.at(0).value_register);
        EXPECT_EQ(plan.schedule.slots[static_cast<std::size_t>(pool->sums.slot)].bytes,
                  static_cast<std::uint64_t>(pool->sums.parts) * 64 * sizeof(float));
        EXPECT_EQ(pool->extents.h, 256);
      }
      EXPECT_EQ(absorbed, extent == 256 && can ? 1 : 0);
      EXPECT_EQ(sums + absorbed, 5);  // two for each convolution
      model.zero_grad();
    }
  }
}

}  // namespace
}  // namespace overtake
