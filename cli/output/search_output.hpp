// SPDX-License-Identifier: MIT
// What `search` and `show` say of a result.
#pragma once

#include <string>
#include <string_view>

#include "overtake/search.hpp"

namespace cli {

/// "max_depth=5, n_estimators=100": all digits of every value.
[[nodiscard]] std::string parameters_text(const overtake::Parameters& parameters);
/// "72 candidates x 5 folds = 360 fits from 10 models"
[[nodiscard]] std::string plan_text(const overtake::SearchPlan& plan);
/// The best candidate, the table for this terminal, and where the time went.
[[nodiscard]] std::string result_text(const overtake::SearchResult& result, int top);
/// Writes what was asked for; "" is nothing.
void write_results(const overtake::SearchResult& result, const std::string& json, const std::string& html,
                   std::string_view settings_json, std::string_view title,
                   const overtake::TableDescription* data = nullptr);

}  // namespace cli
