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

/// A value for people: a drawn number has 17 digits, of which six are shown; the journal and the JSON have them all.
[[nodiscard]] std::string short_text(const ParameterValue& value);

/// "Best of 72 candidates: accuracy 0.9667 (std 0.0211) with criterion=gini, max_depth=5".
[[nodiscard]] std::string headline(const SearchResult& result);

/// What the reader must know: an unfinished search, failed candidates, warnings.
[[nodiscard]] std::vector<std::string> notes(const SearchResult& result);

}  // namespace overtake::search_detail
