// SPDX-License-Identifier: MIT
#include "output/forest_score.hpp"

#include <fmt/format.h>

#include <cmath>

#include "overtake/metrics.hpp"

namespace cli {

double accuracy_of(std::span<const std::int32_t> predicted, const overtake::Dataset& data) {
  return overtake::accuracy(predicted, data.labels);
}

double r2_of(std::span<const double> predicted, const overtake::Dataset& data) {
  return overtake::r2(predicted, data.targets);
}

std::string score_number(double score, int decimals) {
  return std::isnan(score) ? "undefined" : fmt::format("{:.{}f}", score, decimals);
}

}  // namespace cli
