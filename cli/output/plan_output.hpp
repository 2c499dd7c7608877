// SPDX-License-Identifier: MIT
// What --plan says.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "overtake/search.hpp"

namespace cli {

struct Plan {
  std::string command;                          ///< "search"
  std::optional<overtake::SearchPlan> search;   ///< of a search
  overtake::Placement placement;                ///< every device
  std::vector<overtake::Prediction> elsewhere;  ///< --on
  overtake::report::Json counts;
  std::string head{};  ///< what is planned, in words
};

/// The devices of --on. Throws UsageError for one that is not known.
[[nodiscard]] std::vector<overtake::DeviceInfo> devices_elsewhere(const std::string& names);

/// A table of the devices, the choice and its reason; on standard output or, where a file is named, as JSON there.
void show_plan(const Plan& plan, const std::string& json_path);

/// The plan chooses what the run would, and which the run's own look at memory has accepted.
void take_choice(const overtake::Placement& chosen, overtake::Placement& placement);

/// ", predicted 26 ms" for a run that took the rest of it; empty where nothing was predicted. The start of the device
/// is no part of either.
[[nodiscard]] std::string predicted_text(const overtake::Placement& placement);

/// After a run that did all of the work: a note where it shows that the rates of the CPU are off (doubt_rates()).
void compare_times(const overtake::Prediction* predicted, double compute_seconds);

}  // namespace cli
