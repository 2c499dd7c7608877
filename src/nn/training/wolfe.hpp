// SPDX-License-Identifier: MIT
// A line search for the strong Wolfe conditions, for optimisers whose direction has been chosen.
#pragma once

#include <functional>
#include <vector>

namespace overtake::optim {

/// A function along a line: its value and slope at the length t, and the whole gradient there.
struct LinePoint {
  double t = 0;
  double value = 0;
  double slope = 0;
  std::vector<double> gradient;
};

struct WolfeOptions {
  double sufficient_decrease = 1e-4;  ///< c1
  double curvature = 0.9;             ///< c2
  double smallest_interval = 0;       ///< a bracket below it is not divided further
  int most_evaluations = 25;
};

/// A point with value(t) <= value(0) + c1 t slope(0) and |slope(t)| <= c2 |slope(0)|, or the lowest that was found
/// before the evaluations ran out or the bracket became too small, `start` (t = 0) if none was lower. Nocedal and
/// Wright 2006, algorithms 3.5 and 3.6, with cubic interpolation (3.59). A value or slope that is not finite counts as
/// too far.
[[nodiscard]] LinePoint strong_wolfe(const LinePoint& start, double first_length,
                                     const std::function<LinePoint(double)>& evaluate, const WolfeOptions& options);

}  // namespace overtake::optim
