// SPDX-License-Identifier: MIT
// Help for the tests of layers, losses, optimisers and the Trainer: numbers from a seed, and finite differences.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/philox.hpp"
#include "data_support.hpp"
#include "overtake/array.hpp"
#include "overtake/data/dataset.hpp"
#include "overtake/nn.hpp"

namespace overtake::testing {

/// Uniform values in [low, high), a function of the seed.
inline std::vector<float> numbers(std::int64_t count, std::uint64_t seed, float low = -1, float high = 1) {
  std::vector<float> values(static_cast<std::size_t>(count));
  philox::fill_uniform(values, seed, 77, 0);
  for (float& value : values) value = low + (high - low) * value;
  return values;
}

inline Array random_array(const Shape& shape, std::uint64_t seed, float low = -1, float high = 1) {
  return Array::from(numbers(shape.size(), seed, low, high), shape);
}

inline Array labels_array(const std::vector<std::int32_t>& labels) {
  return Array::from(labels, Shape{static_cast<std::int64_t>(labels.size())});
}

/// Two linear layers with a ReLU between.
inline nn::Sequential small_model(std::uint64_t seed = 1, std::int64_t in = 2, std::int64_t hidden = 8,
                                  std::int64_t out = 2) {
  nn::Sequential model(nn::Linear(in, hidden), nn::ReLU(), nn::Linear(hidden, out));
  model.initialize(seed);
  return model;
}

inline std::vector<std::vector<float>> weights_of(nn::Module& model) {
  std::vector<std::vector<float>> result;
  for (const nn::Parameter* parameter : model.parameters()) result.push_back(parameter->value.to_vector<float>());
  return result;
}

/// The derivative of `function`, in double precision, by central differences.
inline double slope(const std::function<double(double)>& function, double at, double step = 1e-5) {
  return (function(at + step) - function(at - step)) / (2 * step);
}

/// A path in this process's own temporary folder, where no file is yet.
inline std::filesystem::path fresh_path(const std::string& name) {
  static const test::TempFolder folder;
  std::filesystem::path path = folder / name;
  std::filesystem::remove(path);
  return path;
}

/// The message of the Error that `action` throws; a failure if it throws none of type E.
template <typename E>
std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& other) {
    ADD_FAILURE() << "another exception: " << other.what();
    return "";
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace overtake::testing
