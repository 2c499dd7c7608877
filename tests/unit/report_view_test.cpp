// SPDX-License-Identifier: MIT
// Tables, terminal charts and HTML pages.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "overtake/report.hpp"
#include "report/display.hpp"

namespace overtake::report {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Table sample_table() {
  Table table;
  table.columns = {{"name", Align::left}, {"size"}, {"more", Align::right, 1}, {"least", Align::right, 2}};
  table.rows = {{"a", "1", "x", "y"}, {"long name", "12,345"}};
  return table;
}

TEST(ReportTable, LinesUpLeftAndRight) {
  EXPECT_EQ(table_text(sample_table()),
            "name         size  more  least\n"
            "---------  ------  ----  -----\n"
            "a               1     x      y\n"
            "long name  12,345\n");
}

TEST(ReportTable, DropsTheLeastImportantColumnsFirstAndSaysSo) {
  const auto narrow = lines_of(table_text(sample_table(), 25));
  ASSERT_EQ(narrow.size(), 5U);
  EXPECT_EQ(narrow[0], "name         size  more");
  EXPECT_EQ(narrow[4], "(not shown at this width: least)");
  const auto tiny = lines_of(table_text(sample_table(), 5));
  EXPECT_EQ(tiny[0], "name         size") << "columns that are not optional stay at any width";
}

TEST(ReportTable, CountsCodePoints) {
  EXPECT_EQ(display_width("\u25CF ab"), 4U);
  Table table;
  table.columns = {{"t", Align::left}, {"n"}};
  table.rows = {{"\u00e9\u00e9", "1"}, {"abc", "2"}};
  const auto lines = lines_of(table_text(table));
  EXPECT_EQ(lines[2], "\u00e9\u00e9   1");
  EXPECT_EQ(lines[3], "abc  2");
}

Chart sample_chart() {
  Chart chart;
  chart.title = "Times";
  chart.x_label = "parameters";
  chart.y_label = "time";
  chart.y_unit = Unit::seconds;
  chart.series = {{"cpu", {10, 100, 1000, 10000}, {1e-6, 1e-5, 1e-4, 1e-3}, {}},
                  {"gpu", {10, 100, 1000, 10000}, {1e-4, 1e-4, 1e-4, 1e-4}, {}}};
  return chart;
}

/// Row (counted from the plot's top) and column of every occurrence of a marker in an ASCII chart.
std::vector<std::pair<int, int>> positions(const std::string& text, char marker) {
  std::vector<std::pair<int, int>> found;
  const auto lines = lines_of(text);
  for (std::size_t row = 2; row < lines.size(); ++row) {
    const std::size_t frame = lines[row].find_first_of("|+");
    if (frame == std::string::npos || lines[row][frame + 1] == '-') {
      break;
    }
    for (std::size_t column = frame + 1; column < lines[row].size(); ++column) {
      if (lines[row][column] == marker) {
        found.emplace_back(static_cast<int>(row) - 2, static_cast<int>(column));
      }
    }
  }
  return found;
}

TEST(ReportChart, PowersLieOnStraightLines) {
  const std::string text = chart_text(sample_chart(), {80, 22, false, false});
  auto cpu = positions(text, 'o');
  const auto gpu = positions(text, 'x');
  // The third point of cpu lies under gpu's.
  ASSERT_EQ(cpu.size(), 3U) << text;
  ASSERT_EQ(gpu.size(), 4U) << text;
  EXPECT_TRUE(std::all_of(gpu.begin(), gpu.end(), [&](const auto& p) { return p.first == gpu[0].first; })) << text;
  const int step = gpu[1].second - gpu[0].second;
  EXPECT_NEAR(gpu[2].second - gpu[1].second, step, 1) << text;
  EXPECT_NEAR(gpu[3].second - gpu[2].second, step, 1) << text;
  std::sort(cpu.begin(), cpu.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  EXPECT_GT(cpu[0].first, cpu[1].first) << "a larger time stands higher\n" << text;
  EXPECT_NEAR(cpu[0].first - cpu[1].first, (cpu[1].first - cpu[2].first) / 2, 1) << text;
}

TEST(ReportChart, NamesAxesSeriesAndCrossover) {
  Chart chart = sample_chart();
  chart.mark_x = 1000;
  chart.mark_label = "crossover: 1,000";
  const std::string text = chart_text(chart, {80, 22, false, false});
  for (const char* part :
       {"Times", "o cpu", "x gpu", "(time)", "parameters", "1k", "100 us", "crossover: 1,000", ":"}) {
    EXPECT_TRUE(contains(text, part)) << part << "\n" << text;
  }
}

TEST(ReportChart, StaysInsideItsWidth) {
  for (const bool unicode : {false, true}) {
    for (const int width : {40, 80, 133}) {
      for (const std::string& line : lines_of(chart_text(sample_chart(), {width, 22, unicode, false}))) {
        EXPECT_LE(display_width(line), static_cast<std::size_t>(width)) << line;
      }
    }
  }
}

TEST(ReportChart, AsciiIsAscii) {
  const std::string text = chart_text(sample_chart(), {80, 22, false, false});
  EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; }));
  EXPECT_TRUE(contains(chart_text(sample_chart(), {80, 22, true, false}), "\u25CF"));
}

