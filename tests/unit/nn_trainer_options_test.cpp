// SPDX-License-Identifier: MIT
// Precision and accumulated gradients of a Trainer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "nn/training/training_step.hpp"
#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/models.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/ops.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;

TrainerOptions in_parts(int accumulate) {
  TrainerOptions options;
  options.epochs = 4;
  options.batch_size = 60;
  options.accumulate = accumulate;
  return options;
}

FitReport train_disc(nn::Sequential& model, const TrainerOptions& options) {
  optim::SGD optimizer(model.parameters(), 0.1, {.momentum = 0.9});
  const Dataset data = disc(210, 3);  // three batches of 60 and one of 30
  return Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(data.inputs, data.labels);
}

TEST(NnAccumulate, PartsOfABatchAreTheStepOfTheWhole) {
  nn::Sequential whole = small_model();
  const FitReport expected = train_disc(whole, in_parts(1));
  for (const int accumulate : {2, 4, 7, 60, 1000}) {  // 7: parts of 8 and 9 rows; 1000: of a row
    nn::Sequential model = small_model();
    TrainerOptions options = in_parts(accumulate);
    const FitReport report = train_disc(model, options);
    EXPECT_EQ(report.steps, expected.steps);
    for (std::size_t epoch = 0; epoch < expected.epochs.size(); ++epoch) {
      EXPECT_NEAR(report.epochs[epoch].train_loss, expected.epochs[epoch].train_loss, 1e-5) << accumulate;
      EXPECT_NEAR(report.epochs[epoch].train_error, expected.epochs[epoch].train_error, 0.006) << accumulate;
    }
    for (std::size_t i = 0; i < model.parameters().size(); ++i) {
      const std::vector<float> found = weights_of(model)[i], wanted = weights_of(whole)[i];
      for (std::size_t k = 0; k < found.size(); ++k) EXPECT_NEAR(found[k], wanted[k], 1e-5) << accumulate;
    }
  }
}

TEST(NnAccumulate, GradientsAreClippedOnceAndCountedByRows) {
  const auto train = [](int accumulate) {
    nn::Sequential model = small_model();
    TrainerOptions options = in_parts(accumulate);
    options.clip_grad_norm = 0.05;
    return train_disc(model, options).last().train_loss;
  };
  EXPECT_NEAR(train(1), train(7), 1e-5);
}

// The batch norm sees parts: one of a single row would be an error.
TEST(NnAccumulate, PartsOfALastSmallerBatchAreEven) {
  nn::Sequential model(nn::Linear(2, 8), nn::BatchNorm1d(8), nn::Linear(8, 2));
  optim::SGD optimizer(model.parameters(), 0.1);
  const Dataset data = disc(141, 3);  // 100 in parts of 34, 33 and 33; then 41 in 20 and 21
  TrainerOptions options;
  options.epochs = 1;
  options.accumulate = 3;
  EXPECT_EQ(Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(data.inputs, data.labels).steps, 2);
}

TEST(NnAccumulate, ActivationsTakeTheMemoryOfAPart) {
  const auto bytes = [](int accumulate) {
    nn::Sequential model(nn::Linear(2, 64), nn::Tanh(), nn::Linear(64, 64), nn::Tanh(), nn::Linear(64, 64), nn::Tanh(),
                         nn::Linear(64, 2));
    TrainerOptions options;
    options.epochs = 1;
    options.batch_size = 4096;
    options.accumulate = accumulate;
    options.check_result = false;
    optim::SGD optimizer(model.parameters(), 0.1);
    const Dataset data = disc(4096, 3);
    return Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(data.inputs, data.labels).plan_bytes;
  };
  const std::uint64_t whole = bytes(1), quarter = bytes(4), sixteenth = bytes(16);
  EXPECT_LT(quarter, whole * 2 / 5) << whole;
  EXPECT_LT(sixteenth, whole / 5) << whole;
}

TEST(NnAccumulate, RefusesLessThanOnePart) {
  EXPECT_THAT(message_of<UsageError>([] { in_parts(0).check(); }), HasSubstr("accumulate 0"));
}

