// SPDX-License-Identifier: MIT
#include "overtake/data/preprocessing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "data/set/feature_width.hpp"
#include "data/table/columns.hpp"
#include "data/table/labels.hpp"
#include "overtake/data/table_parts.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

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

}  // namespace

std::vector<std::string> Preprocessing::feature_names() const {
  std::vector<std::string> names;
  for (const Feature& feature : features) names.push_back(feature.name);
  return names;
}

std::int64_t Preprocessing::inputs() const noexcept {
  std::int64_t count = 0;
  for (const Feature& feature : features) count += data::width_of(feature, text_as_codes);
  return count;
}

std::int64_t Preprocessing::outputs() const noexcept {
  return task == Task::classification ? static_cast<std::int64_t>(classes.size()) : 1;
}

Dataset Preprocessing::transform_features(const Table& table, TransformReport* report) const {
  PartEncoder encoder(*this);
  Dataset data = encoder.add(table, true);
  if (report == nullptr) return data;
  const TransformReport& found = encoder.report();
  report->unseen.insert(report->unseen.end(), found.unseen.begin(), found.unseen.end());
  report->notes.insert(report->notes.end(), found.notes.begin(), found.notes.end());
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
