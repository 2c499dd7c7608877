// SPDX-License-Identifier: MIT
#include "nn/training/wolfe.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace overtake::optim {
namespace {

constexpr double interior = 0.1;  // how near to a bracket's ends a new point may lie, as a share of it
constexpr double least_growth = 1.01;
constexpr double most_growth = 10;

bool is_finite(const LinePoint& point) { return std::isfinite(point.value) && std::isfinite(point.slope); }

// Where the cubic through two values and slopes has its minimum, kept within [low, high]; their middle where the cubic
// has none.
double cubic_minimum(const LinePoint& a, const LinePoint& b, double low, double high) {
  const double middle = (low + high) / 2;
  if (!is_finite(a) || !is_finite(b)) return middle;
  const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t);
  const double under_root = d1 * d1 - a.slope * b.slope;
  if (!(under_root >= 0)) return middle;
  const double d2 = std::copysign(std::sqrt(under_root), b.t - a.t);
  const double t = b.t - (b.t - a.t) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
  return std::isfinite(t) ? std::clamp(t, low, high) : middle;
}

class Search {
 public:
  Search(const LinePoint& start, const std::function<LinePoint(double)>& evaluate, const WolfeOptions& options)
      : start_(start), evaluate_(evaluate), options_(options) {}

  LinePoint run(double length) {
    LinePoint before = start_;
    while (has_evaluations()) {
      LinePoint point = at(length);
      if (is_too_high(point) || (before.t > 0 && point.value >= before.value)) return divide(before, point);
      if (is_flat(point)) return point;
      if (point.slope >= 0) return divide(point, before);
      const double growth = length - before.t;
      length = cubic_minimum(before, point, length + (least_growth - 1) * growth, length * most_growth);
      before = std::move(point);
    }
    return before;
  }

 private:
  // `low` fulfils the first condition and has the lowest value so far; between it and `high` there is a point that
  // fulfils both.
  LinePoint divide(LinePoint low, LinePoint high) {
    while (has_evaluations() && std::abs(high.t - low.t) > options_.smallest_interval) {
      const double left = std::min(low.t, high.t);
      const double width = std::abs(high.t - low.t);
      LinePoint point = at(cubic_minimum(low, high, left + interior * width, left + (1 - interior) * width));
      if (is_too_high(point) || point.value >= low.value) {
        high = std::move(point);
        continue;
      }
      if (is_flat(point)) return point;
      if (point.slope * (high.t - low.t) >= 0) high = low;
      low = std::move(point);
    }
    return low;
  }

  [[nodiscard]] bool has_evaluations() const { return evaluations_ < options_.most_evaluations; }

  LinePoint at(double length) {
    ++evaluations_;
    return evaluate_(length);
  }

  [[nodiscard]] bool is_too_high(const LinePoint& point) const {
    return !is_finite(point) || point.value > start_.value + options_.sufficient_decrease * point.t * start_.slope;
  }

  [[nodiscard]] bool is_flat(const LinePoint& point) const {
    return std::abs(point.slope) <= -options_.curvature * start_.slope;
  }

  const LinePoint& start_;
  const std::function<LinePoint(double)>& evaluate_;
  const WolfeOptions& options_;
  int evaluations_ = 0;
};

}  // namespace

LinePoint strong_wolfe(const LinePoint& start, double first_length, const std::function<LinePoint(double)>& evaluate,
                       const WolfeOptions& options) {
  return Search(start, evaluate, options).run(first_length);
}

}  // namespace overtake::optim
