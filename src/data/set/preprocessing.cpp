// SPDX-License-Identifier: MIT
#include "overtake/data/preprocessing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "core/checked.hpp"
#include "data/source/memory_meter.hpp"
#include "data/table/columns.hpp"
#include "data/table/labels.hpp"
#include "data/table/message.hpp"
#include "overtake/error.hpp"
#include "platform/host_limits.hpp"

namespace overtake {

namespace {

using data::quote;

/// The column of each feature.
std::vector<std::size_t> match_features(const std::vector<Feature>& features, const Table& table) {
  std::vector<std::size_t> result;
  result.reserve(features.size());
  for (const Feature& feature : features) result.push_back(data::model_column(table, feature.name));
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

/// What unseen cells lead to, once a column is counted.
void judge_unseen(const UnseenCells& found, UnseenRule rule, std::size_t first_row, const Table& table,
                  std::size_t column, TransformReport* report) {
  if (found.cells == 0) return;
  const bool all = found.cells == found.present;
  if (rule == UnseenRule::error || (rule == UnseenRule::automatic && all)) {
    throw DataError(
        fmt::format(
            "{}: the value {} did not occur in training{}",
            table.locate(static_cast<std::int64_t>(first_row), static_cast<std::int64_t>(column)), quote(found.example),
            all && found.cells > 1 ? fmt::format(", and neither did any of the column's {} cells", found.cells) : ""),
        "Correct the cells (upper and lower case differ), or take them as missing: --unseen missing.");
  }
  if (report != nullptr) report->unseen.push_back(found);
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
std::vector<std::int32_t> places_of(const Feature& feature, UnseenRule unseen, const Table& table, std::size_t column,
                                    TransformReport* report) {
  const Column& cells = table.columns[column];
  if (!cells.spelled()) {
    throw DataError(fmt::format("{}: the column holds numbers, and training read it as text",
                                table.locate(0, static_cast<std::int64_t>(column))),
                    "Read the table with Preprocessing::table_options().");
  }
  const std::vector<std::int32_t> known = translate(cells, feature.categories);
  std::vector<std::int32_t> places(static_cast<std::size_t>(table.rows), -1);
  UnseenCells found{feature.name, 0, 0, {}};
  std::size_t first_row = 0;
  for (std::size_t row = 0; row < places.size(); ++row) {
    const std::int32_t code = cells.codes[row];
    if (code < 0) continue;
    ++found.present;
    places[row] = known[static_cast<std::size_t>(code)];
    if (places[row] >= 0 || found.cells++ > 0) continue;
    found.example = cells.categories[static_cast<std::size_t>(code)];
    first_row = row;
  }
  judge_unseen(found, unseen, first_row, table, column, report);
  return places;
}

/// Writes the inputs of a text feature, which begin at column `offset`: one-hot, or one code.
void write_text(const Feature& feature, const Preprocessing& how, const Table& table, std::size_t column,
                std::size_t offset, Dataset& data, TransformReport* report) {
  const auto width = static_cast<std::size_t>(data.features);
  const std::vector<std::int32_t> places = places_of(feature, how.unseen, table, column, report);
  for (std::size_t row = 0; row < places.size(); ++row) {
    float* const inputs = data.inputs.data() + row * width + offset;
    if (how.text_as_codes) {
      *inputs = places[row] < 0 ? missing_input : static_cast<float>(places[row]);
    } else if (places[row] >= 0) {
      inputs[places[row]] = 1.0F;
    }
  }
}

/// A column that cannot be the one of training: an error where position alone says which it is, else a note.
void check_range(const Feature& feature, const Table& table, std::size_t column, TransformReport* report) {
  constexpr double far = 10;
  if (feature.lowest == 0 && feature.highest == 0) return;
  const double span = feature.highest - feature.lowest;
  const double room = far * (span > 0 ? span : std::max(std::abs(feature.lowest), 1.0));
  std::int64_t present = 0;
  std::int64_t outside = 0;
  double example = 0;
  for (const double value : table.columns[column].numbers) {
    if (std::isnan(value)) continue;
    ++present;
    if (value >= feature.lowest - room && value <= feature.highest + room) continue;
    if (outside++ == 0) example = value;
  }
  if (2 * outside <= present) return;
  const std::string what =
      fmt::format("{} of {} cells of column {} lie far outside the range of training ({} to {}): {}", outside, present,
                  feature.name, feature.lowest, feature.highest, example);
  if (!table.reading.has_header) {
    throw DataError(fmt::format("{}: {}", table.source, what),
                    "Give the file the columns of the training file in the same order.");
  }
  if (report != nullptr) report->notes.push_back(what);
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
    data.labels = data::encode_labels(table, column, preprocessing.classes, preprocessing.numeric_classes);
    return;
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    const double value = data::cell_number(table, column, row, data::ValueUse::target);
    if (std::isnan(value)) fail_missing_target(table, column, row);
    data.targets.push_back((value - preprocessing.target_mean) / preprocessing.target_scale);
  }
}

/// Columns of many texts, one input for each of them, can make a large table of a small file.
void require_memory(std::int64_t values, const Preprocessing& how, const Table& table) {
  constexpr double copies = 2;  // a model works on its own
  const double need = copies * static_cast<double>(values) * sizeof(float);
  const auto usable = static_cast<double>(platform::usable_memory());
  if (need <= usable) return;
  throw DeviceError(fmt::format("{}: {} rows of {} inputs need {} of the computer's memory, {} can be used",
                                table.source, table.rows, how.inputs(), data::size_text(need), data::size_text(usable)),
                    "Give fewer rows, or leave out text columns with many different cells, each of which is an input.");
}

}  // namespace

std::vector<std::string> Preprocessing::feature_names() const {
  std::vector<std::string> names;
  for (const Feature& feature : features) names.push_back(feature.name);
  return names;
}

std::int64_t Preprocessing::inputs() const noexcept {
  std::int64_t count = 0;
  for (const Feature& feature : features) count += width_of(feature, text_as_codes);
  return count;
}

std::int64_t Preprocessing::outputs() const noexcept {
  return task == Task::classification ? static_cast<std::int64_t>(classes.size()) : 1;
}

Dataset Preprocessing::transform_features(const Table& table, TransformReport* report) const {
  const std::vector<std::size_t> found = match_features(features, table);
  Dataset data;
  data.task = task;
  data.rows = table.rows;
  data.features = inputs();
  data.classes = static_cast<std::int32_t>(classes.size());
  const std::int64_t size = checked_mul(data.rows, data.features, "the data set");
  require_memory(size, *this, table);
  data.inputs.resize(static_cast<std::size_t>(size));
  std::size_t offset = 0;
  for (std::size_t i = 0; i < features.size(); ++i) {
    const Feature& feature = features[i];
    if (feature.kind == ColumnKind::numeric) {
      write_numeric(feature, *this, table, found[i], offset, data);
      check_range(feature, table, found[i], report);
    } else {
      write_text(feature, *this, table, found[i], offset, data, report);
    }
    offset += static_cast<std::size_t>(width_of(feature, text_as_codes));
  }
  return data;
}

Dataset Preprocessing::transform(const Table& table, TransformReport* report) const {
  Dataset data = transform_features(table, report);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name == target) write_targets(*this, table, i, data);
  }
  return data;
}

TableOptions Preprocessing::table_options() const {
  TableOptions options;
  options.allow_absent = true;
  options.others_ignored = true;
  options.header = reading.has_header;
  if (reading_known) {
    options.delimiter = reading.delimiter;
    options.encoding = reading.encoding;
    options.notation = reading.notation;
  }
  std::vector<std::string> wanted;
  for (const Feature& feature : features) {
    wanted.push_back(feature.name);
    if (feature.kind == ColumnKind::numeric) {
      (feature.days ? options.days : options.numeric).push_back(feature.name);
    } else {
      (feature.declared_text ? options.text : options.names).push_back(feature.name);
    }
  }
  (target_declared_text ? options.text : options.names).push_back(target);
  if (reading.has_header || columns.empty()) return options;
  std::vector<std::string> without_target;
  std::copy_if(columns.begin(), columns.end(), std::back_inserter(without_target),
               [this](const std::string& name) { return name != target; });
  options.headless_names = {columns, without_target};
  if (wanted.size() != without_target.size()) options.headless_names.push_back(wanted);
  return options;
}

}  // namespace overtake
