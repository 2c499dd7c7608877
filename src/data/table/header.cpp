// SPDX-License-Identifier: MIT
#include "data/table/header.hpp"

#include <cmath>

#include "data/text/lookalike.hpp"

namespace overtake::data {

namespace {

enum class Look : std::uint8_t { nothing, word, value };

/// Numbers and dates, also in a notation that is not set, are values.
Look look_of(const Record& record, std::size_t i, const CellRules& rules) {
  switch (rules.parse(record.cell(i), record.quoted(i)).kind) {
    case CellKind::missing: return Look::nothing;
    case CellKind::number:
    case CellKind::day: return Look::value;
    case CellKind::text: break;
  }
  return find_lookalike(record.cell(i), rules) ? Look::value : Look::word;
}

/// True if all cells are in quotes; or none.
bool all_quoted(const Record& record, bool quoted) {
  for (std::size_t i = 0; i < record.size(); ++i) {
    if (record.quoted(i) != quoted) return false;
  }
  return record.size() > 0;
}

}  // namespace

bool looks_like_header(const Record& first, const Record* second, const CellRules& rules) {
  if (second != nullptr && all_quoted(first, true) && all_quoted(*second, false)) return true;
  bool values = false;
  bool word_over_value = false;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const Look look = look_of(first, i, rules);
    values = values || look == Look::value;
    const bool below = second != nullptr && i < second->size() && look_of(*second, i, rules) == Look::value;
    word_over_value = word_over_value || (look == Look::word && below);
  }
  return !values || word_over_value;
}

bool looks_counted(const Record& first, const CellRules& rules) {
  const auto year = [](double number) { return number >= 1800 && number <= 2100; };
  // A table with its row numbers has no name over them.
  const std::size_t begin = first.size() > 0 && rules.is_missing(first.cell(0), false) ? 1 : 0;
  const std::size_t least = begin == 1 ? 2 : 3;
  if (first.size() < begin + least) return false;
  double before = 0;
  double step = 0;
  for (std::size_t i = begin; i < first.size(); ++i) {
    double number = 0;
    if (!parse_number(first.cell(i), number) || number != std::floor(number)) return false;
    const double now = number - before;
    if (i == begin + 1) step = now;
    if (i > begin && (now != step || step == 0)) return false;
    if (i > begin && std::abs(step) != 1 && !(year(before) && year(number))) return false;
    before = number;
  }
  return true;
}

}  // namespace overtake::data
