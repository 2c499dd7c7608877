// SPDX-License-Identifier: MIT
// What the text and the page of a result share.
#pragma once

#include <string>
#include <vector>

#include "overtake/search.hpp"

namespace overtake::search_detail {

/// Rows that are done, by rank of the refit metric, of equals the first first; those that failed at the end.
[[nodiscard]] std::vector<std::size_t> rows_by_rank(const SearchResult& result);

/// The parameters that have more than one value among the candidates; all of them when none varies.
[[nodiscard]] std::vector<std::string> varying_parameters(const SearchResult& result);

/// The value of a parameter; null when the candidate does not set it.
[[nodiscard]] const ParameterValue* value_of(const SearchRow& row, const std::string& name);

/// The values of one parameter for a table, one text a value (null: the candidate does not set it, ""). What was given
/// stands as it was given: 1 and 1.0 are two texts. A drawn number has 17 digits, of which a table shows six, or as
/// many more as it takes to tell different values apart and a share from a whole number; the line of the best, the
/// journal and the JSON have them all.
[[nodiscard]] std::vector<std::string> value_texts(const std::vector<const ParameterValue*>& values);

/// "max_depth=5, n_estimators=100": every value with all its digits, so that it may be given again.
[[nodiscard]] std::string parameters_text(const Parameters& parameters);

/// "f1: yes, roc_auc: yes": which class the metrics of one class are about; empty where there are none.
[[nodiscard]] std::string positive_text(const SearchResult& result);

/// "Best of 72 candidates: accuracy 0.9667 (std 0.0211) with criterion=gini, max_depth=5".
[[nodiscard]] std::string headline(const SearchResult& result);

/// What the reader must know: ties for the best, an unfinished search, failed candidates, warnings.
[[nodiscard]] std::vector<std::string> notes(const SearchResult& result);

}  // namespace overtake::search_detail
