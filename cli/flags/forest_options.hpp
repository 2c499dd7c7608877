// SPDX-License-Identifier: MIT
// What `overtake train` takes for forests, beside the flags that networks and forests share.
#pragma once

#include <CLI/App.hpp>
#include <map>
#include <string>
#include <vector>

#include "overtake/forest.hpp"

namespace cli {

/// The flags of `overtake train --estimator random-forest`.
struct ForestFlags {
  std::string estimator = "network";
  std::map<std::string, std::string> values;  ///< of the parameters' own flags, by parameter name
  std::vector<std::string> set;               ///< "name=value"
  std::string sample_weight;
  std::string export_text, export_dot;
  std::size_t tree = 0;
  int digits = -1;  ///< of exported numbers after the decimal point; -1: as many as reading them back takes
  std::string more_trees;
};

/// Adds the flags to a subcommand; they are written to `flags` when it is parsed.
void add_forest_flags(CLI::App& app, ForestFlags& flags);
/// Throws UsageError for a flag that belongs to the other kind of estimator, naming it.
void check_estimator_flags(const CLI::App& app, const ForestFlags& flags);
/// The parameters that were given, by flags and by --set. Throws UsageError for one that is given twice.
[[nodiscard]] overtake::Parameters given_parameters(const CLI::App& app, const ForestFlags& flags);

}  // namespace cli
