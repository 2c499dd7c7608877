// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "forest_data.hpp"
#include "overtake/search.hpp"

namespace cli {

/// The flags of `overtake search`.
struct SearchFlags {
  ForestDataFlags data;
  std::string estimator = "random-forest";
  std::vector<std::string> grid, space, fixed;
  int random = 0;  ///< 0: a grid
  int cv = 5;
  std::string cv_kind = "auto";
  bool shuffle = false;
  int repeats = 1;
  double test_size = 0.2;
  std::string scoring, refit_by, positive_class;
  bool no_refit = false;
  std::uint64_t seed = 0;
  std::string device = "auto";
  int threads = 0;
  std::uint64_t memory_limit = 0;
  std::string journal;
  bool resume = false;
  std::string html, json, save;
  bool describe = false;
  int top = 10;
};

/// Adds the flags to a subcommand; they are written to `flags` when it is parsed.
void add_search_flags(CLI::App& app, SearchFlags& flags);
/// What the parser does not check: choices (naming the nearest), ranges, flags that belong together. Throws UsageError.
void check_search_flags(const CLI::App& app, const SearchFlags& flags);

/// What to try: the grid, or the draws. `note` gets what the reader must know of them: that the space has fewer
/// candidates than were asked for.
[[nodiscard]] std::vector<overtake::Parameters> make_candidates(const SearchFlags& flags, std::string& note);
/// Everything of the flags that a search takes; device, data and observers are the caller's. Throws UsageError.
[[nodiscard]] overtake::SearchOptions make_search_options(const SearchFlags& flags);
/// "name=value" as a parameter. Throws UsageError naming `flag`.
[[nodiscard]] std::pair<std::string, overtake::ParameterValue> parse_parameter(const std::string& text,
                                                                               const std::string& flag);
/// The flags as JSON, for the settings of a result, with what was made of the data as `table`.
[[nodiscard]] std::string settings_json(const SearchFlags& flags, const overtake::TableDescription& description);

}  // namespace cli
