// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "overtake/data/folds.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

void sort_rows(std::vector<std::int32_t>& chosen, std::int64_t rows, std::size_t fold, const char* what) {
  if (chosen.empty()) throw UsageError(fmt::format("fold {} has no rows to {}", fold, what));
  std::sort(chosen.begin(), chosen.end());
  const std::int32_t outside = chosen.front() < 0 ? chosen.front() : chosen.back();
  if (outside < 0 || outside >= rows) {
    throw UsageError(fmt::format("fold {} has a row {} to {}, expected 0 to {}", fold, outside, what, rows - 1));
  }
  const auto twice = std::adjacent_find(chosen.begin(), chosen.end());
  if (twice == chosen.end()) return;
  throw UsageError(fmt::format("fold {} has the row {} twice to {}", fold, *twice, what),
                   "Give each row once; a sample weight of 2 counts like a second row.");
}

}  // namespace

std::vector<Fold> sorted_folds(std::vector<Fold> folds, std::int64_t rows) {
  if (folds.empty()) throw UsageError("there are no folds", "Give at least one.");
  for (std::size_t fold = 0; fold < folds.size(); ++fold) {
    sort_rows(folds[fold].train, rows, fold, "train on");
    sort_rows(folds[fold].test, rows, fold, "score");
  }
  return folds;
}

}  // namespace overtake
