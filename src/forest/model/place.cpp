// SPDX-License-Identifier: MIT
#include "overtake/forest/place.hpp"

#include "core/parallel.hpp"
#include "forest/grow/need.hpp"
#include "forest/model/resolve.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

/// Less than any GPU takes to start, told by rates ten times those of a slow core. Trees are counted as if they had a
/// leaf for every row.
bool is_little(const ForestParameters& parameters, const Dataset& data) {
  constexpr double little = 0.1, seconds_of_visit = 5e-8, seconds_of_node = 1e-6;
  const auto rows = static_cast<double>(data.rows);
  const forest::Scope scope{static_cast<std::int32_t>(data.features), data.rows, rows, 0, 0};
  const double visits = forest::visits_of(forest::resolve(parameters, scope).job, data.rows);
  const double nodes = rows * parameters.n_estimators;
  return visits * seconds_of_visit + nodes * seconds_of_node < little;
}

}  // namespace

Placement place_forest(const ForestParameters& parameters, const Dataset& data, const MemoryLimits& limits) {
  bool little = false;
  try {
    little = data.rows > 0 && is_little(parameters, data);
  } catch (const DataError&) {  // NOLINT(bugprone-empty-catch): whoever trains it is told
  }
  if (little) {
    Placement placement;
    placement.device = Device().id();
    placement.threads = thread_count();
    placement.reason = "less work than a GPU takes to start";
    return placement;
  }
  return choose_device(forest_work(data, {parameters}), limits);
}

}  // namespace overtake
