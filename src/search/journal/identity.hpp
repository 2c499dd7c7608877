// SPDX-License-Identifier: MIT
// What makes two searches the same search: only then may one go on with the other's scores.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "search/runner.hpp"

namespace overtake::search_detail {

struct IdentityRow {
  std::string key;    ///< "rows", "data", "cv", the name of a parameter
  std::string value;  ///< readable, or a fingerprint
  friend bool operator==(const IdentityRow&, const IdentityRow&) = default;
};

/// Rows in the order in which differences are looked for: how results come about, data, estimator, candidates, folds,
/// seed, metrics.
using Identity = std::vector<IdentityRow>;

[[nodiscard]] Identity identity_of(const SearchInput& input, const SearchResult& result);

/// The first difference as the end of a sentence, "holds a search with cv=5, this one has cv=10"; none when they are
/// the same. A row that one of them lacks has its default where there is one.
[[nodiscard]] std::optional<std::string> difference(const Identity& journal, const Identity& search);

}  // namespace overtake::search_detail