// Four classes: which quarter of the image is bright.
FitReport train_lenet(nn::Sequential& model, const TrainerOptions& options) {
  constexpr std::int64_t rows = 96, side = 28;
  std::vector<float> values = numbers(rows * side * side, 5, -0.3F, 0.3F);
  std::vector<std::int32_t> labels;
  for (std::int64_t n = 0; n < rows; ++n) {
    labels.push_back(static_cast<std::int32_t>(n * 7 % 4));
    for (std::int64_t y = 0; y < side / 2; ++y) {
      for (std::int64_t x = 0; x < side / 2; ++x) {
        const std::int64_t top = labels.back() / 2 * 14, left = labels.back() % 2 * 14;
        values[static_cast<std::size_t>((n * side + top + y) * side + left + x)] += 1;
      }
    }
  }
  optim::SGD optimizer(model.parameters(), 0.02, {.momentum = 0.9});
  return Trainer(model, nn::Loss::cross_entropy(), optimizer, options)
      .fit(Array::from(values, Shape{rows, 1, side, side}), labels_array(labels));
}

TrainerOptions lenet_options(std::optional<Precision> precision) {
  TrainerOptions options;
  options.epochs = 10;
  options.batch_size = 16;
  options.precision = precision;
  options.validation_fraction = 0.2;
  return options;
}

bool has_units(Precision precision) {
  try {
    nn::require_precision(precision, Device());
    return true;
  } catch (const DeviceError&) {
    return false;
  }
}

TEST(NnPrecision, TrainsInBfloat16WithParametersOfFloat32) {
  if (!has_units(Precision::bf16)) GTEST_SKIP() << "no units for bf16";
  nn::Sequential model = models::lenet(4, 1), exact = models::lenet(4, 1), scoped = models::lenet(4, 1);
  for (nn::Sequential* each : {&model, &exact, &scoped}) each->initialize(3);
  const FitReport report = train_lenet(model, lenet_options(Precision::bf16));
  EXPECT_EQ(report.training.error, 0);
  EXPECT_EQ(report.validation.error, 0);
  for (const nn::Parameter* parameter : model.parameters()) EXPECT_EQ(parameter->value.dtype(), DType::float32);
  (void)train_lenet(exact, lenet_options(Precision::fp32));
  EXPECT_NE(weights_of(model), weights_of(exact));
  const PrecisionScope precision(Precision::bf16);
  (void)train_lenet(scoped, lenet_options({}));
  EXPECT_EQ(weights_of(model), weights_of(scoped));
}

TEST(NnPrecision, IsTheOptionsInsideOfAScope) {
  nn::Sequential plain = small_model(), scoped = small_model();
  TrainerOptions options = in_parts(1);
  options.precision = Precision::fp32;
  (void)train_disc(plain, options);
  const PrecisionScope precision(Precision::bf16);
  (void)train_disc(scoped, options);
  EXPECT_EQ(weights_of(plain), weights_of(scoped));
}

TEST(NnPrecision, NeedsUnitsOfTheDevice) {
  nn::Sequential model = small_model();
  TrainerOptions options = in_parts(1);
  options.precision = Precision::tf32;
  EXPECT_THAT(message_of<DeviceError>([&] { (void)train_disc(model, options); }), HasSubstr("no units for tf32"));
}

TEST(NnTrainerSettings, BothStandInTheCheckpoint) {
  TrainerOptions options = in_parts(2);
  options.checkpoint_path = fresh_path("options.ckpt").string();
  nn::Sequential model = small_model();
  (void)train_disc(model, options);
  options.resume = true;
  const auto refusal = [&](const TrainerOptions& other) {
    nn::Sequential again = small_model();
    return message_of<DataError>([&] { (void)train_disc(again, other); });
  };
  TrainerOptions other = options;
  other.accumulate = 1;
  EXPECT_THAT(refusal(other), HasSubstr("accumulate"));
  const PrecisionScope precision(Precision::bf16);
  EXPECT_THAT(refusal(options), HasSubstr("precision"));
}

}  // namespace
}  // namespace overtake::testing
