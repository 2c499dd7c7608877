// SPDX-License-Identifier: MIT
#include "data/table/column_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "data/table/message.hpp"
#include "data/text/date_format.hpp"
#include "data/text/date_text.hpp"
#include "data/text/lookalike.hpp"

namespace overtake::data {

namespace {

/// Cells of one sort: how many, and the first.
struct Sort {
  std::size_t count = 0;
  std::size_t row = 0;
  std::string_view text;

  void add(std::size_t at, std::string_view cell) {
    if (count++ > 0) return;
    row = at;
    text = cell;
  }
};

/// What the cells of a column turned out to be.
struct Survey {
  Sort numbers, days, words, alike;
  Sort dates, times;                 // of the days: with a date, or a time of the day alone
  std::optional<Lookalike> example;  // of `alike`
  bool one_unit = true;              // every lookalike has the example's unit
  std::vector<Sort> in_unit;         // numbers with each of the notation's units
  Sort bare;                         // numbers other than 0 without a unit
  bool leading_zeros = false;
  bool beyond_whole = false;
  std::vector<double> values;
  std::vector<double> compact_days;  // of the numbers, while each is a date in the format that was given

  /// All numbers are dates written without separators.
  void read_compact_days() {
    auto day = compact_days.begin();
    for (double& value : values) {
      if (!std::isnan(value) && day != compact_days.end()) value = *day++;
    }
    if (numbers.count > 0) days = dates = numbers;
    numbers = {};
  }
};

bool has_leading_zeros(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

Survey survey(const RawColumn& raw, const CellRules& rules, std::set<std::string>& missing_seen, MemoryMeter& memory) {
  Survey result;
  memory.take(raw.size() * sizeof(double));
  result.values.reserve(raw.size());
  result.in_unit.resize(rules.notation().units.size());
  bool compact = !rules.notation().date_format.empty();
  raw.each([&](std::size_t row, std::string_view text, bool quoted) {
    const Cell cell = rules.parse(text, quoted);
    result.values.push_back(cell.number);
    switch (cell.kind) {
      case CellKind::missing:
        if (!trimmed(text).empty()) missing_seen.emplace(trimmed(text));
        return;
      case CellKind::number:
        result.numbers.add(row, text);
        if (compact) compact = parse_compact_day(trimmed(text), rules.notation(), result.compact_days);
        if (cell.unit >= 0) result.in_unit[static_cast<std::size_t>(cell.unit)].add(row, text);
        if (cell.unit < 0 && cell.number != 0) result.bare.add(row, text);
        result.leading_zeros = result.leading_zeros || has_leading_zeros(trimmed(text));
        result.beyond_whole = result.beyond_whole || is_beyond_whole(trimmed(text));
        return;
      case CellKind::day:
        result.days.add(row, text);
        (is_time_of_day(trimmed(text)) ? result.times : result.dates).add(row, text);
        return;
      case CellKind::text: break;
    }
    auto found = find_lookalike(text, rules);
    if (!found) return result.words.add(row, text);
    result.alike.add(row, text);
    if (!result.example)
      result.example = std::move(found);
    else
      result.one_unit = result.one_unit && found->unit == result.example->unit;
  });
  if (compact && result.compact_days.size() == result.numbers.count) result.read_compact_days();
  return result;
}

void make_text(const RawColumn& raw, const CellRules* rules, Column& column, MemoryMeter& memory) {
  constexpr std::uint64_t of_category = 128;  // its text beside the letters, its place in the map
  memory.take(raw.size() * sizeof(std::int32_t));
  column.codes.reserve(raw.size());
  std::unordered_map<std::string_view, std::int32_t> codes;  // views into the raw column
  raw.each([&](std::size_t, std::string_view text, bool quoted) {
    const bool missing = rules == nullptr ? text.empty() : rules->is_missing(text, quoted);
    if (missing) return column.codes.push_back(-1);
    const auto [it, inserted] = codes.emplace(text, static_cast<std::int32_t>(column.categories.size()));
    if (inserted) {
      memory.take(of_category + text.size());
      column.categories.emplace_back(text);
    }
    column.codes.push_back(it->second);
  });
}

void note_numbers(const Survey& found, Column& column) {
  if (found.leading_zeros) {
    column.notes.push_back(
        fmt::format("cells with leading zeros are read as numbers; --text {} keeps them", column.name));
  }
  if (found.beyond_whole) {
    column.notes.push_back(fmt::format(
        "whole numbers beyond 2^53 are rounded, so neighbours may be one; --text {} keeps them apart", column.name));
  }
}

void make_numbers(const RawColumn& raw, bool spelled, const CellRules& rules, Survey found, Column& column,
                  MemoryMeter& memory) {
  column.kind = ColumnKind::numeric;
  column.days = found.days.count > 0;
  if (column.days) {
    column.notes.push_back(
        fmt::format("dates and times such as {} are read as days since 1970-01-01", quote(found.days.text)));
  } else if (!spelled) {
    note_numbers(found, column);
  }
  column.numbers = std::move(found.values);
  if (spelled) make_text(raw, &rules, column, memory);
}

/// The first cell that is none of what was expected.
ColumnProblem unexpected(const Survey& found, const char* expected, const Sort& other) {
  const Sort* first = nullptr;
  for (const Sort* sort : {&found.words, &found.alike, &other}) {
    if (sort->count > 0 && (first == nullptr || sort->row < first->row)) first = sort;
  }
  const bool alike = first == &found.alike;
  return {first->row,
          fmt::format("expected {}, found {}", expected, quote(first->text)),
          alike ? found.example->flags : std::string(),
          {}};
}

ColumnProblem other_notation(const Survey& found) {
  return {found.alike.row,
          fmt::format("{} looks like {}", quote(found.alike.text), found.example->what),
          found.example->flags,
          {}};
}

ColumnProblem mixture(const Survey& found) {
  const bool dates = found.days.count > 0;
  const Sort& usual = dates ? found.days : found.numbers;
  const Sort& odd = found.words.count > 0 ? found.words : found.numbers;
  return {odd.row,
          fmt::format("the column mixes {} such as {} ({} cells) with {} such as {} ({} cells)",
                      dates ? "dates" : "numbers", quote(usual.text), usual.count,
                      found.words.count > 0 ? "words" : "numbers", quote(odd.text), odd.count),
          {},
          found.words.count > 0 ? std::string(trimmed(odd.text)) : std::string()};
}

/// Numbers in several units, or in one beside plain ones (but for money): their values do not compare.
std::optional<ColumnProblem> find_unit_mixture(const Survey& found, const std::vector<std::string>& units) {
  const Sort* first = nullptr;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const Sort& now = found.in_unit[i];
    if (now.count == 0) continue;
    const Sort* other = !is_money(units[i]) && found.bare.count > 0 ? &found.bare : first;
    if (other != nullptr) {
      return ColumnProblem{std::max(now.row, other->row),
                           fmt::format("the column mixes {} ({} cells) with {} ({} cells), which are other units",
                                       quote(now.text), now.count, quote(other->text), other->count),
                           {},
                           {}};
    }
    first = &now;
  }
  return std::nullopt;
}

ColumnProblem times_and_dates(const Survey& found) {
  return {std::max(found.times.row, found.dates.row),
          fmt::format("the column mixes dates such as {} ({} cells) with times of the day such as {} ({} cells)",
                      quote(found.dates.text), found.dates.count, quote(found.times.text), found.times.count),
          {},
          {}};
}

/// A column that holds something else than numbers alone or dates alone: text, or a problem.
std::optional<ColumnProblem> judge_mixture(Survey& found, Column& column) {
  // Units that differ from cell to cell are parts of words: 5 m, 3 kg.
  const bool one_notation = found.example && (found.one_unit || is_money_or_share(found.example->unit));
  if (found.example && !one_notation) {
    if (found.words.count == 0 || found.alike.row < found.words.row) {
      found.words.row = found.alike.row;
      found.words.text = found.alike.text;
    }
    found.words.count += std::exchange(found.alike.count, 0);
  }
  const bool plain = found.numbers.count + found.days.count > 0;
  const bool mostly_alike = 2 * found.alike.count >= found.words.count;
  if (found.alike.count > 0 && (plain || mostly_alike)) return other_notation(found);
  if (plain) return mixture(found);
  if (found.alike.count > 0) {
    column.notes.push_back(fmt::format("{} of its cells look like {}: {}", found.alike.count, found.example->what,
                                       quote(found.alike.text)));
  }
  return std::nullopt;
}

}  // namespace

void RawColumn::add(std::string_view cell, bool quoted, MemoryMeter& memory) {
  take_growth(memory, bytes_, cell.size());
  take_growth(memory, sizes_, 1);
  bytes_.append(cell);
  if (quoted) {
    quoted_.resize(sizes_.size());
    quoted_.push_back(true);
  }
  sizes_.push_back(static_cast<std::uint32_t>(cell.size()));
}

std::optional<ColumnProblem> read_column(const RawColumn& raw, ColumnUse use, bool spelled, const CellRules& rules,
                                         Column& column, std::set<std::string>& missing_seen, MemoryMeter& memory) {
  if (use == ColumnUse::declared_text) {
    column.kind = ColumnKind::text;
    column.declared_text = true;
    make_text(raw, nullptr, column, memory);
    return std::nullopt;
  }
  Survey found = survey(raw, rules, missing_seen, memory);
  const std::size_t others = found.words.count + found.alike.count;
  const bool numbers = others == 0 && (found.days.count == 0 || found.numbers.count == 0);
  if (use == ColumnUse::numeric && others + found.days.count > 0) return unexpected(found, "a number", found.days);
  if (use == ColumnUse::days && others + found.numbers.count > 0) return unexpected(found, "a date", found.numbers);
  if (found.times.count > 0 && found.dates.count > 0) return times_and_dates(found);
  if (numbers) {
    if (auto problem = find_unit_mixture(found, rules.notation().units)) return problem;
    make_numbers(raw, spelled || use == ColumnUse::names, rules, std::move(found), column, memory);
    return std::nullopt;
  }
  if (use == ColumnUse::judged) {
    if (auto problem = judge_mixture(found, column)) return problem;
  }
  column.kind = ColumnKind::text;
  found.values = {};
  memory.give(raw.size() * sizeof(double));
  make_text(raw, &rules, column, memory);
  return std::nullopt;
}

}  // namespace overtake::data
