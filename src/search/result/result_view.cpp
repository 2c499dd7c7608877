// SPDX-License-Identifier: MIT
#include "search/result/result_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "overtake/report.hpp"

namespace overtake::search_detail {

std::vector<std::size_t> rows_by_rank(const SearchResult& result) {
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < result.rows.size(); ++c) {
    if (result.rows[c].done) order.push_back(c);
  }
  const std::size_t m = result.refit_metric;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const SearchRow& left = result.rows[a];
    const SearchRow& right = result.rows[b];
    const bool left_failed = std::isnan(left.mean[m]);
    const bool right_failed = std::isnan(right.mean[m]);
    return left_failed != right_failed ? right_failed : left.rank[m] < right.rank[m];
  });
  return order;
}

const ParameterValue* value_of(const SearchRow& row, const std::string& name) {
  for (const auto& [key, value] : row.parameters) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::vector<std::string> varying_parameters(const SearchResult& result) {
  std::vector<std::string> names;
  for (const std::string& name : result.parameter_names) {
    const ParameterValue* first = value_of(result.rows.front(), name);
    const bool varies = std::any_of(result.rows.begin(), result.rows.end(), [&](const SearchRow& row) {
      const ParameterValue* value = value_of(row, name);
      return (value == nullptr) != (first == nullptr) || (value != nullptr && *value != *first);
    });
    if (varies) names.push_back(name);
  }
  return names.empty() ? result.parameter_names : names;
}

namespace {

/// A number with `digits` digits, or with all where fewer would make it whole.
std::string rounded(double number, int digits) {
  const std::string full = to_text(number);
  std::string text = fmt::format("{:.{}g}", number, digits);
  const bool whole = text.find_first_of(".e") == std::string::npos;
  return whole || text.size() >= full.size() ? full : text;
}

}  // namespace

std::vector<std::string> value_texts(const std::vector<const ParameterValue*>& values) {
  constexpr int fewest = 6;
  constexpr int all = 17;
  std::set<double> numbers;
  for (const ParameterValue* value : values) {
    if (value != nullptr && std::holds_alternative<double>(*value)) numbers.insert(std::get<double>(*value));
  }
  const auto apart = [&](int digits) {
    std::set<std::string> texts;
    for (const double number : numbers) texts.insert(rounded(number, digits));
    return texts.size() == numbers.size();
  };
  int digits = fewest;
  while (digits < all && !apart(digits)) ++digits;
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const ParameterValue* value : values) {
    const double* number = value != nullptr ? std::get_if<double>(value) : nullptr;
    texts.push_back(number != nullptr ? rounded(*number, digits) : value != nullptr ? to_text(*value) : "");
  }
  return texts;
}

std::string parameters_text(const Parameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, to_text(value));
  }
  return text;
}

std::string positive_text(const SearchResult& result) {
  std::string text;
  for (std::size_t m = 0; m < result.positive_classes.size(); ++m) {
    if (result.positive_classes[m].empty()) continue;
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", name_of(result.metrics[m]), result.positive_classes[m]);
  }
  return text;
}

std::string headline(const SearchResult& result) {
  const std::size_t candidates = result.rows.size();
  if (result.best_index < 0) {
    const bool running =
        std::any_of(result.rows.begin(), result.rows.end(), [](const SearchRow& row) { return !row.done; });
    return fmt::format("None of {} candidate{} has a score{}", candidates, candidates == 1 ? "" : "s",
                       running ? " yet" : "");
  }
  const SearchRow& best = result.rows[static_cast<std::size_t>(result.best_index)];
  const std::string parameters = parameters_text(best.parameters);
  return fmt::format("Best of {} candidate{}: {} {} (std {}){}", report::count(static_cast<std::int64_t>(candidates)),
                     candidates == 1 ? "" : "s", name_of(result.metrics[result.refit_metric]),
                     report::significant(best.mean[result.refit_metric], 4),
                     report::significant(best.std[result.refit_metric], 3),
                     parameters.empty() ? "" : " with " + parameters);
}

std::vector<std::string> notes(const SearchResult& result) {
  std::vector<std::string> notes;
  if (result.best_ties > 1) {
    notes.push_back(
        fmt::format("{} candidates tie for the best; the one above is the first of them", result.best_ties));
  }
  const auto done =
      std::count_if(result.rows.begin(), result.rows.end(), [](const SearchRow& row) { return row.done; });
  if (done < static_cast<std::ptrdiff_t>(result.rows.size())) {
    notes.push_back(fmt::format("{} of {} candidates are done; ranks are among these", done, result.rows.size()));
  }
  const auto failed =
      std::find_if(result.rows.begin(), result.rows.end(), [](const SearchRow& row) { return !row.failure.empty(); });
  if (failed != result.rows.end()) {
    const auto count =
        std::count_if(failed, result.rows.end(), [](const SearchRow& row) { return !row.failure.empty(); });
    notes.push_back(fmt::format("{} candidate{} failed; the first: {}", count, count == 1 ? "" : "s", failed->failure));
  }
  notes.insert(notes.end(), result.warnings.begin(), result.warnings.end());
  return notes;
}

}  // namespace overtake::search_detail
