// SPDX-License-Identifier: MIT
#include "data/table/column_survey.hpp"

#include <cmath>
#include <utility>

#include "data/text/date_format.hpp"
#include "data/text/date_text.hpp"

namespace overtake::data {

namespace {

bool has_leading_zeros(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

/// All numbers are dates written without separators.
void read_compact_days(const std::vector<double>& days, std::vector<double>& values, Survey& found) {
  auto day = days.begin();
  for (double& value : values) {
    if (!std::isnan(value) && day != days.end()) value = *day++;
  }
  if (found.numbers.count > 0) found.days = found.dates = found.numbers;
  found.numbers = {};
}

void add_number(std::string_view text, std::int64_t line, const Cell& cell, Survey& found) {
  found.numbers.add(line, text);
  if (cell.unit >= 0) found.in_unit[static_cast<std::size_t>(cell.unit)].add(line, text);
  if (cell.unit < 0 && cell.number != 0) found.bare.add(line, text);
  found.leading_zeros = found.leading_zeros || has_leading_zeros(trimmed(text));
  found.beyond_whole = found.beyond_whole || is_beyond_whole(trimmed(text));
}

void add_other(std::string_view text, std::int64_t line, const CellRules& rules, Survey& found) {
  auto alike = find_lookalike(text, rules);
  if (!alike) return found.words.add(line, text);
  found.alike.add(line, text);
  if (!found.example) {
    found.example = std::move(alike);
  } else {
    found.one_unit = found.one_unit && alike->unit == found.example->unit;
  }
}

}  // namespace

std::vector<double> survey(const RawColumn& raw, std::span<const std::int64_t> lines, const CellRules& rules,
                           Survey& found, std::set<std::string>& missing_seen, MemoryMeter& memory) {
  memory.take(raw.size() * sizeof(double));
  std::vector<double> values;
  values.reserve(raw.size());
  found.in_unit.resize(rules.notation().units.size());
  std::vector<double> compact_days;  // of the numbers, while each is a date in the format that was given
  bool compact = !rules.notation().date_format.empty();
  raw.each([&](std::size_t row, std::string_view text, bool quoted) {
    const Cell cell = rules.parse(text, quoted);
    values.push_back(cell.number);
    switch (cell.kind) {
      case CellKind::missing:
        if (!trimmed(text).empty()) missing_seen.emplace(trimmed(text));
        return;
      case CellKind::number:
        add_number(text, lines[row], cell, found);
        if (compact) compact = parse_compact_day(trimmed(text), rules.notation(), compact_days);
        return;
      case CellKind::day:
        found.days.add(lines[row], text);
        (is_time_of_day(trimmed(text)) ? found.times : found.dates).add(lines[row], text);
        return;
      case CellKind::text: return add_other(text, lines[row], rules, found);
    }
  });
  if (compact && compact_days.size() == found.numbers.count) read_compact_days(compact_days, values, found);
  return values;
}

}  // namespace overtake::data
