// SPDX-License-Identifier: MIT
// How rows are split into those to train on and those to score.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "overtake/data/dataset.hpp"

namespace overtake {

enum class FoldKind : std::uint8_t {
  automatic,    ///< stratified for classes, k_fold for numbers
  k_fold,       ///< scikit-learn's KFold
  stratified,   ///< StratifiedKFold
  group,        ///< GroupKFold
  time_series,  ///< TimeSeriesSplit
  predefined,   ///< PredefinedSplit: a column names each row's fold, -1: always training
  holdout,      ///< one split; the share `test_size` is for scoring
};

struct FoldOptions {
  FoldKind kind = FoldKind::automatic;
  int n_splits = 5;
  int n_repeats = 1;     ///< more than 1 implies shuffle, each repeat with a seed of its own
  bool shuffle = false;  ///< k_fold, stratified; holdout always shuffles
  double test_size = 0.2;
  std::uint64_t seed = 0;
};

/// One fold: rows to train on and rows to score, both ascending.
struct Fold {
  std::vector<std::int32_t> train, test;
  friend bool operator==(const Fold&, const Fold&) = default;
};

/// The folds of a data set. Unshuffled k_fold, stratified, group, time_series and predefined give the same rows as
/// scikit-learn. `groups`: one integer a row for group and predefined, else empty. Throws UsageError for options (fewer
/// than 2 splits), DataError when the data does not allow them: fewer rows or groups than folds, every class with fewer
/// rows than folds (scikit-learn's rule; the smallest class with fewer rows is named in `warning`).
[[nodiscard]] std::vector<Fold> make_folds(const Dataset& data, const FoldOptions& options,
                                           std::span<const std::int32_t> groups = {}, std::string* warning = nullptr);

/// Folds from elsewhere, checked, with their rows in ascending order. Rows may train and be scored in the same fold,
/// and be in none. Throws UsageError for no folds, for one without rows to train on or to score, and for a row that is
/// not there or comes twice, naming the fold.
[[nodiscard]] std::vector<Fold> sorted_folds(std::vector<Fold> folds, std::int64_t rows);

}  // namespace overtake
