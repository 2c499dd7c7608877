// SPDX-License-Identifier: MIT
#include "placement/pace.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/api/device.hpp"
#include "core/parallel.hpp"

namespace overtake::placement {

std::optional<Pace> find_pace(const std::function<std::optional<FitReport>(int epochs)>& train, int most,
                              double enough_seconds) {
  constexpr double long_enough = 0.03;
  constexpr double clear_at_once = 0.25;
  const auto first = train(1);
  if (!first) {
    return std::nullopt;
  }
  Pace pace{first->seconds.compute, first->seconds.compile, first->seconds.transfer, 0};
  if (first->seconds.compute > enough_seconds) {
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

std::optional<Pace> fastest_pace(const Device& device, int threads,
                                 const std::function<std::optional<FitReport>(int epochs)>& train, int most,
                                 double enough_seconds) {
  const bool cpu = device.info().kind == DeviceKind::cpu;
  std::vector<int> choices = {cpu ? threads : 0};
  if (cpu && threads == 0) {
    set_thread_count(0);
    choices = {1, thread_count()};
    if (thread_count() == 1) choices.pop_back();
  }
  std::optional<Pace> best;
  for (const int count : choices) {
    set_thread_count(count);
    auto pace = find_pace(train, most, enough_seconds);
    if (!pace) return std::nullopt;
    pace->threads = count;
    if (!best || pace->epoch_seconds < best->epoch_seconds) best = pace;
  }
  set_thread_count(best->threads);
  return best;
}

}  // namespace overtake::placement
