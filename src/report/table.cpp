// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "overtake/report.hpp"
#include "overtake/text.hpp"
#include "report/display.hpp"

namespace overtake::report {
namespace {

constexpr std::size_t gap = 2;

/// Names from files come here: a line end in one would break the table.
std::string cell(const std::vector<std::string>& row, std::size_t column) {
  return column < row.size() ? text::printable_line(row[column]) : std::string();
}

std::string title(const Column& column) { return text::printable_line(column.title); }

std::vector<std::size_t> column_widths(const Table& table) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    std::size_t width = display_width(title(table.columns[i]));
    for (const auto& row : table.rows) width = std::max(width, display_width(cell(row, i)));
    widths.push_back(width);
  }
  return widths;
}

std::size_t total_width(const std::vector<std::size_t>& widths, const std::vector<std::size_t>& shown) {
  return std::accumulate(shown.begin(), shown.end(), gap * (shown.size() - 1),
                         [&](std::size_t sum, std::size_t i) { return sum + widths[i]; });
}

/// Leaves out optional columns, the least important first and of equals the rightmost, until the table fits.
std::vector<std::size_t> columns_that_fit(const Table& table, const std::vector<std::size_t>& widths, int width) {
  std::vector<std::size_t> shown(table.columns.size());
  std::iota(shown.begin(), shown.end(), 0);
  while (width > 0 && !shown.empty() && total_width(widths, shown) > static_cast<std::size_t>(width)) {
    const auto drop = std::max_element(shown.begin(), shown.end(), [&](std::size_t a, std::size_t b) {
      return table.columns[a].optional <= table.columns[b].optional;
    });
    if (table.columns[*drop].optional == 0) break;
    shown.erase(drop);
  }
  return shown;
}

std::string pad(const std::string& text, std::size_t width, Align align) {
  const std::string fill(width - std::min(width, display_width(text)), ' ');
  return align == Align::right ? fill + text : text + fill;
}

void trim_right(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string table_text(const Table& table, int width) {
  const auto widths = column_widths(table);
  const auto shown = columns_that_fit(table, widths, width);
  std::string out;
  if (!table.caption.empty()) out.append(table.caption).append("\n");
  const auto add_line = [&](const auto& text_of) {
    std::string line;
    for (const std::size_t i : shown) {
      line.append(i == shown.front() ? 0 : gap, ' ').append(pad(text_of(i), widths[i], table.columns[i].align));
    }
    trim_right(line);
    out.append(line).append("\n");
  };
  add_line([&](std::size_t i) { return title(table.columns[i]); });
  add_line([&](std::size_t i) { return std::string(widths[i], '-'); });
  for (const auto& row : table.rows) add_line([&](std::size_t i) { return cell(row, i); });
  if (shown.size() == table.columns.size()) return out;
  std::string hidden;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (std::find(shown.begin(), shown.end(), i) == shown.end()) {
      hidden.append(hidden.empty() ? "" : ", ").append(title(table.columns[i]));
    }
  }
  return out + fmt::format("(not shown at this width: {})\n", hidden);
}

}  // namespace overtake::report
