// SPDX-License-Identifier: MIT
#include "report/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace overtake::report {
namespace {

std::string plain_label(double value) {
  static constexpr struct {
    double size;
    const char* suffix;
  } steps[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  for (const auto& step : steps) {
    if (value >= step.size * 0.999) return fmt::format("{:g}{}", value / step.size, step.suffix);
  }
  return fmt::format("{:g}", value);
}

std::string seconds_label(double value) {
  static constexpr struct {
    double size;
    const char* suffix;
  } steps[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
  for (const auto& step : steps) {
    if (value >= step.size * 0.999) return fmt::format("{:g} {}", value / step.size, step.suffix);
  }
  return fmt::format("{:g} s", value);
}

std::vector<Tick> ticks_at(const Axis& axis, Unit unit, std::initializer_list<double> multiples) {
  std::vector<Tick> ticks;
  const int first = static_cast<int>(std::floor(std::log10(axis.low)));
  const int last = static_cast<int>(std::ceil(std::log10(axis.high)));
  for (int exponent = first; exponent <= last; ++exponent) {
    for (const double multiple : multiples) {
      const double value = multiple * std::pow(10.0, exponent);
      if (value >= axis.low && value <= axis.high) {
        ticks.push_back({value, unit == Unit::seconds ? seconds_label(value) : plain_label(value)});
      }
    }
  }
  return ticks;
}

}  // namespace

Axis make_axis(const Chart& chart, bool is_x) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  for (const Series& series : chart.series) {
    for (std::size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i) {
      const double value = is_x ? series.x[i] : series.y[i];
      if (std::isfinite(series.x[i]) && std::isfinite(series.y[i]) && series.x[i] > 0 && series.y[i] > 0) {
        low = std::min(low, value);
        high = std::max(high, value);
      }
    }
  }
  if (high == 0) return {};
  Axis axis;
  // A little room, so that no marker sits on the frame; a single value gets a decade around it.
  const double room = high > low * 1.01 ? std::pow(high / low, 0.04) : std::sqrt(10.0);
  axis.low = low / room;
  axis.high = high * room;
  const Unit unit = is_x ? chart.x_unit : chart.y_unit;
  axis.ticks = ticks_at(axis, unit, {1});
  if (axis.ticks.size() < 3) axis.ticks = ticks_at(axis, unit, {1, 2, 5});
  if (axis.ticks.empty()) axis.ticks.push_back({high, unit == Unit::seconds ? seconds(high) : significant(high)});
  return axis;
}

}  // namespace overtake::report
