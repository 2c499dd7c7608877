// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/search.hpp"

namespace overtake::search_detail {

/// Throws UsageError when `metric` cannot score `data`: the other task, or two-class metrics for more classes.
void check_metric(Metric metric, const Dataset& data);

/// Area under the ROC curve of class `positive` against the others: the share of pairs (a row of the class, a row of
/// another) that the class's probability orders rightly, ties half. NaN without rows on both sides.
[[nodiscard]] double roc_auc(std::span<const double> probabilities, std::span<const std::int32_t> labels,
                             std::int32_t classes, std::int32_t positive);

}  // namespace overtake::search_detail
