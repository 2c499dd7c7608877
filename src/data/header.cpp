// SPDX-License-Identifier: MIT
#include "data/header.hpp"

#include <charconv>

#include "data/lookalike.hpp"

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

}  // namespace

bool looks_like_header(const Record& first, const Record* second, const CellRules& rules) {
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

bool counts_upwards(const Record& first) {
  constexpr std::size_t least = 3;
  if (first.size() < least) return false;
  long before = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const std::string_view cell = first.cell(i);
    long number = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
    if (error != std::errc() || end != cell.data() + cell.size()) return false;
    if (i > 0 && number != before + 1) return false;
    before = number;
  }
  return true;
}

}  // namespace overtake::data
