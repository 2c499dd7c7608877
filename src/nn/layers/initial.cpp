// SPDX-License-Identifier: MIT
#include "nn/layers/initial.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include "core/parallel.hpp"
#include "core/philox.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

thread_local const Device* undrawn_place = nullptr;

// Philox counters of the two draws of a layer, and of the radii and the angles of Box and Muller (1958).
constexpr std::uint32_t weight_counter = 0;
constexpr std::uint32_t bias_counter = 1;
constexpr std::uint32_t radius_counter = 0;
constexpr std::uint32_t angle_counter = 1;

// Large layers have a hundred million numbers: drawn in pieces, which blocks of four do not cross.
constexpr std::size_t piece = 1 << 16;

// The numbers begin ... end - 1 of a stream, in [0, 1).
void fill_uniform(float* values, std::size_t begin, std::size_t end, InitialStream from, std::uint32_t counter) {
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = begin; i < end; ++i) {
    if (i % 4 == 0) words = philox::block_at(from.seed, from.stream, counter, static_cast<std::uint32_t>(i / 4));
    values[i - begin] = philox::to_uniform(words[i % 4]);
  }
}

// Calls fill(begin, end) for each piece of the values.
template <class Fill>
void in_pieces(std::size_t count, const Fill& fill) {
  parallel_for((count + piece - 1) / piece, [&](std::size_t i) { fill(i * piece, std::min(count, (i + 1) * piece)); });
}

// Uniform in [-bound, bound): 2u - 1 is exact in float32, so the one rounding is that of the product.
std::vector<float> symmetric(std::int64_t count, float bound, InitialStream from, std::uint32_t counter) {
  std::vector<float> values(static_cast<std::size_t>(count));
  in_pieces(values.size(), [&](std::size_t begin, std::size_t end) {
    fill_uniform(values.data() + begin, begin, end, from, counter);
    for (std::size_t i = begin; i < end; ++i) values[i] = (2.0F * values[i] - 1.0F) * bound;
  });
  return values;
}

// Keeps the device a parameter is on; a new one starts on the CPU.
void assign(Parameter& parameter, std::span<const float> values, const Shape& shape, bool is_learnt) {
  const Device device = parameter.value.defined() ? parameter.value.device() : Device();
  parameter.value = Array::from(values, shape, device);
  if (is_learnt) parameter.value.requires_grad(true);
}

}  // namespace

Undrawn::Undrawn(const Device& place) : place_(place), before_(std::exchange(undrawn_place, &place_)) {}
Undrawn::~Undrawn() { undrawn_place = before_; }

std::vector<float> normal_values(std::int64_t count, InitialStream from, double deviation) {
  std::vector<float> values(static_cast<std::size_t>(count));
  in_pieces(values.size(), [&](std::size_t begin, std::size_t end) {
    std::vector<float> angles(end - begin);
    fill_uniform(values.data() + begin, begin, end, from, radius_counter);
    fill_uniform(angles.data(), begin, end, from, angle_counter);
    for (std::size_t i = begin; i < end; ++i) {
      const double radius = std::sqrt(-2 * std::log1p(-static_cast<double>(values[i])));
      const double angle = 2 * std::numbers::pi * static_cast<double>(angles[i - begin]);
      const auto standard = static_cast<float>(radius * std::cos(angle));
      values[i] = static_cast<float>(static_cast<double>(standard) * deviation);
    }
  });
  return values;
}

void draw_weights(Parameter& weight, const Shape& shape, Parameter* bias, InitialWeight initial, InitialStream from) {
  if (undrawn_place != nullptr) {
    weight.value = zeros(shape, *undrawn_place).requires_grad(true);
    if (bias != nullptr) bias->value = zeros(Shape{shape[0]}, *undrawn_place).requires_grad(true);
    return;
  }
  const std::int64_t fan_in = shape.size() / shape[0];
  if (initial == InitialWeight::uniform) {
    const auto bound = static_cast<float>(1.0 / std::sqrt(static_cast<double>(fan_in)));
    assign(weight, symmetric(shape.size(), bound, from, weight_counter), shape, true);
    if (bias != nullptr) assign(*bias, symmetric(shape[0], bound, from, bias_counter), Shape{shape[0]}, true);
    return;
  }
  const std::int64_t fan_out = shape.size() / shape[1];
  const double deviation =
      initial == InitialWeight::small_normal ? 0.01 : std::sqrt(2.0 / static_cast<double>(fan_out));
  assign(weight, normal_values(shape.size(), from, deviation), shape, true);
  if (bias != nullptr) fill(*bias, Shape{shape[0]}, 0);
}

void fill(Parameter& parameter, const Shape& shape, float value, bool is_learnt) {
  assign(parameter, std::vector<float>(static_cast<std::size_t>(shape.size()), value), shape, is_learnt);
}

}  // namespace overtake::nn
