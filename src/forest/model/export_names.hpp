// SPDX-License-Identifier: MIT
// What the exports of a tree share.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake::forest {

/// Throws UsageError for a tree that does not exist.
[[nodiscard]] inline const Tree& tree_at(const Forest& forest, std::size_t tree) {
  if (tree < forest.trees.size()) return forest.trees[tree];
  throw UsageError("tree " + std::to_string(tree) + " does not exist; the forest has " +
                       std::to_string(forest.trees.size()) + " trees",
                   "Trees are numbered from 0.");
}

/// The feature's name, or "feature_3".
[[nodiscard]] inline std::string feature_name(const Forest& forest, std::int32_t feature) {
  const auto index = static_cast<std::size_t>(feature);
  return index < forest.feature_names.size() ? forest.feature_names[index] : "feature_" + std::to_string(feature);
}

/// The class's name, or its number.
[[nodiscard]] inline std::string class_name(const Forest& forest, std::int32_t label) {
  const auto index = static_cast<std::size_t>(label);
  return index < forest.class_names.size() ? forest.class_names[index] : std::to_string(label);
}

/// A number with as many digits as reading the same double back takes, or `digits` after the decimal point.
[[nodiscard]] inline std::string number_text(double number, std::optional<int> digits) {
  return digits ? fmt::format("{:.{}f}", number, *digits) : fmt::format("{}", number);
}

/// Throws UsageError for digits that number_text does not take.
inline void check_digits(std::optional<int> digits) {
  if (!digits || (*digits >= 0 && *digits <= 17)) return;
  throw UsageError(fmt::format("digits: {} is not accepted; expected a whole number from 0 to 17", *digits),
                   "Leave it out for numbers that read back as the same.");
}

/// The class with the largest share in a node, the first of equals.
[[nodiscard]] inline std::int32_t majority(const Forest& forest, const Tree& tree, std::int32_t node) {
  const auto begin = tree.value.begin() + std::ptrdiff_t{node} * forest.classes;
  return static_cast<std::int32_t>(std::max_element(begin, begin + forest.classes) - begin);
}

}  // namespace overtake::forest