TEST(ReportChart, LeavesOutPointsThatHaveNoLogarithm) {
  Chart chart = sample_chart();
  chart.series[0].y = {0, -1, std::numeric_limits<double>::quiet_NaN(), 1e-3};
  EXPECT_EQ(positions(chart_text(chart, {80, 22, false, false}), 'o').size(), 1U);
  chart.series.clear();
  EXPECT_TRUE(contains(chart_text(chart), "nothing to draw"));
}

HtmlPage sample_page() {
  HtmlPage page;
  page.title = "A <title>";
  page.headline = "The \"result\" & more";
  page.notes = {"a note"};
  page.charts = {sample_chart()};
  page.tables = {sample_table(), sample_table()};
  page.facts = {{"Machine", {{"CPU", "</script><script>alert(1)</script>"}}}};
  return page;
}

TEST(ReportHtml, EscapesText) {
  HtmlPage page = sample_page();
  page.charts[0].series[0].name = "</script><b>";
  const std::string html = html_page(page);
  EXPECT_TRUE(contains(html, "<title>A &lt;title&gt;</title>"));
  EXPECT_TRUE(contains(html, "The &quot;result&quot; &amp; more"));
  EXPECT_FALSE(contains(html, "<script>alert(1)"));
  EXPECT_FALSE(contains(html, "</script><b>"));
  EXPECT_TRUE(contains(html, "\\u003c/script>\\u003cb>"));
}

TEST(ReportHtml, HoldsEverythingAndLoadsNothing) {
  const std::string html = html_page(sample_page());
  EXPECT_TRUE(contains(html, "Chart.js v3"));
  EXPECT_TRUE(contains(html, "<td>12,345</td>"));
  EXPECT_FALSE(contains(html, "{{")) << "every field of the template is filled";
  for (const char* loader : {"<link", "src=", "@import", "fetch(", "XMLHttpRequest"}) {
    EXPECT_FALSE(contains(html, loader)) << loader;
  }
}

TEST(ReportHtml, InsertedTextIsNotATemplate) {
  HtmlPage page = sample_page();
  page.headline = "{{data}}";
  EXPECT_TRUE(contains(html_page(page), "<p class=\"headline\">{{data}}</p>"));
}

TEST(ReportHtml, KeepsPointsAndRowsInStep) {
  HtmlPage page = sample_page();
  page.charts[0].series[0].y[1] = 0;
  const std::string html = html_page(page);
  EXPECT_TRUE(contains(html, R"({"x":100.0,"y":null})"));
}

}  // namespace
}  // namespace overtake::report
