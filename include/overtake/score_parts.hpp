// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

namespace overtake {

/// r2 of rows that come in parts. Of one part it is that of r2(); of several it may differ in the last digits.
class R2Sums {
 public:
  /// Throws UsageError for spans of unequal sizes.
  void add(std::span<const double> predicted, std::span<const double> truth);
  /// As score_of_errors(): NaN for fewer than two rows.
  [[nodiscard]] double value() const;

 private:
  std::int64_t rows_ = 0;
  double error_ = 0;               // squared
  double mean_ = 0, squares_ = 0;  // of the true values
};

}  // namespace overtake
