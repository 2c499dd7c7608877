// SPDX-License-Identifier: MIT
// Categories that come as numbers, from tables of other programs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "data/table/columns.hpp"
#include "data/table/message.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

void check_names(const std::vector<std::string>& names, std::int64_t feature) {
  const auto most = static_cast<std::size_t>(PreprocessingOptions::for_forests().most_categories);
  if (names.size() > most) {
    throw DataError(fmt::format("feature {} has {} categories, expected at most {}", feature, names.size(), most),
                    "Leave the column out, or make numbers of it.");
  }
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (seen.insert(name).second) continue;
    throw UsageError(fmt::format("feature {} has the category {} twice", feature, data::quote(name)),
                     "Give each category a text of its own.");
  }
}

/// The codes in the inputs as whole numbers; -1: missing.
std::vector<std::int32_t> codes_of(const Dataset& data, std::int64_t feature, std::size_t categories) {
  std::vector<std::int32_t> codes(static_cast<std::size_t>(data.rows), -1);
  for (std::int64_t row = 0; row < data.rows; ++row) {
    const float value = data.inputs[static_cast<std::size_t>(row * data.features + feature)];
    if (std::isnan(value)) continue;
    const bool fits = value >= 0 && value < static_cast<float>(categories) && value == std::floor(value);
    if (!fits) {
      throw DataError(fmt::format("row {} of feature {} holds {}, expected a place among its {} categories or NaN", row,
                                  feature, value, categories));
    }
    codes[static_cast<std::size_t>(row)] = static_cast<std::int32_t>(value);
  }
  return codes;
}

}  // namespace

std::vector<std::string> set_categories(Dataset& data, std::int64_t feature, std::vector<std::string> names,
                                        CategoryOrder order) {
  if (feature < 0 || feature >= data.features) {
    throw UsageError(fmt::format("feature {} does not exist; the data have {} features", feature, data.features),
                     "Features are numbered from 0.");
  }
  check_names(names, feature);
  const std::vector<std::int32_t> codes = codes_of(data, feature, names.size());
  if (order == CategoryOrder::given) return names;
  const Column column = text_column("", codes, names);
  std::vector<std::string> sorted = data::sorted_categories(column, {});
  std::vector<float> places(names.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t name = 0; name < names.size(); ++name) {
    const auto found = std::lower_bound(sorted.begin(), sorted.end(), names[name]);
    if (found != sorted.end() && *found == names[name]) places[name] = static_cast<float>(found - sorted.begin());
  }
  for (std::int64_t row = 0; row < data.rows; ++row) {
    const std::int32_t code = codes[static_cast<std::size_t>(row)];
    if (code >= 0) data.inputs[static_cast<std::size_t>(row * data.features + feature)] = places[code];
  }
  return sorted;
}

}  // namespace overtake
