// SPDX-License-Identifier: MIT
// A log-log chart in characters. Lines are drawn on a grid of dots, 2 x 4 to a character (the braille patterns);
// without Unicode a character is one dot. Points get their series' marker on top.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "overtake/report.hpp"
#include "report/axis.hpp"
#include "report/display.hpp"

namespace overtake::report {
namespace {

constexpr std::array<const char*, 6> unicode_markers = {"\u25CF", "\u25B2", "\u25A0", "\u25C6", "\u25BC", "\u2726"};
constexpr std::array<const char*, 6> ascii_markers = {"o", "x", "#", "*", "+", "@"};
constexpr std::array<const char*, 6> colors = {"\x1b[36m", "\x1b[33m", "\x1b[35m", "\x1b[32m", "\x1b[34m", "\x1b[31m"};
constexpr const char* color_off = "\x1b[0m";

struct Glyphs {
  const char *vertical, *horizontal, *corner, *tick_left, *tick_below, *mark;
};
constexpr Glyphs unicode_glyphs = {"\u2502", "\u2500", "\u2514", "\u2524", "\u252C", "\u250A"};
constexpr Glyphs ascii_glyphs = {"|", "-", "+", "+", "+", ":"};

struct Cell {
  unsigned dots = 0;
  int series = -1;
  std::string text;  ///< a marker or a label; wins over dots
};

std::string utf8_braille(unsigned dots) {
  const unsigned code = 0x2800U + dots;
  return {static_cast<char>(0xE0U | (code >> 12U)), static_cast<char>(0x80U | ((code >> 6U) & 0x3FU)),
          static_cast<char>(0x80U | (code & 0x3FU))};
}

/// The plot area: characters, each with its dots.
class Canvas {
 public:
  Canvas(int columns, int rows, bool unicode)
      : columns_(columns), rows_(rows), unicode_(unicode), cells_(static_cast<std::size_t>(columns * rows)) {}

  [[nodiscard]] int dots_across() const { return columns_ * (unicode_ ? 2 : 1); }
  [[nodiscard]] int dots_down() const { return rows_ * (unicode_ ? 4 : 1); }
  [[nodiscard]] Cell& at(int column, int row) { return cells_[static_cast<std::size_t>(row * columns_ + column)]; }

  /// Row 0 is the top.
  void dot(int x, int y, int series) {
    if (x < 0 || y < 0 || x >= dots_across() || y >= dots_down()) return;
    static constexpr unsigned bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    Cell& cell = unicode_ ? at(x / 2, y / 4) : at(x, y);
    cell.dots |= unicode_ ? bits[y % 4][x % 2] : 1U;
    cell.series = series;
  }

  void line(double x0, double y0, double x1, double y1, int series) {
    const int steps = std::max(1, static_cast<int>(std::ceil(std::max(std::abs(x1 - x0), std::abs(y1 - y0)))));
    for (int i = 0; i <= steps; ++i) {
      const double t = static_cast<double>(i) / steps;
      dot(static_cast<int>(std::lround(x0 + t * (x1 - x0))), static_cast<int>(std::lround(y0 + t * (y1 - y0))), series);
    }
  }

  void marker(double x, double y, int series, const char* glyph) {
    const int column = static_cast<int>(std::lround(x)) / (unicode_ ? 2 : 1);
    const int row = static_cast<int>(std::lround(y)) / (unicode_ ? 4 : 1);
    if (column < 0 || row < 0 || column >= columns_ || row >= rows_) return;
    at(column, row).text = glyph;
    at(column, row).series = series;
  }

