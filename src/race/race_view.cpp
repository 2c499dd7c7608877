// SPDX-License-Identifier: MIT
// A race's result as table, chart and HTML page.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "overtake/race.hpp"

namespace overtake {
namespace {

using report::Align;

double step_seconds(const RaceCell& cell) {
  return cell.failure.empty() ? cell.step_us * 1e-6 : std::numeric_limits<double>::quiet_NaN();
}

/// CPU time over the fastest other device's.
double ratio(const RaceResult& result, const RaceRow& row) {
  double cpu = std::numeric_limits<double>::quiet_NaN();
  double other = cpu;
  for (std::size_t i = 0; i < row.results.size(); ++i) {
    const double seconds = step_seconds(row.results[i]);
    if (result.devices[i].kind == DeviceKind::cpu) {
      cpu = seconds;
    } else if (!std::isnan(seconds) && (std::isnan(other) || seconds < other)) {
      other = seconds;
    }
  }
  return cpu / other;
}

std::string difference_text(double value) {
  return std::isnan(value) ? "-" : value == 0 ? "0" : fmt::format("{:.1e}", value);
}

std::string list_text(const std::vector<int>& layers) {
  std::string out;
  for (std::size_t i = 0; i < layers.size();) {
    std::size_t end = i;
    while (end + 1 < layers.size() && layers[end + 1] == layers[end] + 1) {
      ++end;
    }
    const bool range = end > i + 1;
    out += (out.empty() ? "" : ", ") +
           (range ? fmt::format("{} to {}", layers[i], layers[end]) : fmt::format("{}", layers[i]));
    i = range ? end + 1 : i + 1;
  }
  return out;
}

report::Chart chart_of(const RaceResult& result, bool whole_run) {
  report::Chart chart;
  chart.title = whole_run ? "Whole training" : "Time per step";
  chart.x_label = "parameters";
  chart.y_label = whole_run ? fmt::format("time of {} epochs", result.options.epochs) : "time per training step";
  chart.y_unit = report::Unit::seconds;
  for (std::size_t i = 0; i < result.devices.size(); ++i) {
    report::Series series;
    series.name = result.devices[i].id;
    for (const RaceRow& row : result.rows) {
      const RaceCell& cell = row.results[i];
      const double scale = whole_run && cell.step_us > 0 ? cell.seconds / (cell.step_us * 1e-6) : 1;
      series.x.push_back(static_cast<double>(row.parameters));
      series.y.push_back(step_seconds(cell) * scale);
      series.spread.push_back(cell.spread * 1e-6 * scale);
    }
    chart.series.push_back(std::move(series));
  }
  chart.mark_x = result.crossover.parameters;
  if (chart.mark_x) {
    chart.mark_label = fmt::format("crossover: {} parameters", report::significant(*chart.mark_x));
  }
  return chart;
}

/// What each device holds besides its time: everything that RaceCell has.
report::Table details_table(const RaceResult& result) {
  report::Table table;
  table.caption = "All measurements";
  table.columns = {{"layers"},
                   {"device", Align::left},
                   {"step"},
                   {"spread"},
                   {"training"},
                   {"compile"},
                   {"transfer"},
                   {"threads"},
                   {"engine", Align::left},
                   {"steps"},
                   {"repeats"},
                   {"loss"},
                   {"train error"},
                   {"note", Align::left}};
  for (const RaceRow& row : result.rows) {
    for (const RaceCell& cell : row.results) {
      std::vector<std::string> cells = {fmt::format("{}", row.layers), cell.device};
      if (!cell.failure.empty()) {
        cells.resize(table.columns.size() - 1);
        cells.push_back(cell.failure);
      } else {
        cells.insert(
            cells.end(),
            {report::seconds(cell.step_us * 1e-6), report::seconds(cell.spread * 1e-6), report::seconds(cell.seconds),
             report::seconds(cell.compile_seconds), report::seconds(cell.transfer_seconds),
             cell.threads > 0 ? fmt::format("{}", cell.threads) : "", cell.engine, report::count(cell.steps),
             fmt::format("{}", cell.repeats), report::significant(cell.final_loss, 6),
             report::significant(cell.train_error), cell.cut ? "cut, training time scaled up" : ""});
      }
      table.rows.push_back(std::move(cells));
    }
  }
  return table;
}

/// For the place beside the chart, which is narrow.
report::Table without(const report::Table& table, const std::vector<std::string>& titles) {
  report::Table kept;
  kept.caption = table.caption;
  kept.rows.resize(table.rows.size());
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (std::find(titles.begin(), titles.end(), table.columns[i].title) != titles.end()) {
      continue;
    }
    kept.columns.push_back(table.columns[i]);
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      kept.rows[row].push_back(table.rows[row][i]);
    }
  }
  return kept;
}

std::vector<report::FactGroup> all_facts(const RaceResult& result) {
  const RaceOptions& o = result.options;
  std::vector<report::FactGroup> groups = {
      report::machine_facts(result.machine),
      {"Settings",
       {{"network", "linear layers of widths 4, 8, 16, ..., ReLU, two outputs"},
        {"layers", list_text(o.layers)},
        {"data", fmt::format("disc, {} points, seed {}", report::count(o.samples), o.seed)},
        {"training",
         fmt::format("cross entropy, SGD {}, batch {}, {} epochs, float32", o.learning_rate, o.batch, o.epochs)},
        {"repeats", fmt::format("{}; median, and half the distance of fastest and slowest", o.repeat)},
        {"budget",
         o.budget_seconds > 0 ? fmt::format("{} s for each network on each device", o.budget_seconds) : "none"}}}};
  for (const DeviceInfo& info : result.devices) {
    groups.push_back(report::device_facts(info));
  }
  return groups;
}

}  // namespace

report::Table race_table(const RaceResult& result) {
  report::Table table;
  table.caption = "Time per training step";
  table.columns = {{"layers"}, {"parameters"}};
  for (const DeviceInfo& info : result.devices) {
    table.columns.push_back({info.id});
  }
  const bool compares = result.devices.size() > 1;
  if (compares) {
    table.columns.push_back({"cpu/other"});
  }
  table.columns.push_back({"loss", Align::right, 1});
  table.columns.push_back({"train error", Align::right, 3});
  if (compares) {
    table.columns.push_back({"loss diff", Align::right, 2});
  }
  for (const RaceRow& row : result.rows) {
    std::vector<std::string> cells = {fmt::format("{}", row.layers), report::count(row.parameters)};
    for (const RaceCell& cell : row.results) {
      cells.push_back(!cell.failure.empty() ? "failed" : report::seconds(step_seconds(cell)) + (cell.cut ? "*" : ""));
    }
    if (compares) {
      cells.push_back(report::ratio(ratio(result, row)));
    }
    const RaceCell& first = row.results.front();
    cells.push_back(report::significant(first.final_loss, 4));
    cells.push_back(report::significant(first.train_error));
    if (compares) {
      cells.push_back(difference_text(row.max_loss_difference));
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

report::Chart race_chart(const RaceResult& result) { return chart_of(result, false); }

std::string race_html(const RaceResult& result) {
  report::HtmlPage page;
  page.title = "Overtake race";
  page.headline = result.crossover.statement;
  page.notes = result.notes;
  page.charts = {chart_of(result, false), chart_of(result, true)};
  page.tables = {without(race_table(result), {"loss", "train error"}), details_table(result)};
  page.facts = all_facts(result);
  page.footer = report::page_footer(result.machine);
  return report::html_page(page);
}

}  // namespace overtake
