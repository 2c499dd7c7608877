// SPDX-License-Identifier: MIT
#include "self_test/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/philox.hpp"

namespace overtake::self_test {
namespace {

template <typename A, typename E>
[[noreturn]] void refuse(std::string_view what, std::size_t place, A actual, E expected) {
  throw WrongResult(fmt::format("{}: element {} is {}, not {}", what, place, actual, expected));
}

template <typename A, typename E>
void expect_count(std::string_view what, const std::vector<A>& actual, const std::vector<E>& expected) {
  if (actual.size() == expected.size()) return;
  throw WrongResult(fmt::format("{}: {} elements, not {}", what, actual.size(), expected.size()));
}

template <typename T>
void expect_same(std::string_view what, const std::vector<T>& actual, const std::vector<T>& expected) {
  expect_count(what, actual, expected);
  const auto [a, e] = std::mismatch(actual.begin(), actual.end(), expected.begin(), expected.end());
  if (a != actual.end()) refuse(what, static_cast<std::size_t>(a - actual.begin()), *a, *e);
}

}  // namespace

void expect_close(std::string_view what, const std::vector<float>& actual, const std::vector<double>& expected,
                  double tolerance) {
  expect_count(what, actual, expected);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double bound = tolerance * std::max(1.0, std::abs(expected[i]));
    if (!(std::abs(actual[i] - expected[i]) <= bound)) refuse(what, i, actual[i], static_cast<float>(expected[i]));
  }
}

void expect_equal(std::string_view what, const std::vector<float>& actual, const std::vector<float>& expected) {
  expect_same(what, actual, expected);
}

void expect_equal(std::string_view what, const std::vector<std::int32_t>& actual,
                  const std::vector<std::int32_t>& expected) {
  expect_same(what, actual, expected);
}

std::vector<float> whole_numbers(std::int64_t count, int low, int high, std::uint32_t seed) {
  std::vector<float> values = numbers(count, 0, 1, seed);
  for (float& value : values) value = static_cast<float>(low) + std::floor(value * static_cast<float>(high - low + 1));
  return values;
}

std::vector<float> numbers(std::int64_t count, float low, float high, std::uint32_t seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  philox::fill_uniform(values, seed, 0, 0);
  for (float& value : values) value = low + (high - low) * value;
  return values;
}

std::span<const Check> checks() {
  static constexpr Check all[] = {
      {"copies", check_copies},
      {"kernels of programs", check_programs},
      {"element-wise functions", check_elements},
      {"reductions", check_reductions},
      {"functions of rows", check_rows},
      {"gathers", check_gathers},
      {"random numbers", check_random_numbers},
      {"matrix products", check_products},
      {"a training", check_training},
      {"forests of classes", check_forests_of_classes},
      {"forests of numbers", check_forests_of_numbers},
      {"forests of many classes", check_forests_of_many_classes},
      {"forests of many rows", check_large_forests},
  };
  return all;
}

}  // namespace overtake::self_test
