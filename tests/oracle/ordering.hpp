// SPDX-License-Identifier: MIT
// Values and the definition of their order, for the tests of sorting and of what is made of it.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "overtake/array.hpp"

namespace overtake::oracle {

/// Calls f(T()) with the C++ type of each dtype that the device has.
template <class F>
void with_every_type(const Device& device, F f) {
  f(bool());
  f(std::int8_t());
  f(std::int16_t());
  f(std::int32_t());
  f(std::int64_t());
  f(std::uint8_t());
  f(std::uint16_t());
  f(std::uint32_t());
  f(std::uint64_t());
  f(float16());
  f(bfloat16());
  f(float());
  if (device.info().double_precision) f(double());
}

/// Array::from(), which std::vector<bool> does not fit.
template <class T>
Array array_of(const std::vector<T>& values, const Shape& shape, const Device& device) {
  if constexpr (std::is_same_v<T, bool>) {
    const std::vector<std::uint8_t> bytes(values.begin(), values.end());
    return Array::from_memory(bytes.data(), shape.size(), DType::boolean, shape, device);
  } else {
    return Array::from(values, shape, device);
  }
}

template <class T>
inline constexpr bool is_half = std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>;

template <class T>
auto number_of(T value) {
  if constexpr (is_half<T>) {
    return static_cast<float>(value);
  } else {
    return value;
  }
}

/// NaNs are all the same: half precision does not keep their payload.
template <class T>
bool same_bits(T a, T b) {
  if constexpr (is_half<T> || std::is_floating_point_v<T>) {
    if (std::isnan(number_of(a)) && std::isnan(number_of(b))) return true;
  }
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

/// NaNs come last.
template <class T>
bool comes_before(T left, T right) {
  const auto a = number_of(left), b = number_of(right);
  if constexpr (is_half<T> || std::is_floating_point_v<T>) {
    if (std::isnan(a)) return false;
    if (std::isnan(b)) return true;
  }
  return a < b;
}

/// The same, but -0 comes before +0: the order of values that are sorted without their places.
template <class T>
bool comes_before_exactly(T left, T right) {
  if constexpr (is_half<T> || std::is_floating_point_v<T>) {
    const auto a = number_of(left), b = number_of(right);
    if (a == 0 && b == 0) return std::signbit(a) && !std::signbit(b);
  }
  return comes_before(left, right);
}

/// Values between -2 and 2.
template <class T>
std::vector<T> random_values(std::int64_t n, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> draw(-2, 2);
  std::vector<T> values;
  for (std::int64_t i = 0; i < n; ++i) values.push_back(static_cast<T>(draw(random)));
  return values;
}

/// Any bits that make a number, many duplicates, and for floats zeros of both signs, infinities and NaNs.
template <class T>
std::vector<T> ugly_values(std::int64_t n, std::uint32_t seed) {
  std::mt19937_64 random(seed);
  std::vector<T> values;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t bits = random();
    if constexpr (std::is_same_v<T, bool>) {
      values.push_back(bits % 3 == 0);
    } else if constexpr (is_half<T> || std::is_floating_point_v<T>) {
      constexpr float special[] = {0.0F,
                                   -0.0F,
                                   1.0F,
                                   -1.0F,
                                   std::numeric_limits<float>::infinity(),
                                   -std::numeric_limits<float>::infinity(),
                                   std::numeric_limits<float>::quiet_NaN(),
                                   -std::numeric_limits<float>::quiet_NaN()};
      const std::uint64_t kind = bits >> 61U;
      T value{};
      if (kind < 3) {
        value = static_cast<T>(special[bits % 8]);
      } else {
        std::memcpy(static_cast<void*>(&value), &bits, sizeof(T));
        if (kind < 6) value = static_cast<T>(static_cast<float>(static_cast<std::int64_t>(bits % 200) - 100) / 8);
      }
      values.push_back(value);
    } else {
      values.push_back(static_cast<T>(bits % 4 == 0 ? bits >> 3U : static_cast<std::uint64_t>(bits % 40) - 20));
    }
  }
  return values;
}

/// Calls f(places) for each line of elements along an axis: their row-major places.
template <class F>
void for_each_axis(const Shape& shape, std::size_t axis, const F& f) {
  std::size_t inner = 1, outer = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= static_cast<std::size_t>(shape[i]);
  for (std::size_t i = axis + 1; i < shape.rank(); ++i) inner *= static_cast<std::size_t>(shape[i]);
  const auto n = static_cast<std::size_t>(shape[axis]);
  for (std::size_t row = 0; row < outer * inner; ++row) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < n; ++i) places.push_back((row / inner * n + i) * inner + row % inner);
    f(places);
  }
}

}  // namespace overtake::oracle
