// SPDX-License-Identifier: MIT
#include "overtake/nn/layers.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "core/checked.hpp"
#include "core/philox.hpp"
#include "nn/layers/initial.hpp"
#include "nn/layers/narrow.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

// Draws of steps and initial weights of one seed must not share numbers, so streams of RandomLayers start here.
constexpr std::uint32_t first_random_stream = 0x8000'0000U;

void require_input(const LayerSpec& layer, const Array& input) {
  if (!input.defined()) throw UsageError(fmt::format("[{}] got an undefined array", layer.type));
}

}  // namespace

Linear::Linear(std::int64_t in_features, std::int64_t out_features, bool bias, InitialWeight initial)
    : in_features_(in_features), out_features_(out_features), has_bias_(bias), initial_(initial) {
  if (in_features < 1 || out_features < 1) {
    throw UsageError(
        fmt::format("[Linear] in_features {} and out_features {} must be at least 1", in_features, out_features));
  }
  (void)checked_mul(in_features, out_features, "Linear's weight");
  draw(default_streams());
}

void Linear::draw(Streams& streams) {
  draw_weights(weight_, Shape{out_features_, in_features_}, has_bias_ ? &bias_ : nullptr, initial_,
               {streams.seed, streams.next_parameter++});
}

Array Linear::forward(const Array& input) {
  require_input({"Linear", {}}, input);
  const std::size_t rank = input.shape().rank();
  if (rank < 2 || input.shape()[rank - 1] != in_features_) {
    throw UsageError(fmt::format("[Linear] expects (rows, {}), got {}", in_features_, input.shape().to_string()),
                     "in_features must be the last extent of what comes in; more axes may stand before it.");
  }
  std::vector<std::int64_t> extents = input.shape().to_vector();
  extents.back() = out_features_;
  const Array rows = rank == 2 ? input : reshape(input, {input.size() / in_features_, in_features_});
  const bool narrow = is_narrow(input);
  const auto operand = [narrow](const Array& each) { return narrow ? rounded(each) : each; };
  const Array product = matmul(operand(rows), transpose(operand(weight_.value)));
  const Array sum = has_bias_ ? product + bias_.value : product;
  const Array result = narrow ? astype(sum, DType::bfloat16) : sum;
  return rank == 2 ? result : reshape(result, std::move(extents));
}

LayerSpec Linear::spec() const {
  return {"Linear",
          {{"in_features", static_cast<double>(in_features_)},
           {"out_features", static_cast<double>(out_features_)},
           {"bias", has_bias_ ? 1.0 : 0.0}}};
}

std::vector<Parameter*> Linear::own_parameters() {
  if (!has_bias_) return {&weight_};
  return {&weight_, &bias_};
}

Array ReLU::forward(const Array& input) { return relu(input); }
LayerSpec ReLU::spec() const { return {"ReLU", {}}; }

Array LeakyReLU::forward(const Array& input) { return leaky_relu(input, negative_slope_); }
LayerSpec LeakyReLU::spec() const { return {"LeakyReLU", {{"negative_slope", negative_slope_}}}; }

Array Tanh::forward(const Array& input) { return overtake::tanh(input); }
LayerSpec Tanh::spec() const { return {"Tanh", {}}; }

Array Sigmoid::forward(const Array& input) { return sigmoid(input); }
LayerSpec Sigmoid::spec() const { return {"Sigmoid", {}}; }

Array GELU::forward(const Array& input) { return gelu(input); }
LayerSpec GELU::spec() const { return {"GELU", {}}; }

Array SiLU::forward(const Array& input) { return silu(input); }
LayerSpec SiLU::spec() const { return {"SiLU", {}}; }

Array Softmax::forward(const Array& input) { return softmax(input); }
LayerSpec Softmax::spec() const { return {"Softmax", {}}; }

void RandomLayer::draw(Streams& streams) {
  seed_ = streams.seed;
  stream_ = first_random_stream + streams.next_random++;
  const Device device = counter_.value.defined() ? counter_.value.device() : Device();
  counter_.value = Array::from(std::array<std::int32_t, 1>{0}, Shape{1}, device);
}

Array RandomLayer::next_uniform(const Shape& shape) {
  const Array numbers = uniform(shape, seed_, stream_, counter_.value);
  assign_buffer(counter_, counter_.value + astype(ones(Shape{1}, counter_.value.device()), DType::int32));
  return numbers;
}

Dropout::Dropout(float p) : p_(p) {
  if (!(p >= 0.0F && p <= 1.0F)) {
    throw UsageError(fmt::format("[Dropout] p = {} is not in [0, 1]", p), "p is the share of elements set to 0.");
  }
}

Array Dropout::forward(const Array& input) {
  require_input({"Dropout", {}}, input);
  if (!is_training() || p_ == 0.0F) return input;
  const Array kept = greater_equal(next_uniform(input.shape()), p_);
  return input * (kept * (p_ < 1.0F ? 1.0F / (1.0F - p_) : 0.0F));
}

LayerSpec Dropout::spec() const { return {"Dropout", {{"p", p_}}}; }

}  // namespace overtake::nn
