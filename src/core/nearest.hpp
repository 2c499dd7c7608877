// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace overtake {

namespace detail {

[[nodiscard]] constexpr char ascii_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace detail

/// Number of single-character edits (insert, delete, replace, swap of neighbours) between two words, ignoring ASCII
/// case: the restricted Damerau-Levenshtein distance.
[[nodiscard]] inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    previous[j] = j;
  }
  const auto same = [&](std::size_t i, std::size_t j) {
    return detail::ascii_lower(a[i]) == detail::ascii_lower(b[j]);
  };
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = previous[j - 1] + (same(i - 1, j - 1) ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1);
      if (swapped) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

/// The candidate that `word` most likely misspells, or "" if none is close: at most a third of the longer word (and at
/// least one character) may differ. The first of equally near candidates wins. A candidate that starts with `word`
/// counts as near if nothing else is. Words over 256 characters are not compared.
[[nodiscard]] inline std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  constexpr std::size_t longest = 256;
  if (word.empty() || word.size() > longest) {
    return {};
  }
  const std::string* best = nullptr;
  const std::string* extension = nullptr;
  std::size_t best_distance = 0;
  for (const std::string& candidate : candidates) {
    if (candidate.empty() || candidate.size() > longest) {
      continue;
    }
    const std::size_t limit = std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
    const std::size_t distance = edit_distance(word, candidate);
    if (distance <= limit && distance < candidate.size() && (best == nullptr || distance < best_distance)) {
      best = &candidate;
      best_distance = distance;
    }
    if (extension == nullptr && word.size() >= 3 && candidate.starts_with(word)) {
      extension = &candidate;
    }
  }
  const std::string* chosen = best != nullptr ? best : extension;
  return chosen != nullptr ? *chosen : std::string();
}

}  // namespace overtake
