// SPDX-License-Identifier: MIT
#include "forest/model/notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "forest/problem/targets.hpp"

namespace overtake::forest {

std::vector<std::string> bin_notes(const BinEdges& edges, std::span<const std::string> feature_names, int max_bins) {
  constexpr std::int32_t most_named = 3;
  std::string names;
  std::int32_t count = 0;
  for (std::int32_t feature = 0; feature < static_cast<std::int32_t>(edges.distinct.size()); ++feature) {
    if (edges.distinct[feature] <= max_bins || ++count > most_named) continue;
    const std::string name = feature_names.empty() ? fmt::format("feature {}", feature) : feature_names[feature];
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", name, edges.distinct[feature]);
  }
  if (count == 0) return {};
  if (count > most_named) names += fmt::format(" and {} more", count - most_named);
  return {
      fmt::format("more distinct values than max_bins={}, so that not every cut between them is tried: {}; "
                  "a larger max_bins (at most 65535) tries more",
                  max_bins, names)};
}

std::vector<std::string> weight_notes(const Weights& weights, std::span<const std::int32_t> rows) {
  const std::int64_t light = count_too_light(weights, rows);
  if (light == 0) return {};
  return {
      fmt::format("{} {} less than half of {:.3g}, the smallest weight that can be held beside the others, and {} "
                  "as that much",
                  light, light == 1 ? "row weighs" : "rows weigh", 1 / weights.scale, light == 1 ? "counts" : "count")};
}

void add_notes(std::vector<std::string> more, std::vector<std::string>& notes) {
  for (std::string& note : more) {
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
  }
}

}  // namespace overtake::forest
