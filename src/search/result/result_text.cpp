// SPDX-License-Identifier: MIT
// The best rows of a result as a table in text.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "overtake/error.hpp"
#include "overtake/report.hpp"
#include "search/result/result_view.hpp"

namespace overtake {

namespace {

constexpr int score_digits = 4;

/// Columns in the order of their worth: what does not fit goes from the back.
report::Table table_of(const SearchResult& result, const std::vector<std::size_t>& shown) {
  const std::size_t refit = result.refit_metric;
  const std::vector<std::string> names = search_detail::varying_parameters(result);
  const bool failures =
      std::any_of(shown.begin(), shown.end(), [&](std::size_t c) { return !result.rows[c].failure.empty(); });
  report::Table table;
  table.columns.push_back({"rank"});
  table.columns.push_back({std::string(name_of(result.metrics[refit]))});
  table.columns.push_back({"std", report::Align::right, 1});
  for (std::size_t m = 0; m < result.metrics.size(); ++m) {
    if (m != refit) table.columns.push_back({std::string(name_of(result.metrics[m])), report::Align::right, 2});
  }
  for (const std::string& name : names) table.columns.push_back({name});
  table.columns.push_back({"fit time", report::Align::right, 3});
  if (failures) table.columns.push_back({"failure", report::Align::left});
  std::vector<std::vector<std::string>> values;  // [parameter][row shown]
  for (const std::string& name : names) {
    std::vector<const ParameterValue*> column;
    column.reserve(shown.size());
    for (const std::size_t c : shown) column.push_back(search_detail::value_of(result.rows[c], name));
    values.push_back(search_detail::value_texts(column));
  }
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const SearchRow& row = result.rows[shown[i]];
    std::vector<std::string> cells = {std::isnan(row.mean[refit]) ? "-" : fmt::format("{}", row.rank[refit]),
                                      report::significant(row.mean[refit], score_digits),
                                      report::significant(row.std[refit], 3)};
    for (std::size_t m = 0; m < result.metrics.size(); ++m) {
      if (m != refit) cells.push_back(report::significant(row.mean[m], score_digits));
    }
    for (const std::vector<std::string>& column : values) cells.push_back(column[i]);
    cells.push_back(report::seconds(row.mean_fit_seconds));
    if (failures) cells.push_back(row.failure);
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

std::string to_text(const SearchResult& result, int top, int width) {
  if (top < 0) throw UsageError(fmt::format("{} rows to show, expected 0 or more", top));
  if (result.rows.empty()) return "no candidates\n";
  std::vector<std::size_t> order = search_detail::rows_by_rank(result);
  const std::size_t done = order.size();
  order.resize(std::min(done, static_cast<std::size_t>(top)));
  std::string out = search_detail::headline(result) + "\n";
  const std::string positive = search_detail::positive_text(result);
  if (!positive.empty()) out += "positive class: " + positive + "\n";
  if (!order.empty()) out += report::table_text(table_of(result, order), width);
  if (order.size() < done)
    out += fmt::format("({} more)\n", report::count(static_cast<std::int64_t>(done - order.size())));
  for (const std::string& note : search_detail::notes(result)) out += "note: " + note + "\n";
  return out;
}

}  // namespace overtake
