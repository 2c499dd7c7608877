// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "overtake/report.hpp"
#include "report/page_text.hpp"

namespace overtake::embedded {
extern const std::string_view chart_js;
extern const std::string_view page_css;
extern const std::string_view page_html;
extern const std::string_view page_js;
extern const std::string_view plain_page_html;
}  // namespace overtake::embedded

namespace overtake::report {
namespace {

const char* unit_name(Unit unit) { return unit == Unit::seconds ? "seconds" : "plain"; }

Json chart_json(const Chart& chart) {
  Json series_list = Json::array();
  for (const Series& series : chart.series) {
    Json points = Json::array();
    for (std::size_t i = 0; i < series.x.size() && i < series.y.size(); ++i) {
      // A value that a logarithmic axis cannot show becomes a gap; its place keeps points and table rows in step.
      const bool shown = (series.y[i] > 0 || chart.is_linear) && std::isfinite(series.y[i]);
      Json point = Json::object();
      point.set("x", series.x[i]).set("y", shown ? Json(series.y[i]) : Json());
      if (shown && i < series.spread.size()) point.set("spread", series.spread[i]);
      points.push(std::move(point));
    }
    series_list.push(Json::object().set("name", series.name).set("points", std::move(points)));
  }
  Json json = Json::object();
  json.set("title", chart.title).set("x_label", chart.x_label).set("y_label", chart.y_label);
  json.set("x_unit", unit_name(chart.x_unit)).set("y_unit", unit_name(chart.y_unit));
  json.set("linear", chart.is_linear);
  json.set("mark_x", chart.mark_x ? Json(*chart.mark_x) : Json()).set("mark_label", chart.mark_label);
  return json.set("series", std::move(series_list));
}

std::string table_html(const Table& table, bool has_points) {
  std::string out = has_points ? "<table data-points>\n" : "<table>\n";
  if (!table.caption.empty()) out += fmt::format("<caption>{}</caption>\n", escaped(table.caption));
  const auto style = [&](std::size_t column) {
    return table.columns[column].align == Align::left ? " class=\"left\"" : "";
  };
  out += "<thead><tr>";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    out += fmt::format("<th scope=\"col\"{}>{}</th>", style(i), escaped(table.columns[i].title));
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const std::string_view cell = i < row.size() ? std::string_view(row[i]) : std::string_view();
      const bool sentence = cell.size() > 40 && table.columns[i].align == Align::left;
      out += fmt::format("<td{}>{}</td>", sentence ? " class=\"left sentence\"" : style(i), escaped(cell));
    }
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>";
}

std::string facts_html(const std::vector<FactGroup>& groups) {
  std::string out;
  for (const FactGroup& group : groups) {
    out += fmt::format("<div class=\"card\"><h2>{}</h2>\n<dl>\n", escaped(group.title));
    for (const Fact& fact : group.facts) {
      out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(fact.name), escaped(fact.value));
    }
    out += "</dl></div>\n";
  }
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t three = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      three = three << 8U | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += at + i > bytes.size() ? '=' : digits[three >> (18 - 6 * i) & 63U];
    }
  }
  return out;
}

std::string pictures_html(const HtmlPage& page) {
  if (page.pictures.empty()) return {};
  std::string out =
      fmt::format("<section class=\"card wide\"><h2>{}</h2>\n<div class=\"pictures\">\n", escaped(page.pictures_title));
  for (const Picture& each : page.pictures) {
    out += fmt::format(
        "<figure{}><img src=\"data:image/png;base64,{}\" "
        "alt=\"{}\"><figcaption><b>{}</b><br>{}</figcaption></figure>\n",
        each.is_marked ? " class=\"marked\"" : "", base64(each.png), escaped(each.title), escaped(each.title),
        escaped(each.note));
  }
  return out + "</div></section>\n";
}

std::string notes_html(const std::vector<std::string>& notes) {
  if (notes.empty()) return {};
  std::string out = "<ul class=\"notes\">\n";
  for (const std::string& note : notes) out += fmt::format("<li>{}</li>\n", escaped(note));
  return out + "</ul>";
}

}  // namespace

std::string html_page(const HtmlPage& page) {
  const bool has_charts = !page.charts.empty();
  Json charts = Json::array();
  for (const Chart& chart : page.charts) charts.push(chart_json(chart));
  std::string more_tables;
  for (std::size_t i = 1; i < page.tables.size(); ++i) {
    more_tables += "<section class=\"card wide\">" + table_html(page.tables[i], false) + "</section>\n";
  }
  more_tables += pictures_html(page);
  const bool is_linear = has_charts && page.charts.front().is_linear;
  const std::array<Replacement, 12> replacements = {{
      {"title", escaped(page.title)},
      {"headline", escaped(page.headline)},
      {"notes", notes_html(page.notes)},
      {"axes", is_linear ? "" : "Both axes are logarithmic. "},
      {"first_table", page.tables.empty() ? "" : table_html(page.tables.front(), has_charts)},
      {"more_tables", more_tables},
      {"facts", facts_html(page.facts)},
      {"footer", escaped(page.footer)},
      {"data", script_safe(charts.dump(-1))},
      {"chart_js", std::string(embedded::chart_js)},
      {"css", std::string(embedded::page_css)},
      {"js", std::string(embedded::page_js)},
  }};
  return filled(has_charts ? embedded::page_html : embedded::plain_page_html, replacements);
}

}  // namespace overtake::report
