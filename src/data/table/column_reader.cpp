// SPDX-License-Identifier: MIT
#include "data/table/column_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "data/table/message.hpp"
#include "data/text/lookalike.hpp"

namespace overtake::data {

namespace {

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

void make_numbers(const RawColumn& raw, bool spelled, const Survey& found, std::vector<double> values,
                  const ColumnReading& reading, Column& column) {
  column.kind = ColumnKind::numeric;
  column.days = found.days.count > 0;
  if (column.days) {
    column.notes.push_back(
        fmt::format("dates and times such as {} are read as days since 1970-01-01", quote(found.days.text)));
  } else if (!spelled) {
    note_numbers(found, column);
  }
  column.numbers = std::move(values);
  if (spelled) make_text(raw, &reading.rules, column, reading.memory);
}

/// In place of the values that turned out to be no numbers.
void make_words(const RawColumn& raw, std::vector<double> values, const ColumnReading& reading, Column& column) {
  column.kind = ColumnKind::text;
  values = {};
  reading.memory.give(raw.size() * sizeof(double));
  make_text(raw, &reading.rules, column, reading.memory);
}

void make_declared_text(const RawColumn& raw, const ColumnReading& reading, Column& column) {
  column.kind = ColumnKind::text;
  column.declared_text = true;
  make_text(raw, nullptr, column, reading.memory);
}

/// The first cell that is none of what was expected.
ColumnProblem unexpected(const Survey& found, const char* expected, const Sort& other) {
  const Sort* first = nullptr;
  for (const Sort* sort : {&found.words, &found.alike, &other}) {
    if (sort->count > 0 && (first == nullptr || sort->line < first->line)) first = sort;
  }
  const bool alike = first == &found.alike;
  return {first->line,
          fmt::format("expected {}, found {}", expected, quote(first->text)),
          alike ? found.example->flags : std::string(),
          {}};
}

ColumnProblem other_notation(const Survey& found) {
  return {found.alike.line,
          fmt::format("{} looks like {}", quote(found.alike.text), found.example->what),
          found.example->flags,
          {}};
}

ColumnProblem mixture(const Survey& found) {
  const bool dates = found.days.count > 0;
  const Sort& usual = dates ? found.days : found.numbers;
  const Sort& odd = found.words.count > 0 ? found.words : found.numbers;
  return {odd.line,
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
      return ColumnProblem{std::max(now.line, other->line),
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
  return {std::max(found.times.line, found.dates.line),
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
    if (found.words.count == 0 || found.alike.line < found.words.line) {
      found.words.line = found.alike.line;
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

/// What contradicts the use of a column, or makes its values such that they do not compare.
std::optional<ColumnProblem> find_problem(ColumnUse use, const Survey& found, const CellRules& rules) {
  if (use == ColumnUse::ignored) return std::nullopt;
  const std::size_t others = found.words.count + found.alike.count;
  if (use == ColumnUse::numeric && others + found.days.count > 0) return unexpected(found, "a number", found.days);
  if (use == ColumnUse::days && others + found.numbers.count > 0) return unexpected(found, "a date", found.numbers);
  if (found.times.count > 0 && found.dates.count > 0) return times_and_dates(found);
  return found.is_numeric() ? find_unit_mixture(found, rules.notation().units) : std::nullopt;
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

std::optional<ColumnProblem> read_column(const RawColumn& raw, std::span<const std::int64_t> lines, ColumnUse use,
                                         bool spelled, const ColumnReading& reading, Column& column) {
  if (use == ColumnUse::declared_text) {
    make_declared_text(raw, reading, column);
    return std::nullopt;
  }
  Survey found;
  std::vector<double> values = survey(raw, lines, reading.rules, found, reading.missing_seen, reading.memory);
  if (auto problem = find_problem(use, found, reading.rules)) return problem;
  if (found.is_numeric()) {
    make_numbers(raw, spelled || use == ColumnUse::names, found, std::move(values), reading, column);
    return std::nullopt;
  }
  if (use == ColumnUse::judged) {
    if (auto problem = judge_mixture(found, column)) return problem;
  }
  make_words(raw, std::move(values), reading, column);
  return std::nullopt;
}

std::optional<ColumnProblem> read_column_part(const RawColumn& raw, std::span<const std::int64_t> lines, ColumnUse use,
                                              Survey& so_far, const ColumnReading& reading, Column& column) {
  if (use == ColumnUse::declared_text) {
    make_declared_text(raw, reading, column);
    return std::nullopt;
  }
  if (use == ColumnUse::ignored) {
    column.kind = ColumnKind::text;
    column.codes.assign(lines.size(), -1);
    return std::nullopt;
  }
  std::vector<double> values = survey(raw, lines, reading.rules, so_far, reading.missing_seen, reading.memory);
  if (use != ColumnUse::names) {
    if (auto problem = find_problem(use, so_far, reading.rules)) return problem;
  }
  if (so_far.is_numeric()) {
    make_numbers(raw, use == ColumnUse::names, so_far, std::move(values), reading, column);
  } else {
    make_words(raw, std::move(values), reading, column);
  }
  return std::nullopt;
}

std::optional<ColumnProblem> find_late_problem(ColumnUse use, const Survey& all, const CellRules& rules) {
  return use == ColumnUse::names ? find_problem(use, all, rules) : std::nullopt;
}

}  // namespace overtake::data
