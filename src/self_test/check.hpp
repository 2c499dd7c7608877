// SPDX-License-Identifier: MIT
// What a device must compute rightly before it is used: every kernel family, against plain loops on the host.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "backend/api/device.hpp"

namespace overtake::self_test {

/// The device computed something else than the host: what, where, and both values.
class WrongResult : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One family of kernels. `run` throws WrongResult, or what the device throws.
struct Check {
  std::string_view name;  ///< "matrix products": what comes after "in the check of"
  void (*run)(const Device& device) = nullptr;
};

/// All checks, the simple ones first. What a device has not (a compiler at run time, double precision) is not checked.
[[nodiscard]] std::span<const Check> checks();

/// Throws WrongResult unless |actual - expected| <= tolerance * max(1, |expected|) for every element.
void expect_close(std::string_view what, const std::vector<float>& actual, const std::vector<double>& expected,
                  double tolerance);

/// Throws WrongResult unless the two are the same; counts too.
void expect_equal(std::string_view what, const std::vector<float>& actual, const std::vector<float>& expected);
void expect_equal(std::string_view what, const std::vector<std::int32_t>& actual,
                  const std::vector<std::int32_t>& expected);

/// Whole numbers from `low` to `high` as floats, of which sums and products are exact; a function of `seed`.
[[nodiscard]] std::vector<float> whole_numbers(std::int64_t count, int low, int high, std::uint32_t seed);

/// Numbers in [low, high), likewise.
[[nodiscard]] std::vector<float> numbers(std::int64_t count, float low, float high, std::uint32_t seed);

void check_copies(const Device& device);
void check_elements(const Device& device);
void check_reductions(const Device& device);
void check_rows(const Device& device);
void check_products(const Device& device);
void check_gathers(const Device& device);
void check_random_numbers(const Device& device);
void check_training(const Device& device);
void check_programs(const Device& device);
void check_forests_of_classes(const Device& device);
void check_forests_of_numbers(const Device& device);
void check_forests_of_many_classes(const Device& device);
void check_large_forests(const Device& device);

}  // namespace overtake::self_test
