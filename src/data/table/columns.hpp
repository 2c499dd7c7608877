// SPDX-License-Identifier: MIT
// Columns of a table as numbers, for preprocessing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/preprocessing.hpp"

namespace overtake::data {

/// The index of a column that the user named. Throws UsageError with the nearest name; `role` says what it is for.
[[nodiscard]] std::size_t require_column(const Table& table, const std::string& name, const char* role);

/// The index of a column that a model needs. Throws DataError with the nearest name.
[[nodiscard]] std::size_t model_column(const Table& table, const std::string& name);

/// "Did you mean x?", or the names there are.
[[nodiscard]] std::string column_hint(const Table& table, const std::string& name);

/// The cell of a column as text: as it is written where that is kept, or the shortest decimal form of its number. "" if
/// missing.
[[nodiscard]] std::string cell_text(const Column& column, std::size_t row);

/// What a number is for: features are float32 in models, targets stay doubles.
enum class ValueUse : std::uint8_t { feature, target };

/// The number of a cell where numbers are needed (also of a text column's, where the cell is one); NaN if missing.
/// Throws DataError with the position for text and for values that float32 cannot hold (a target: that are infinite).
[[nodiscard]] double cell_number(const Table& table, std::size_t column, std::size_t row,
                                 ValueUse use = ValueUse::feature);

/// True if the cell is missing.
[[nodiscard]] bool cell_missing(const Column& column, std::size_t row) noexcept;

/// Mean, scale and range of a numeric column over the given rows (all if empty), missing cells left out: the standard
/// deviation with ddof 0, or 1 for a constant column. Throws DataError if no cell has a value.
struct Statistics {
  double mean = 0.0;
  double scale = 1.0;
  double lowest = 0.0, highest = 0.0;
};
[[nodiscard]] Statistics column_statistics(const Table& table, std::size_t column, std::span<const std::int32_t> rows,
                                           ValueUse use = ValueUse::feature);

/// The distinct cells of a column in the given rows (all if empty), sorted by bytes, missing ones left out.
[[nodiscard]] std::vector<std::string> sorted_categories(const Column& column, std::span<const std::int32_t> rows);

}  // namespace overtake::data
