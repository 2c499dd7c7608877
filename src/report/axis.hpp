// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "overtake/report.hpp"

namespace overtake::report {

struct Tick {
  double value = 0;
  std::string label;
};

/// A logarithmic axis over [low, high] with its ticks; no ticks when the chart has no point to draw.
struct Axis {
  double low = 1, high = 10;
  std::vector<Tick> ticks;

  /// 0 at the low end, 1 at the high end.
  [[nodiscard]] double fraction(double value) const { return std::log(value / low) / std::log(high / low); }
};

/// The x or y axis that holds every drawable point of the chart. Ticks stand at powers of ten, and at 2 and 5 times
/// those when that gives fewer than three.
[[nodiscard]] Axis make_axis(const Chart& chart, bool is_x);

}  // namespace overtake::report
