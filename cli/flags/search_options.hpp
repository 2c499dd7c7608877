// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "flags/common_options.hpp"
#include "flags/reading_options.hpp"
#include "overtake/report.hpp"
#include "overtake/search.hpp"

namespace cli {

/// The flags of `overtake search`.
struct SearchFlags {
  DataFlags data;
  ComputeFlags compute;
  OutputFlags outputs;
  std::string estimator = overtake::default_estimator;
  std::vector<std::string> grid, space, fixed;
  int random = 0;  ///< 0: a grid
  overtake::FoldOptions folds;
  std::string fold_kind = "auto";
  std::string scoring, refit_by, positive_class, journal;
  bool no_refit = false;
  bool resume = false;
  int top = 10;
};

/// Adds the flags to a subcommand; they are written to `flags` when it is parsed.
void add_search_flags(CLI::App& app, SearchFlags& flags);
/// What neither parser nor library checks: flags that belong together. Throws UsageError.
void check_search_flags(const CLI::App& app, const SearchFlags& flags);

/// What to try: the grid, or the draws. `note` gets what the reader must know of them: that the space has fewer
/// candidates than were asked for.
[[nodiscard]] std::vector<overtake::Parameters> make_candidates(const SearchFlags& flags, std::string& note);
/// Everything of the flags that a search takes; device, data and observers are the caller's. Throws UsageError.
[[nodiscard]] overtake::SearchOptions make_search_options(const SearchFlags& flags);
/// The flags as JSON, for the settings of a result, with what was made of the data as `table`.
[[nodiscard]] std::string settings_json(const SearchFlags& flags, const overtake::TableDescription& description);

}  // namespace cli
