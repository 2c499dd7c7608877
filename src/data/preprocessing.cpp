// SPDX-License-Identifier: MIT
#include "overtake/data_preprocessing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "core/checked.hpp"
#include "data/columns.hpp"
#include "data/message.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

using data::quote;

/// True if neither side has names and the table holds one column a feature: then the target is not among them.
bool matches_by_position(const Preprocessing& preprocessing, const Table& table) {
  return !preprocessing.has_header && !table.has_header && table.columns.size() == preprocessing.features.size();
}

/// The column of each feature.
std::vector<std::size_t> match_features(const Preprocessing& preprocessing, const Table& table) {
  const std::vector<Feature>& features = preprocessing.features;
  const bool by_position = matches_by_position(preprocessing, table);
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < features.size(); ++i) {
    result.push_back(by_position ? i : data::model_column(table, features[i].name));
  }
  return result;
}

constexpr float missing_input = std::numeric_limits<float>::quiet_NaN();

/// Writes a numeric feature into column `offset` of the row-major inputs.
void write_numeric(const Feature& feature, const Preprocessing& how, const Table& table, std::size_t column,
                   std::size_t offset, Dataset& data) {
  const auto width = static_cast<std::size_t>(data.features);
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    double value = data::cell_number(table, column, row);
    if (std::isnan(value) && how.keep_missing) {
      data.inputs[row * width + offset] = missing_input;
      continue;
    }
    if (std::isnan(value)) value = feature.mean;
    const double input = how.standardise ? (value - feature.mean) / feature.scale : value;
    if (std::abs(input) > static_cast<double>(std::numeric_limits<float>::max())) {
      throw DataError(fmt::format("{}: {} is too far from the training data (mean {}, standard deviation {})",
                                  table.locate(static_cast<std::int64_t>(row), static_cast<std::int64_t>(column)),
                                  value, feature.mean, feature.scale),
                      "Correct the cell.");
    }
    data.inputs[row * width + offset] = static_cast<float>(input);
  }
}

[[noreturn]] void fail_unseen(const Table& table, std::size_t column, std::size_t row, const char* what) {
  throw DataError(fmt::format("{}: {} {} did not occur in training",
                              table.locate(static_cast<std::int64_t>(row), static_cast<std::int64_t>(column)), what,
                              quote(data::cell_text(table.columns[column], row))),
                  "Correct the cell, or train again with rows that have it.");
}

/// The place of each category of `column` in the sorted list `known`, or -1.
std::vector<std::int32_t> translate(const Column& column, const std::vector<std::string>& known) {
  std::vector<std::int32_t> result;
  for (const std::string& category : column.categories) {
    const auto it = std::lower_bound(known.begin(), known.end(), category);
    const bool found = it != known.end() && *it == category;
    result.push_back(found ? static_cast<std::int32_t>(it - known.begin()) : -1);
  }
  return result;
}

/// The place of each cell among the categories of a text feature; -1: missing or not seen in training.
std::vector<std::int32_t> places_of(const Feature& feature, bool refuse_unseen, const Table& table,
                                    std::size_t column) {
  const Column& cells = table.columns[column];
  const std::vector<std::int32_t> known = translate(cells, feature.categories);
  std::vector<std::int32_t> places(static_cast<std::size_t>(table.rows), -1);
  for (std::size_t row = 0; row < places.size(); ++row) {
    if (data::cell_missing(cells, row)) continue;
    std::int32_t& place = places[row];
    if (cells.kind == ColumnKind::text) {
      place = known[static_cast<std::size_t>(cells.codes[row])];
    } else {
      const std::string text = data::cell_text(cells, row);
      const auto it = std::lower_bound(feature.categories.begin(), feature.categories.end(), text);
      const bool found = it != feature.categories.end() && *it == text;
      if (found) place = static_cast<std::int32_t>(it - feature.categories.begin());
    }
    if (place < 0 && refuse_unseen) fail_unseen(table, column, row, "the value");
  }
  return places;
}

