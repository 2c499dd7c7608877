// SPDX-License-Identifier: MIT
// What the text of one table cell means.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/table.hpp"

namespace overtake::data {

enum class CellKind : std::uint8_t { missing, number, day, text };

struct Cell {
  CellKind kind = CellKind::missing;
  double number = 0.0;  ///< NaN unless kind is number or day (days since 1970-01-01)
  int unit = -1;        ///< which of the notation's units stood beside the number
};

/// The rules by which the cells of a file are read; made once a file.
class CellRules {
 public:
  /// Throws UsageError for a notation that contradicts itself or that is not known.
  explicit CellRules(Notation notation);

  /// Interprets a cell. `quoted`: it stood in quotes, so that the usual words for "missing" are data. Independent of
  /// the locale. A number too large for double is infinite.
  [[nodiscard]] Cell parse(std::string_view text, bool quoted) const;

  /// True for the empty cell and for words that mean "missing"; those that the user named count in quotes too.
  [[nodiscard]] bool is_missing(std::string_view text, bool quoted) const;

  /// The number that a cell holds, as from_chars reads it ("1.234,50" with a decimal comma is "1234.50"); "" if none.
  [[nodiscard]] std::string plain_number(std::string_view text) const;

  [[nodiscard]] const Notation& notation() const noexcept { return notation_; }

 private:
  struct PlainNumber {
    std::string text;  // "": none
    int unit = -1;
  };
  [[nodiscard]] PlainNumber find_number(std::string_view text) const;
  [[nodiscard]] bool is_missing_word(std::string_view text, bool quoted) const;
  [[nodiscard]] Cell as_number(double value, int unit) const;

  Notation notation_;
  bool plain_ = true;                   // numbers are as from_chars reads them
  bool numeric_missing_ = false;        // a word for "missing" may look like a number: -999
  std::vector<double> missing_values_;  // those that are numbers: -999 stands for -999.0 too
};

/// Without blanks at either end: space, tab, no-break spaces (U+00A0, U+2007, U+202F), a byte order mark.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// The value of a decimal number ("-1.5e3", "inf") that fills `text`; false if it is none or NaN.
[[nodiscard]] bool parse_number(std::string_view text, double& value);

/// True for digits (a sign before them does not count) that say a whole number beyond 2^53: a double may round it.
[[nodiscard]] bool is_beyond_whole(std::string_view text) noexcept;

/// Removes `separator` between groups of three digits in front of the decimal point; false if the groups are wrong.
/// A space stands for no-break spaces too.
[[nodiscard]] bool remove_thousands(std::string& text, char separator, char decimal);

}  // namespace overtake::data
