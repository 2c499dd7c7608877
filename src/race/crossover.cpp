// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "overtake/race.hpp"

namespace overtake {
namespace {

/// A size with the logarithm of the CPU's time over the other's: positive where the other is ahead.
struct Lead {
  double log_parameters = 0;
  double lead = 0;
  double noise = 0;
};

bool positive(double value) { return std::isfinite(value) && value > 0; }

std::vector<Lead> leads(std::span<const CrossoverPoint> points) {
  std::vector<Lead> out;
  for (const CrossoverPoint& point : points) {
    if (!positive(point.parameters) || !positive(point.cpu) || !positive(point.other)) {
      continue;
    }
    // A relative spread is, to first order, the spread of the logarithm.
    const double noise = point.cpu_spread / point.cpu + point.other_spread / point.other;
    out.push_back({std::log(point.parameters), std::log(point.cpu / point.other), std::max(0.0, noise)});
  }
  return out;
}

/// Where the straight line from a to b (in logarithms) has lead 0.
double meeting_point(const Lead& a, const Lead& b) {
  const double t = -a.lead / (b.lead - a.lead);
  return std::exp(a.log_parameters + t * (b.log_parameters - a.log_parameters));
}

std::string size_text(double log_parameters) {
  return report::count(static_cast<std::int64_t>(std::llround(std::exp(log_parameters))));
}

}  // namespace

Crossover crossover(std::span<const CrossoverPoint> points, const std::string& name) {
  const std::vector<Lead> all = leads(points);
  if (all.empty()) {
    return {{}, fmt::format("No size was measured on both the CPU and {}.", name)};
  }
  const auto ahead = [](const Lead& lead) { return lead.lead > 0; };
  const auto behind = [](const Lead& lead) { return lead.lead < 0 && -lead.lead > lead.noise; };
  const std::string largest = size_text(all.back().log_parameters);

  if (std::none_of(all.begin(), all.end(), ahead)) {
    return {{},
            fmt::format("The CPU finishes first at every size raced, up to {} parameters; {} does not overtake it.",
                        largest, name)};
  }
  const auto last_behind = std::find_if(all.rbegin(), all.rend(), behind);
  if (last_behind == all.rbegin()) {
    return {{},
            fmt::format("{} is ahead at some sizes but not at the largest raced ({} parameters), so it does not "
                        "overtake the CPU for good.",
                        name, largest)};
  }
  // From the last size clearly behind (or from the start), the first one that is ahead.
  const auto begin = all.begin() + (all.rend() - last_behind);
  const auto first_ahead = std::find_if(begin, all.end(), ahead);
  if (first_ahead == all.end()) {
    return {{},
            fmt::format("{} and the CPU are equal within the noise at the largest sizes raced (up to {} parameters); "
                        "neither overtakes.",
                        name, largest)};
  }
  if (first_ahead == all.begin()) {
    return {std::exp(first_ahead->log_parameters),
            fmt::format("{} is ahead at every size raced, from {} parameters on.", name,
                        size_text(first_ahead->log_parameters))};
  }
  const double parameters = meeting_point(*(first_ahead - 1), *first_ahead);
  return {parameters, fmt::format("{} overtakes the CPU at about {} parameters and stays ahead up to the largest size "
                                  "raced ({} parameters).",
                                  name, report::significant(parameters), largest)};
}

}  // namespace overtake