/// Writes the inputs of a text feature, which begin at column `offset`: one-hot, or one code.
void write_text(const Feature& feature, const Preprocessing& how, const Table& table, std::size_t column,
                std::size_t offset, Dataset& data) {
  const auto width = static_cast<std::size_t>(data.features);
  const std::vector<std::int32_t> places = places_of(feature, how.refuse_unseen, table, column);
  for (std::size_t row = 0; row < places.size(); ++row) {
    float* const inputs = data.inputs.data() + row * width + offset;
    if (how.text_as_codes) {
      *inputs = places[row] < 0 ? missing_input : static_cast<float>(places[row]);
    } else if (places[row] >= 0) {
      inputs[places[row]] = 1.0F;
    }
  }
}

/// Inputs that a feature takes.
std::int64_t width_of(const Feature& feature, bool text_as_codes) {
  const bool one = feature.kind == ColumnKind::numeric || text_as_codes;
  return one ? 1 : static_cast<std::int64_t>(feature.categories.size());
}

[[noreturn]] void fail_missing_target(const Table& table, std::size_t column, std::size_t row) {
  throw DataError(fmt::format("{}: the target is missing, expected a value",
                              table.locate(static_cast<std::int64_t>(row), static_cast<std::int64_t>(column))),
                  "Fill the cell in or remove the row.");
}

void write_targets(const Preprocessing& preprocessing, const Table& table, std::size_t column, Dataset& data) {
  if (preprocessing.task == Task::classification) {
    data.labels = data::encode_labels(table, column, preprocessing.classes);
    return;
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    const double value = data::cell_number(table, column, row);
    if (std::isnan(value)) fail_missing_target(table, column, row);
    data.targets.push_back((value - preprocessing.target_mean) / preprocessing.target_scale);
  }
}

}  // namespace

std::vector<std::int32_t> data::encode_labels(const Table& table, std::size_t column,
                                              const std::vector<std::string>& classes) {
  std::unordered_map<std::string, std::int32_t> labels;
  for (std::size_t i = 0; i < classes.size(); ++i) labels.emplace(classes[i], static_cast<std::int32_t>(i));
  const Column& cells = table.columns[column];
  std::vector<std::int32_t> result;
  result.reserve(static_cast<std::size_t>(table.rows));
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    if (cell_missing(cells, row)) fail_missing_target(table, column, row);
    const auto it = labels.find(cell_text(cells, row));
    if (it == labels.end()) fail_unseen(table, column, row, "the class");
    result.push_back(it->second);
  }
  return result;
}

std::int64_t Preprocessing::inputs() const noexcept {
  std::int64_t count = 0;
  for (const Feature& feature : features) count += width_of(feature, text_as_codes);
  return count;
}

std::int64_t Preprocessing::outputs() const noexcept {
  return task == Task::classification ? static_cast<std::int64_t>(classes.size()) : 1;
}

Dataset Preprocessing::transform_features(const Table& table) const {
  const std::vector<std::size_t> columns = match_features(*this, table);
  Dataset data;
  data.task = task;
  data.rows = table.rows;
  data.features = inputs();
  data.classes = static_cast<std::int32_t>(classes.size());
  const std::int64_t size = checked_mul(data.rows, data.features, "the data set");
  data.inputs.resize(static_cast<std::size_t>(size));
  std::size_t offset = 0;
  for (std::size_t i = 0; i < features.size(); ++i) {
    const Feature& feature = features[i];
    const auto write = feature.kind == ColumnKind::numeric ? write_numeric : write_text;
    write(feature, *this, table, columns[i], offset, data);
    offset += static_cast<std::size_t>(width_of(feature, text_as_codes));
  }
  return data;
}

Dataset Preprocessing::transform(const Table& table) const {
  Dataset data = transform_features(table);
  if (matches_by_position(*this, table)) return data;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name == target) write_targets(*this, table, i, data);
  }
  return data;
}

TableOptions Preprocessing::table_options() const {
  TableOptions options;
  options.allow_absent = true;
  options.mixed_as_text = true;
  options.header = has_header;
  if (!has_header) return options;  // names say nothing then: the target may or may not be among the columns
  for (const Feature& feature : features) {
    (feature.kind == ColumnKind::numeric ? options.numeric : options.text).push_back(feature.name);
  }
  return options;
}

}  // namespace overtake
