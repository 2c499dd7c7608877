// SPDX-License-Identifier: MIT
// Walks the operator table: values against the double-precision truth, gradients against finite differences of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "oracle/devices.hpp"
#include "oracle/operator_table.hpp"

namespace overtake::oracle {
namespace {

// Fresh inputs each run; the seed is printed on failure and replays it when set here.
unsigned fresh_seed() {
  static const unsigned seed = std::random_device{}();
  return seed;
}

std::vector<Tensor> draw(const OperatorCase& each, std::mt19937& engine) {
  std::uniform_real_distribution<double> uniform(each.low, each.high);
  std::vector<Tensor> inputs;
  for (const auto& extents : each.shapes) {
    Tensor tensor{extents, {}};
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      double value = uniform(engine);
      if (std::abs(value) < each.keep_from_zero) value = value < 0 ? -each.keep_from_zero : each.keep_from_zero;
      tensor.values.push_back(static_cast<float>(value));  // both sides see the same rounded input
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

double largest(const std::vector<double>& values) {
  double result = 0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
}

std::string label(const OperatorCase& each) {
  std::string text = each.name;
  for (const auto& extents : each.shapes) text += " " + Shape(extents).to_string();
  return text;
}

void expect_close(const std::vector<float>& got, const std::vector<double>& truth, const OperatorCase& each) {
  ASSERT_EQ(got.size(), truth.size());
  const double allowed = each.tolerance * std::max(largest(truth), each.scale);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    ASSERT_NEAR(got[i], truth[i], allowed) << "element " << i;
  }
}

// The weighted sum of the truth's outputs, as a function of the inputs.
double weighted_truth(const OperatorCase& each, const std::vector<Tensor>& inputs, const std::vector<double>& weights) {
  const Tensor out = each.truth(inputs);
  double sum = 0;
  for (std::size_t i = 0; i < out.values.size(); ++i) sum += out.values[i] * weights[i];
  return sum;
}

void check_gradients(const OperatorCase& each, const std::vector<Tensor>& inputs, const Device& device,
                     std::mt19937& engine) {
  std::vector<Array> arrays = upload(inputs, device);
  for (Array& array : arrays) array.requires_grad();
  const Array out = each.call(arrays);
  std::uniform_real_distribution<double> uniform(0.5, 1.5);
  std::vector<double> weights;
  for (std::int64_t i = 0; i < out.size(); ++i) weights.push_back(static_cast<float>(uniform(engine)));
  const std::vector<float> rounded(weights.begin(), weights.end());
  sum(out * Array::from(rounded, out.shape(), device)).backward();
  for (std::size_t n = 0; n < inputs.size(); ++n) {
    const Array gradient = arrays[n].grad();  // undefined: the function does not depend on it smoothly
    const std::vector<float> got =
        gradient.defined() ? gradient.to_vector<float>() : std::vector<float>(inputs[n].values.size(), 0.0F);
    ASSERT_EQ(got.size(), inputs[n].values.size());
    // Large inputs: a sample of elements, spread over the whole.
    const std::size_t stride = std::max<std::size_t>(1, got.size() / 24);
    struct Slope {
      std::size_t element;
      double value;
      double bend;  // how far the slopes of the two sides are from it: much where two operands are nearly equal
    };
    std::vector<Slope> numeric;
    constexpr double h = 1e-6;  // small, so that the largest of many inputs stays the largest
    const double here = weighted_truth(each, inputs, weights);
    int jumps = 0;
    double scale = 1e-3;
    for (std::size_t i = 0; i < got.size(); i += stride) {
      std::vector<Tensor> moved = inputs;
      moved[n].values[i] = inputs[n].values[i] + h;
      const double above = weighted_truth(each, moved, weights);
      moved[n].values[i] = inputs[n].values[i] - h;
      const double below = weighted_truth(each, moved, weights);
      // A quotient on a whole number, where remainder() jumps, has no slope: its two sides differ by a jump over h.
      const double bend = std::abs(above - 2 * here + below);
      if (bend > 1e-3) {
        ++jumps;
        continue;
      }
      numeric.push_back({i, (above - below) / (2 * h), bend / (2 * h)});
      scale = std::max(scale, std::abs(numeric.back().value));
    }
    ASSERT_LE(jumps, 1) << "input " << n << ": these are no accidents of the random numbers";
    // What rounding of the two sums may do to their difference.
    const double rounding = 4 * std::abs(here) * std::numeric_limits<double>::epsilon() / h;
    for (const Slope& slope : numeric) {
      ASSERT_NEAR(got[slope.element], slope.value, 2e-4 * scale + rounding + slope.bend)
          << "gradient by input " << n << ", element " << slope.element;
    }
  }
}

class Operators : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Operators, ::testing::ValuesIn(list_devices()), device_name);

TEST_P(Operators, ValuesMatchTheDoubleTruth) {
  const Device device = OnEveryDevice::device();
  std::mt19937 engine(fresh_seed());
  for (const OperatorCase& each : operator_table()) {
    SCOPED_TRACE(label(each) + ", seed " + std::to_string(fresh_seed()));
    const std::vector<Tensor> inputs = draw(each, engine);
    const Array out = each.call(upload(inputs, device));
    const Tensor truth = each.truth(inputs);
    ASSERT_EQ(out.shape().to_vector(), truth.extents);
    expect_close(astype(out, DType::float32).to_vector<float>(), truth.values, each);
  }
}

TEST_P(Operators, GradientsMatchFiniteDifferences) {
  const Device device = OnEveryDevice::device();
  std::mt19937 engine(fresh_seed());
  for (const OperatorCase& each : operator_table()) {
    const std::vector<Tensor> inputs = draw(each, engine);
    if (!each.differentiable || inputs[0].size() > 5000) continue;
    SCOPED_TRACE(label(each) + ", seed " + std::to_string(fresh_seed()));
    check_gradients(each, inputs, device, engine);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST_P(Operators, TwoRunsGiveTheSameBits) {
  const Device device = OnEveryDevice::device();
  std::mt19937 engine(fresh_seed());
  for (const OperatorCase& each : operator_table()) {
    SCOPED_TRACE(label(each));
    const std::vector<Array> inputs = upload(draw(each, engine), device);
    const auto run = [&] { return astype(each.call(inputs), DType::float32).to_vector<float>(); };
    ASSERT_EQ(run(), run());
  }
}

}  // namespace
}  // namespace overtake::oracle
