// SPDX-License-Identifier: MIT
// What element functions mean, in double precision.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "backend/api/tape.hpp"

namespace overtake::oracle {

/// The truth of a function of floats. Tests draw operands from [low, high).
struct ElementTruth {
  double (*value)(double, double);
  float low = -3, high = 3;
};

/// Nothing for sources, `select` and what computes with whole numbers alone.
[[nodiscard]] std::optional<ElementTruth> element_truth(backend::TapeCode code);
/// Every function that takes float32.
[[nodiscard]] std::vector<backend::TapeCode> element_codes();

/// The truth of a code as a function of one value, or of two.
[[nodiscard]] std::function<double(double)> one(backend::TapeCode code);
[[nodiscard]] std::function<double(double, double)> two(backend::TapeCode code);

/// NaN if one of them is.
[[nodiscard]] double larger(double a, double b);
[[nodiscard]] double smaller(double a, double b);
[[nodiscard]] double sigmoid_of(double x);

}  // namespace overtake::oracle
