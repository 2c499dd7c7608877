// SPDX-License-Identifier: MIT
// From the cells of a table to the inputs of a model, all at once or part by part.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>

#include "core/checked.hpp"
#include "data/set/feature_width.hpp"
#include "data/source/memory_meter.hpp"
#include "data/table/columns.hpp"
#include "data/table/message.hpp"
#include "overtake/data/table_parts.hpp"
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

/// The place of each category of `column` in the list `known`, or -1.
std::vector<std::int32_t> translate(const Column& column, const std::vector<std::string>& known) {
  std::unordered_map<std::string_view, std::int32_t> places;
  for (const std::string& category : known) places.emplace(category, static_cast<std::int32_t>(places.size()));
  std::vector<std::int32_t> result;
  for (const std::string& category : column.categories) {
    const auto found = places.find(category);
    result.push_back(found != places.end() ? found->second : -1);
  }
  return result;
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

/// Cells further from the range of training than this many times its width are of another column, or unit.
constexpr double far = 10;

}  // namespace

PartEncoder::PartEncoder(const Preprocessing& how) : how_(how), found_(how.features.size()) {
  for (std::size_t i = 0; i < found_.size(); ++i) found_[i].unseen.column = how.features[i].name;
}

Dataset PartEncoder::add(const Table& part, bool last) {
  const std::vector<std::size_t> columns = match_features(how_.features, part);
  Dataset data;
  data.task = how_.task;
  data.rows = part.rows;
  data.features = how_.inputs();
  data.classes = static_cast<std::int32_t>(how_.classes.size());
  const std::int64_t size = checked_mul(data.rows, data.features, "the data set");
  require_memory(size, how_, part);
  data.inputs.resize(static_cast<std::size_t>(size));
  std::size_t offset = 0;
  for (std::size_t i = 0; i < found_.size(); ++i) {
    const Feature& feature = how_.features[i];
    if (feature.kind == ColumnKind::numeric) {
      write_numeric(feature, how_, part, columns[i], offset, data);
      count_outside(i, part, columns[i]);
      if (last) judge_range(feature, found_[i], part);
    } else {
      encode_text(i, part, columns[i], offset, data);
      judge_unseen(found_[i], last);
    }
    offset += static_cast<std::size_t>(data::width_of(feature, how_.text_as_codes));
  }
  return data;
}

/// Writes the inputs of a text feature, which begin at column `offset`: one-hot, or one code. A cell that is missing or
/// was not seen in training has no place.
void PartEncoder::encode_text(std::size_t index, const Table& part, std::size_t column, std::size_t offset,
                              Dataset& data) {
  const Feature& feature = how_.features[index];
  const Column& cells = part.columns[column];
  if (!cells.spelled()) {
    throw DataError(fmt::format("{}: the column holds numbers, and training read it as text",
                                part.locate(0, static_cast<std::int64_t>(column))),
                    "Read the table with Preprocessing::table_options().");
  }
  const std::vector<std::int32_t> known = translate(cells, feature.categories);
  const auto width = static_cast<std::size_t>(data.features);
  UnseenCells& unseen = found_[index].unseen;
  for (std::size_t row = 0; row < static_cast<std::size_t>(part.rows); ++row) {
    const std::int32_t code = cells.codes[row];
    const std::int32_t place = code < 0 ? -1 : known[static_cast<std::size_t>(code)];
    float* const inputs = data.inputs.data() + row * width + offset;
    if (how_.text_as_codes) {
      *inputs = place < 0 ? missing_input : static_cast<float>(place);
    } else if (place >= 0) {
      inputs[place] = 1.0F;
    }
    if (code < 0) continue;
    ++unseen.present;
    if (place >= 0 || unseen.cells++ > 0) continue;
    unseen.example = cells.categories[static_cast<std::size_t>(code)];
    found_[index].first_unseen = part.locate(static_cast<std::int64_t>(row), static_cast<std::int64_t>(column));
  }
}

/// What unseen cells lead to: an error as soon as no later row can change it.
void PartEncoder::judge_unseen(const Found& found, bool last) {
  const UnseenCells& unseen = found.unseen;
  const bool all = unseen.cells == unseen.present;
  if (unseen.cells == 0 || (all && !last)) return;
  if (how_.unseen == UnseenRule::error || (how_.unseen == UnseenRule::automatic && all)) {
    throw DataError(
        fmt::format(
            "{}: the value {} did not occur in training{}", found.first_unseen, quote(unseen.example),
            all && unseen.cells > 1 ? fmt::format(", and neither did any of the column's {} cells", unseen.cells) : ""),
        "Correct the cells (upper and lower case differ), or take them as missing: --unseen missing.");
  }
  if (last) report_.unseen.push_back(unseen);
}

void PartEncoder::count_outside(std::size_t index, const Table& part, std::size_t column) {
  const Feature& feature = how_.features[index];
  if (feature.lowest == 0 && feature.highest == 0) return;
  const double span = feature.highest - feature.lowest;
  const double room = far * (span > 0 ? span : std::max(std::abs(feature.lowest), 1.0));
  Found& found = found_[index];
  for (const double value : part.columns[column].numbers) {
    if (std::isnan(value)) continue;
    ++found.present;
    if (value >= feature.lowest - room && value <= feature.highest + room) continue;
    if (found.outside++ == 0) found.example = value;
  }
}

/// A column that cannot be the one of training: an error where position alone says which it is, else a note.
void PartEncoder::judge_range(const Feature& feature, const Found& found, const Table& part) {
  if (2 * found.outside <= found.present) return;
  const std::string what =
      fmt::format("{} of {} cells of column {} lie far outside the range of training ({} to {}): {}", found.outside,
                  found.present, feature.name, feature.lowest, feature.highest, found.example);
  if (!part.reading.has_header) {
    throw DataError(fmt::format("{}: {}", part.source, what),
                    "Give the file the columns of the training file in the same order.");
  }
  report_.notes.push_back(what);
}

}  // namespace overtake
