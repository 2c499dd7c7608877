// SPDX-License-Identifier: MIT
#include "nn/layers/initial.hpp"

#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "core/philox.hpp"

namespace overtake::nn {
namespace {

// Philox counters of the two draws of a layer, and of the radii and the angles of Box and Muller (1958).
constexpr std::uint32_t weight_counter = 0;
constexpr std::uint32_t bias_counter = 1;
constexpr std::uint32_t radius_counter = 0;
constexpr std::uint32_t angle_counter = 1;

// Uniform in [-bound, bound): 2u - 1 is exact in float32, so the one rounding is that of the product.
std::vector<float> symmetric(std::int64_t count, float bound, InitialStream from, std::uint32_t counter) {
  std::vector<float> values(static_cast<std::size_t>(count));
  philox::fill_uniform(values, from.seed, from.stream, counter);
  for (float& value : values) value = (2.0F * value - 1.0F) * bound;
  return values;
}

// Keeps the device a parameter is on; a new one starts on the CPU.
void assign(Parameter& parameter, std::span<const float> values, const Shape& shape, bool is_learnt) {
  const Device device = parameter.value.defined() ? parameter.value.device() : Device();
  parameter.value = Array::from(values, shape, device);
  if (is_learnt) parameter.value.requires_grad(true);
}

}  // namespace

std::vector<float> normal_values(std::int64_t count, InitialStream from) {
  std::vector<float> values(static_cast<std::size_t>(count)), angles(values.size());
  philox::fill_uniform(values, from.seed, from.stream, radius_counter);
  philox::fill_uniform(angles, from.seed, from.stream, angle_counter);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double radius = std::sqrt(-2 * std::log1p(-static_cast<double>(values[i])));
    values[i] = static_cast<float>(radius * std::cos(2 * std::numbers::pi * static_cast<double>(angles[i])));
  }
  return values;
}

void draw_weights(Parameter& weight, const Shape& shape, Parameter* bias, InitialWeight initial, InitialStream from) {
  const std::int64_t fan_in = shape.size() / shape[0];
  if (initial == InitialWeight::uniform) {
    const auto bound = static_cast<float>(1.0 / std::sqrt(static_cast<double>(fan_in)));
    assign(weight, symmetric(shape.size(), bound, from, weight_counter), shape, true);
    if (bias != nullptr) assign(*bias, symmetric(shape[0], bound, from, bias_counter), Shape{shape[0]}, true);
    return;
  }
  const double fan_out = static_cast<double>(shape.size() / shape[1]);
  const double deviation = initial == InitialWeight::small_normal ? 0.01 : std::sqrt(2.0 / fan_out);
  std::vector<float> values = normal_values(shape.size(), from);
  for (float& value : values) value = static_cast<float>(static_cast<double>(value) * deviation);
  assign(weight, values, shape, true);
  if (bias != nullptr) fill(*bias, Shape{shape[0]}, 0);
}

void fill(Parameter& parameter, const Shape& shape, float value, bool is_learnt) {
  assign(parameter, std::vector<float>(static_cast<std::size_t>(shape.size()), value), shape, is_learnt);
}

}  // namespace overtake::nn