 private:
  int columns_, rows_;
  bool unicode_;
  std::vector<Cell> cells_;
};

bool drawable(double x, double y) { return std::isfinite(x) && std::isfinite(y) && x > 0 && y > 0; }

void draw_series(Canvas& canvas, const Series& series, int index, const Axis& x_axis, const Axis& y_axis,
                 bool unicode) {
  const double across = canvas.dots_across() - 1;
  const double down = canvas.dots_down() - 1;
  double last_x = 0, last_y = 0;
  bool connected = false;
  const std::size_t points = std::min(series.x.size(), series.y.size());
  for (std::size_t i = 0; i < points; ++i) {
    if (!drawable(series.x[i], series.y[i])) {
      connected = false;
      continue;
    }
    const double x = x_axis.fraction(series.x[i]) * across;
    const double y = (1 - y_axis.fraction(series.y[i])) * down;
    if (connected) canvas.line(last_x, last_y, x, y, index);
    canvas.marker(x, y, index,
                  unicode ? unicode_markers[static_cast<std::size_t>(index) % 6]
                          : ascii_markers[static_cast<std::size_t>(index) % 6]);
    last_x = x;
    last_y = y;
    connected = true;
  }
}

/// The vertical line stands only where nothing else does; its label goes beside it on the top line.
void draw_mark(Canvas& canvas, const Chart& chart, const Axis& x_axis, int columns, int rows, const Glyphs& glyphs) {
  if (!chart.mark_x || !(*chart.mark_x > 0)) return;
  const int column = static_cast<int>(std::lround(x_axis.fraction(*chart.mark_x) * (columns - 1)));
  if (column < 0 || column >= columns) return;
  for (int row = 0; row < rows; ++row) {
    Cell& cell = canvas.at(column, row);
    if (cell.text.empty() && cell.dots == 0) cell.text = glyphs.mark;
  }
  const int length = static_cast<int>(display_width(chart.mark_label));
  const int begin = column + 2 + length <= columns ? column + 2 : column - 1 - length;
  if (begin < 0) return;
  for (int i = 0; i < length; ++i) {
    canvas.at(begin + i, 0) = Cell{0, -1, std::string(1, chart.mark_label[static_cast<std::size_t>(i)])};
  }
}

std::string render_cell(const Cell& cell, const ChartStyle& style) {
  std::string glyph = cell.text;
  if (glyph.empty()) glyph = cell.dots == 0 ? " " : style.unicode ? utf8_braille(cell.dots) : ".";
  if (!style.color || cell.series < 0 || glyph == " ") return glyph;
  return colors[static_cast<std::size_t>(cell.series) % colors.size()] + glyph + color_off;
}

std::string legend(const Chart& chart, const ChartStyle& style) {
  std::string out;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Cell key{0, static_cast<int>(i), style.unicode ? unicode_markers[i % 6] : ascii_markers[i % 6]};
    out += (i == 0 ? "" : "   ") + render_cell(key, style) + " " + chart.series[i].name;
  }
  return out;
}

/// Tick labels under the axis, each centred on its tick and left out where it would touch the one before.
std::string x_labels(const Axis& axis, int columns) {
  std::string line;
  for (const Tick& tick : axis.ticks) {
    const int center = static_cast<int>(std::lround(axis.fraction(tick.value) * (columns - 1)));
    const int begin = std::max(0, center - static_cast<int>(tick.label.size()) / 2);
    if (!line.empty() && begin < static_cast<int>(line.size()) + 1) continue;
    line.resize(static_cast<std::size_t>(begin), ' ');
    line += tick.label;
  }
  return line;
}

}  // namespace

std::string chart_text(const Chart& chart, const ChartStyle& style) {
  const Axis x_axis = make_axis(chart, true);
  const Axis y_axis = make_axis(chart, false);
  if (x_axis.ticks.empty() || y_axis.ticks.empty()) return chart.title + "\n(nothing to draw)\n";
  std::size_t margin = 0;
  for (const Tick& tick : y_axis.ticks) margin = std::max(margin, tick.label.size());
  const int columns = std::max(20, std::max(style.width, 40) - static_cast<int>(margin) - 4);
  const int rows = std::max(4, std::max(style.height, 10) - 6);
  const Glyphs& glyphs = style.unicode ? unicode_glyphs : ascii_glyphs;

  Canvas canvas(columns, rows, style.unicode);
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    draw_series(canvas, chart.series[i], static_cast<int>(i), x_axis, y_axis, style.unicode);
  }
  draw_mark(canvas, chart, x_axis, columns, rows, glyphs);

  std::vector<std::string> row_labels(static_cast<std::size_t>(rows));
  for (const Tick& tick : y_axis.ticks) {
    row_labels[static_cast<std::size_t>(std::lround((1 - y_axis.fraction(tick.value)) * (rows - 1)))] = tick.label;
  }
  std::string base;
  std::vector<bool> ticked(static_cast<std::size_t>(columns));
  for (const Tick& tick : x_axis.ticks) {
    ticked[static_cast<std::size_t>(std::lround(x_axis.fraction(tick.value) * (columns - 1)))] = true;
  }
  for (const bool tick : ticked) base += tick ? glyphs.tick_below : glyphs.horizontal;

  std::string out = chart.title.empty() ? "" : chart.title + "\n";
  out += fmt::format("{}   ({})\n", legend(chart, style), chart.y_label);
  for (int row = 0; row < rows; ++row) {
    const std::string& label = row_labels[static_cast<std::size_t>(row)];
    std::string line = fmt::format("{:>{}} {}", label, margin, label.empty() ? glyphs.vertical : glyphs.tick_left);
    for (int column = 0; column < columns; ++column) line += render_cell(canvas.at(column, row), style);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  const std::string indent(margin + 1, ' ');
  out += indent + glyphs.corner + base + "\n";
  out += indent + " " + x_labels(x_axis, columns) + "\n";
  const int label_begin = std::max(0, (columns - static_cast<int>(display_width(chart.x_label))) / 2);
  return out + indent + std::string(static_cast<std::size_t>(label_begin) + 1, ' ') + chart.x_label + "\n";
}

}  // namespace overtake::report
