// SPDX-License-Identifier: MIT
#include "race/pace.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/api/device.hpp"
#include "core/parallel.hpp"

namespace overtake::race {

std::optional<Pace> find_pace(const std::function<std::optional<FitReport>(int epochs)>& train, int most,
                              double patience) {
  constexpr double long_enough = 0.03;
  constexpr double clear_at_once = 0.25;
  const auto first = train(1);
  if (!first) {
    return std::nullopt;
  }
  Pace pace{first->seconds.compute, first->seconds.compile, first->seconds.transfer};
  if (first->seconds.compute > patience) {
    return pace;
  }
  const bool one_is_enough = first->seconds.compute >= clear_at_once;
  for (int epochs = one_is_enough ? 1 : std::min(2, most);;) {
    const auto report = train(epochs);
    if (!report) {
      return std::nullopt;
    }
    pace.epoch_seconds = report->seconds.compute / epochs;
    if (report->seconds.compute >= long_enough || epochs >= most) {
      break;
    }
    const double wanted = std::min(1e6, std::ceil(1.2 * long_enough / std::max(pace.epoch_seconds, 1e-9)));
    epochs = std::min(most, std::max(2 * epochs, static_cast<int>(wanted)));
  }
  pace.compile_seconds += std::max(0.0, first->seconds.compute - pace.epoch_seconds);
  return pace;
}

std::vector<int> thread_choices(const Device& device) {
  if (device.info().backend != "cpu") {
    return {0};
  }
  set_thread_count(0);
  const int all = thread_count();
  return all > 1 ? std::vector<int>{1, all} : std::vector<int>{1};
}

}  // namespace overtake::race
