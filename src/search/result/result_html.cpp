// SPDX-License-Identifier: MIT
// The result as one page that needs no network: compact columns of JSON, which a script draws.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

#include "overtake/report.hpp"
#include "overtake/search.hpp"
#include "overtake/version.hpp"
#include "report/page_text.hpp"
#include "search/result/result_view.hpp"

namespace overtake::embedded {
extern const std::string_view page_css;
extern const std::string_view search_html;
extern const std::string_view search_css;
extern const std::string_view search_js;
extern const std::string_view search_charts_js;
}  // namespace overtake::embedded

namespace overtake {

namespace {

/// More distinct numbers than this are an axis of numbers, fewer are words in the order of their values.
constexpr std::size_t most_words = 16;
/// Scores of single folds are drawn for the best rows only, and need not be in the page for the others.
constexpr std::size_t most_fold_rows = 100;

std::string json_text(std::string_view text) { return report::Json(text).dump(-1); }

/// Six digits are more than a pixel or a table shows.
std::string number_json(double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : "null"; }

template <typename Range, typename Text>
std::string list_json(const Range& range, Text text) {
  std::string out = "[";
  for (const auto& item : range) {
    if (out.size() > 1) out += ',';
    out += text(item);
  }
  return out + "]";
}

template <typename Value>
std::string column_json(const SearchResult& result, Value value) {
  return list_json(result.rows, [&](const SearchRow& row) { return number_json(value(row)); });
}

bool is_none(const ParameterValue* value) { return value == nullptr || std::holds_alternative<std::monostate>(*value); }

std::optional<double> number_of(const ParameterValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return std::nullopt;
}

/// Numbers first, ascending, then words; "none", which mostly means no limit, at the end.
bool comes_before(const ParameterValue& a, const ParameterValue& b) {
  const auto place = [](const ParameterValue& value) { return is_none(&value) ? 2 : number_of(value) ? 0 : 1; };
  if (place(a) != place(b)) return place(a) < place(b);
  const auto left = number_of(a);
  const auto right = number_of(b);
  if (left && right && *left != *right) return *left < *right;
  return to_text(a) < to_text(b);
}

std::vector<std::string> texts_of(const std::vector<ParameterValue>& values) {
  std::vector<const ParameterValue*> pointers;
  pointers.reserve(values.size());
  for (const ParameterValue& value : values) pointers.push_back(&value);
  return search_detail::value_texts(pointers);
}

/// {"name":..,"words":[..]|null,"real":false,"none":"none"|null,"data":[..]}; real: numbers with a point.
std::string parameter_json(const SearchResult& result, const std::string& name) {
  std::vector<ParameterValue> distinct;
  bool words = false;  // something is neither a number nor none
  bool unset = false;
  bool whole = false;
  bool real = false;
  for (const SearchRow& row : result.rows) {
    const ParameterValue* value = search_detail::value_of(row, name);
    unset = unset || value == nullptr;
    if (value == nullptr) continue;
    whole = whole || std::holds_alternative<std::int64_t>(*value);
    real = real || std::holds_alternative<double>(*value);
    words = words || (!is_none(value) && !number_of(*value).has_value());
    distinct.push_back(*value);
  }
  std::sort(distinct.begin(), distinct.end(), comes_before);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  const bool none = unset || (!distinct.empty() && is_none(&distinct.back()));
  // Counts beside shares are no axis: 1 and 1.0 would be one point of it.
  words = words || (whole && real) || distinct.size() <= most_words;
  std::string out = "{\"name\":" + json_text(name);
  out += ",\"words\":" +
         (words ? list_json(texts_of(distinct), [](const std::string& text) { return json_text(text); }) : "null");
  out += std::string(",\"real\":") + (real ? "true" : "false");
  out += ",\"none\":" + (none && !words ? json_text("none") : std::string("null"));
  out += ",\"data\":" + list_json(result.rows, [&](const SearchRow& row) -> std::string {
           const ParameterValue* value = search_detail::value_of(row, name);
           if (value == nullptr) return "null";
           if (!words) return is_none(value) ? "null" : fmt::format("{}", *number_of(*value));
           const auto found = std::lower_bound(distinct.begin(), distinct.end(), *value, comes_before);
           return fmt::format("{}", found - distinct.begin());
         });
  return out + "}";
}

std::string folds_json(const SearchResult& result) {
  std::vector<std::size_t> rows = search_detail::rows_by_rank(result);
  rows.resize(std::min(rows.size(), most_fold_rows));
  const auto scores = [&](std::size_t c) {
    return list_json(result.rows[c].scores[result.refit_metric], [](double value) { return number_json(value); });
  };
  return fmt::format("{{\"rows\":{},\"scores\":{}}}",
                     list_json(rows, [](std::size_t c) { return fmt::format("{}", c); }), list_json(rows, scores));
}

/// Each text once: a wrong value fails a whole slice of a grid with the same words.
std::string failures_json(const SearchResult& result) {
  std::map<std::string, std::size_t> number;
  std::vector<std::string> texts;
  std::string of_row;
  for (std::size_t c = 0; c < result.rows.size(); ++c) {
    if (result.rows[c].failure.empty()) continue;
    const auto [entry, is_new] = number.try_emplace(result.rows[c].failure, texts.size());
    if (is_new) texts.push_back(result.rows[c].failure);
    of_row += fmt::format("{}\"{}\":{}", of_row.empty() ? "" : ",", c, entry->second);
  }
  return "\"failures\":{" + of_row + "},\"failure_texts\":" + list_json(texts, json_text);
}

std::string times_json(const SearchTiming& t) {
  const double other = std::max(0.0, t.wall - t.startup - t.upload - t.compute - t.scoring - t.refit);
  const std::array<std::pair<const char*, double>, 6> times = {{{"start of the device", t.startup},
                                                                {"upload", t.upload},
                                                                {"training", t.compute},
                                                                {"scoring", t.scoring},
                                                                {"refit of the best", t.refit},
                                                                {"all else", other}}};
  return list_json(times,
                   [](const auto& time) { return "[" + json_text(time.first) + "," + number_json(time.second) + "]"; });
}

std::string data_json(const SearchResult& result) {
  const std::size_t refit = result.refit_metric;
  std::string others;
  for (std::size_t m = 0; m < result.metrics.size(); ++m) {
    if (m == refit) continue;
    others +=
        fmt::format("{}{{\"name\":{},\"data\":{}}}", others.empty() ? "" : ",", json_text(name_of(result.metrics[m])),
                    column_json(result, [&](const SearchRow& row) { return row.mean[m]; }));
  }
  std::string out = "{\"metric\":" + json_text(name_of(result.metrics[refit]));
  out += fmt::format(",\"best\":{}", result.best_index);
  out += ",\"score\":" + column_json(result, [&](const SearchRow& row) { return row.mean[refit]; });
  out += ",\"std\":" + column_json(result, [&](const SearchRow& row) { return row.std[refit]; });
  out += ",\"rank\":" + list_json(result.rows, [&](const SearchRow& row) -> std::string {
           return row.done && !std::isnan(row.mean[refit]) ? fmt::format("{}", row.rank[refit]) : "null";
         });
  out += ",\"fit\":" + column_json(result, [](const SearchRow& row) { return row.mean_fit_seconds; });
  out += ",\"others\":[" + others + "]";
  out += ",\"parameters\":" + list_json(search_detail::varying_parameters(result),
                                        [&](const std::string& name) { return parameter_json(result, name); });
  out += ",\"folds\":" + folds_json(result);
  out += "," + failures_json(result);
  return out + ",\"times\":" + times_json(result.timing) + "}";
}

/// What the scripts read when there is nothing to show.
constexpr std::string_view no_data =
    R"({"metric":"score","best":-1,"score":[],"std":[],"rank":[],"fit":[],"others":[],"parameters":[],)"
    R"("folds":{"rows":[],"scores":[]},"failures":{},"failure_texts":[],"times":[]})";

std::string facts_html(const SearchResult& result) {
  const SearchPlan& plan = result.plan;
  std::string metrics;
  for (const Metric metric : result.metrics) metrics += (metrics.empty() ? "" : ", ") + std::string(name_of(metric));
  std::vector<report::Fact> facts = {{"estimator", result.estimator},
                                     {"device", result.device},
                                     {"why this device", result.device_reason},
                                     {"metrics", metrics},
                                     {"positive class", search_detail::positive_text(result)},
                                     {"candidates", report::count(plan.candidates)},
                                     {"folds", report::count(plan.folds)},
                                     {"jobs", report::count(plan.jobs)},
                                     {"from the journal", report::count(result.resumed_jobs)},
                                     {"models trained", report::count(plan.models)},
                                     {"batches", report::count(plan.batches)},
                                     {"device launches", report::count(plan.launches)},
                                     {"device memory", report::bytes(plan.peak_bytes)},
                                     {"time in all", report::seconds(result.timing.wall)}};
  std::string out;
  for (const report::Fact& fact : facts) {
    if (fact.value.empty() || fact.value == "0") continue;
    out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", report::escaped(fact.name), report::escaped(fact.value));
  }
  return out;
}

/// What was made of the columns; nothing where that is not known (a journal alone).
std::string columns_html(const TableDescription* data) {
  if (data == nullptr) return {};
  std::string out =
      fmt::format("<section class=\"card\">\n<h2>The data</h2>\n<p class=\"hint\">{}: {} rows; {}</p>\n",
                  report::escaped(data->source), report::count(data->rows), report::escaped(summary_of(*data)));
  out +=
      "<div "
      "class=\"scroll\"><table>\n<thead><tr><th>column</th><th>kind</th><th>missing</th><th>distinct</th><th>lowest</"
      "th>"
      "<th>highest</th><th>notes</th></tr></thead>\n<tbody>\n";
  for (const ColumnDescription& column : data->columns) {
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                       report::escaped(column.name), column.kind, report::count(column.missing),
                       report::count(column.distinct), report::escaped(column.lowest), report::escaped(column.highest),
                       report::escaped(fmt::format("{} {}", fmt::join(column.notes, "; "), column.float32_note)));
  }
  return out + "</tbody></table></div>\n</section>";
}

std::string notes_html(const SearchResult& result) {
  const std::vector<std::string> notes = search_detail::notes(result);
  if (notes.empty()) return {};
  std::string out = "<ul class=\"notes\">\n";
  for (const std::string& note : notes) out += fmt::format("<li>{}</li>\n", report::escaped(note));
  return out + "</ul>";
}

}  // namespace

std::string to_html(const SearchResult& result, std::string_view title, const TableDescription* data) {
  const bool empty = result.rows.empty() || result.metrics.empty();
  const std::array<report::Replacement, 12> replacements = {{
      {"title", report::escaped(title)},
      {"headline", empty ? "No candidates" : report::escaped(search_detail::headline(result))},
      {"notes", notes_html(result)},
      {"metric", empty ? "score" : report::escaped(name_of(result.metrics[result.refit_metric]))},
      {"facts", facts_html(result)},
      {"columns", columns_html(data)},
      {"footer", report::escaped(fmt::format("Overtake {}", version()))},
      {"data", empty ? std::string(no_data) : report::script_safe(data_json(result))},
      {"page_css", std::string(embedded::page_css)},
      {"css", std::string(embedded::search_css)},
      {"js", std::string(embedded::search_js)},
      {"charts_js", std::string(embedded::search_charts_js)},
  }};
  return report::filled(embedded::search_html, replacements);
}

}  // namespace overtake
