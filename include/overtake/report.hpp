// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "overtake/device.hpp"

/// Turns results into something to look at: plain-text tables and charts, JSON, and one-file HTML pages. Pure functions
/// of their arguments; nothing here prints.
namespace overtake::report {

// -- numbers for people -----------------------------------------------------------------------------------------------
/// `digits` significant digits without an exponent where that reads well: 1234.5 -> "1,230", 0.012345 -> "0.0123".
/// "-" for NaN.
[[nodiscard]] std::string significant(double value, int digits = 3);
/// With thousands separators: 11201190 -> "11,201,190".
[[nodiscard]] std::string count(std::int64_t value);
/// A count and its word, with the ending of several where it is not 1: "1 row", "11,201 rows".
[[nodiscard]] std::string counted(std::int64_t value, std::string_view word, std::string_view ending = "s");
/// Three digits and the unit that fits: "12.3 us", "4.56 ms", "7.89 s", "2 min 03 s". "-" for NaN.
[[nodiscard]] std::string seconds(double value);
/// "139 GiB", "512 MiB".
[[nodiscard]] std::string bytes(std::uint64_t value);
/// "2.5x", "120x". "-" for NaN.
[[nodiscard]] std::string ratio(double value);

// -- tables -----------------------------------------------------------------------------------------------------------
enum class Align : std::uint8_t { left, right };

struct Column {
  std::string title;
  Align align = Align::right;
  /// 0: always shown. Where the width is short, columns with the highest number go first.
  int optional = 0;
};

/// Rows of finished cells. A row shorter than the columns is filled up with empty cells.
struct Table {
  std::string caption;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
};

/// Columns lined up by spaces, a rule under the header. Optional columns are left out, with a note that names them,
/// until the table fits `width` characters (0: no limit). Cells are counted in code points.
[[nodiscard]] std::string table_text(const Table& table, int width = 0);

// -- charts -----------------------------------------------------------------------------------------------------------
enum class Unit : std::uint8_t { plain, seconds };

struct Series {
  std::string name;
  std::vector<double> x, y;    ///< of one length; points that are not positive and finite are left out
  std::vector<double> spread;  ///< empty, or the half-height of each point's error bar
};

/// A chart with two logarithmic axes.
struct Chart {
  std::string title;
  std::string x_label, y_label;
  Unit x_unit = Unit::plain, y_unit = Unit::plain;
  std::vector<Series> series;
  std::optional<double> mark_x;  ///< a vertical line, here for the crossover
  std::string mark_label;
  bool is_linear = false;  ///< on HTML pages: linear axes, that of y from 0, on which 0 counts, too
};

/// How a terminal chart is drawn.
struct ChartStyle {
  int width = 80;       ///< columns in all, at least 40
  int height = 22;      ///< lines in all, at least 10
  bool unicode = true;  ///< braille dots and box lines; false: ASCII only
  bool color = false;   ///< ANSI colours, one for each series
};

/// Lines that end in '\n'. Every series has a marker of its own, so it reads without colour.
[[nodiscard]] std::string chart_text(const Chart& chart, const ChartStyle& style = {});

// -- JSON -------------------------------------------------------------------------------------------------------------
/// A JSON value to build and write. Keys keep their order. Numbers that are not finite are written as null, bytes that
/// are not UTF-8 as U+FFFD.
class Json {
 public:
  Json();                        ///< null
  Json(double value);            // NOLINT(google-explicit-constructor): values read as JSON
  Json(std::string_view value);  // NOLINT(google-explicit-constructor)
  Json(const std::string& value) : Json(std::string_view(value)) {}  // NOLINT(google-explicit-constructor)
  Json(const char* value) : Json(std::string_view(value)) {}         // NOLINT(google-explicit-constructor)
  template <std::integral T>
  Json(T value) : Json(Integer{static_cast<std::int64_t>(value), std::is_same_v<T, bool>}) {}  // NOLINT
  [[nodiscard]] static Json object();
  [[nodiscard]] static Json array();
  [[nodiscard]] static Json list(std::span<const std::string> texts);
  /// null for an empty text.
  [[nodiscard]] static Json text_or_null(std::string_view text);

  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(Json other) noexcept;
  ~Json();

  /// Adds or replaces a member of an object (null becomes an object). Throws InternalError on other kinds.
  Json& set(std::string_view key, Json value);
  /// Adds an element to an array (null becomes an array). Throws InternalError on other kinds.
  Json& push(Json value);
  /// The text; indent -1 puts it on one line.
  [[nodiscard]] std::string dump(int indent = 2) const;

 private:
  struct Integer {
    std::int64_t value;
    bool boolean;
  };
  explicit Json(Integer value);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// -- HTML -------------------------------------------------------------------------------------------------------------
struct Fact {
  std::string name, value;
};

struct FactGroup {
  std::string title;
  std::vector<Fact> facts;
};

/// An image with two lines below.
struct Picture {
  std::string png;  ///< the file's bytes
  std::string title, note;
  bool is_marked = false;  ///< stands out
};

struct HtmlPage {
  std::string title;
  std::string headline;            ///< the result in one sentence
  std::vector<std::string> notes;  ///< what the reader must know: cut cells, missing devices
  std::vector<Chart> charts;       ///< the first is shown; a button switches to each of the others
  std::vector<Table> tables;       ///< the first stands beside the chart, its row i belongs to point i of the series
  std::vector<FactGroup> facts;
  std::string pictures_title;
  std::vector<Picture> pictures;
  std::string footer;
};

/// A whole page in one file: style, script and chart library are inside, nothing is loaded from a network. All text is
/// escaped.
[[nodiscard]] std::string html_page(const HtmlPage& page);

// -- what computed ----------------------------------------------------------------------------------------------------
/// The computer a result belongs to.
struct Machine {
  std::string cpu;
  int cores = 0;  ///< logical processors this process may use
  std::uint64_t memory_bytes = 0;
  std::string os;
  std::string version;  ///< of Overtake
};
[[nodiscard]] Machine this_machine();
/// As pages show them.
[[nodiscard]] FactGroup machine_facts(const Machine& machine);
[[nodiscard]] FactGroup device_facts(const DeviceInfo& info);
/// What stands below a page with charts.
[[nodiscard]] std::string page_footer(const Machine& machine);

/// A machine, with the drivers of devices, and a device, as every JSON of Overtake shows them (docs/cli.md).
[[nodiscard]] Json machine_json(const Machine& machine, std::span<const DeviceInfo> devices);
[[nodiscard]] Json device_json(const DeviceInfo& info);

}  // namespace overtake::report
