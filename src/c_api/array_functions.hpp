// SPDX-License-Identifier: MIT
// The functions that overtake_array_call() knows, as rows of a table.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "overtake/array.hpp"

namespace overtake::c_api {

/// Reads the settings of a call in the order of c_array.h. Throws UsageError where there are too few.
class Settings {
 public:
  Settings(std::span<const std::int64_t> integers, std::span<const double> numbers)
      : integers_(integers), numbers_(numbers) {}
  [[nodiscard]] std::int64_t whole();
  [[nodiscard]] int axis() { return static_cast<int>(whole()); }
  [[nodiscard]] bool flag() { return whole() != 0; }
  [[nodiscard]] DType dtype();
  [[nodiscard]] double number();
  [[nodiscard]] std::vector<std::int64_t> list();
  [[nodiscard]] std::vector<int> axes();
  [[nodiscard]] std::array<std::int64_t, 2> pair();
  [[nodiscard]] Shape shape() { return Shape(list()); }
  [[nodiscard]] std::optional<std::int64_t> optional_whole();
  [[nodiscard]] std::optional<std::vector<int>> optional_axes();
  [[nodiscard]] std::optional<DType> optional_dtype();
  /// An optional whole number whose 64 bits are a seed.
  [[nodiscard]] std::optional<std::uint64_t> seed();

 private:
  std::span<const std::int64_t> integers_;
  std::span<const double> numbers_;
};

using Arrays = std::span<const Array>;

/// A function by name; its inputs may be undefined where they are optional.
struct ArrayFunction {
  std::string_view name;
  int inputs;  ///< how many; -1: any number
  std::vector<Array> (*call)(Arrays inputs, Settings& settings);
};

/// All of them, in an order that is the same in every process of one build.
[[nodiscard]] std::span<const ArrayFunction> array_functions();

}  // namespace overtake::c_api
