// SPDX-License-Identifier: MIT
// Journals and results for people and programs.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "overtake/data/description.hpp"
#include "overtake/search/search.hpp"

namespace overtake {

/// A journal as it stands, finished or running, without disturbing its writer. The file is not trusted: every row is
/// checked, and forged counts take neither memory nor time. Texts in it are given as they are: escape what goes to a
/// terminal (text::printable). Throws DataError for a file that is no journal of Overtake, or a damaged one.
[[nodiscard]] SearchResult read_journal(const std::filesystem::path& path);
/// True while a search writes the journal, in this process or another one. Does not disturb it.
[[nodiscard]] bool is_being_written(const std::filesystem::path& journal);

/// The table as JSON: schema "overtake.search/1", cv_results_ with scikit-learn's keys.
[[nodiscard]] std::string to_json(const SearchResult& result, std::string_view settings_json = "{}");
/// The best rows as text, at most `top` and at most `width` characters wide (0: no limit).
[[nodiscard]] std::string to_text(const SearchResult& result, int top, int width = 0);
/// One offline page: best candidate, sortable table, parallel coordinates, score against each parameter, spread over
/// folds, where the time went; with `data` also what was made of the columns.
[[nodiscard]] std::string to_html(const SearchResult& result, std::string_view title,
                                  const TableDescription* data = nullptr);

}  // namespace overtake
