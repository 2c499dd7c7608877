// SPDX-License-Identifier: MIT
#include "training_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "output/terminal.hpp"
#include "overtake/report.hpp"

namespace cli {
namespace {

namespace report = overtake::report;
using overtake::Table;
using overtake::Task;

std::string shortened(const std::string& text) {
  constexpr std::size_t longest = 24;
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // not inside a UTF-8 sequence
  return text.substr(0, end) + "...";
}

std::string reading_text(const overtake::Reading& reading) {
  const overtake::Notation& notation = reading.notation;
  const std::string delimiter = reading.delimiter == '\t' ? "tab" : std::string(1, reading.delimiter);
  std::string text = fmt::format("{}, delimiter {}, decimal mark {}",
                                 reading.has_header ? "with header" : "without header", delimiter, notation.decimal);
  text += notation.thousands.empty() ? "" : fmt::format(", thousands separator \"{}\"", notation.thousands);
  text += notation.units.empty() ? "" : fmt::format(", units {}", fmt::join(notation.units, " "));
  return text + fmt::format(", {}", reading.encoding);
}

/// The columns, and the task with its reason where the library chose it.
std::string decisions_text(const Table& table, const TrainingData& data, bool task_given) {
  std::string text = fmt::format("read: {}\n", overtake::summary_of(data.description));
  const std::vector<std::string> names = table.names();
  const auto target = std::find(names.begin(), names.end(), data.preprocessing.target) - names.begin();
  if (task_given || static_cast<std::size_t>(target) == names.size()) return text;
  const Task task = data.preprocessing.task;
  const Task other = task == Task::classification ? Task::regression : Task::classification;
  return text + fmt::format("task: {}, since {} (--task {} changes that)\n", name_of(task),
                            overtake::detect_task(table, static_cast<std::size_t>(target)).reason, name_of(other));
}

/// On the columns that the model uses, the target included.
std::string column_notes(const TrainingData& data) {
  const auto& features = data.preprocessing.features;
  std::string text;
  for (const overtake::ColumnDescription& column : data.description.columns) {
    const bool target = column.name == data.preprocessing.target;
    const bool feature = std::any_of(features.begin(), features.end(),
                                     [&](const overtake::Feature& known) { return known.name == column.name; });
    if (!target && !feature) continue;
    for (const std::string& note : target ? column.notes : column.all_notes()) {
      text += fmt::format("note: column {}: {}\n", column.name, note);
    }
  }
  return text;
}

TrainingData described(const Table& table, overtake::PreparedData prepared, bool task_given) {
  constexpr std::int64_t most_rows = 200'000;
  TrainingData data{std::move(prepared), overtake::describe(table, most_rows), {}, {}};
  data.decisions = decisions_text(table, data, task_given);
  data.notes = column_notes(data) + notes_text(data.report);
  return data;
}

overtake::PreprocessingOptions with_columns(overtake::PreprocessingOptions options, const DataFlags& flags,
                                            const overtake::TableOptions& reading, const ComputeFlags& compute) {
  options.ignore = reading.ignored;
  options.host_memory_limit = compute.host_memory_limit;
  options.task = flags.task;
  return options;
}

/// "150 rows, 4 features, 3 classes of species"
std::string data_text(const TrainingData& data) {
  const overtake::Preprocessing& how = data.preprocessing;
  std::string rows = report::counted(data.training.rows, "row");
  if (data.validation.rows > 0) {
    rows += fmt::format(" to train on, {} to validate", report::count(data.validation.rows));
  }
  const std::string learns = how.task == Task::classification
                                 ? report::counted(how.outputs(), "class", "es") + " of " + how.target
                                 : "predicting " + how.target;
  return fmt::format("{}, {}, {}", rows, report::counted(how.inputs(), how.text_as_codes ? "feature" : "input"),
                     learns);
}

}  // namespace

TrainingData read_network_data(const DataFlags& flags, const ComputeFlags& compute, double validation) {
  overtake::TableOptions reading = flags.training_options();
  reading.memory_limit = compute.table_limit();
  const Table table = overtake::read_table(flags.data, reading);
  return described(
      table,
      overtake::prepare(table, flags.roles.target, with_columns({}, flags, reading, compute), validation, compute.seed),
      flags.task.has_value());
}

TrainingData read_forest_data(const DataFlags& flags, const ComputeFlags& compute,
                              const overtake::Preprocessing* known) {
  overtake::TableOptions reading = flags.training_options();
  const overtake::PreprocessingOptions options =
      with_columns(overtake::PreprocessingOptions::for_forests(), flags, reading, compute);
  if (known != nullptr) {
    reading = known->table_options();
    flags.roles.apply_to(reading, flags.task);
  }
  reading.memory_limit = compute.table_limit();
  const Table table = overtake::read_table(flags.data, reading);
  return described(table, overtake::prepare(table, flags.roles, options, known),
                   known != nullptr || flags.task.has_value());
}

void print_head(const DataFlags& flags, const TrainingData& data, const overtake::Placement& device, bool describe,
                bool quiet, const std::string& more) {
  if (!quiet) {
    print(fmt::format("data: {}, {}\n{}{}device: {} ({})\n", flags.data, data_text(data), data.decisions, more,
                      device.device, device.reason));
    if (describe) print("\n" + description_text(data.description) + "\n");
  }
  print_error(data.notes);
  for (const std::string& note : device.notes) print_error(fmt::format("note: {}\n", note));
}

std::string description_text(const overtake::TableDescription& description) {
  report::Table table;
  table.columns = {{"column", report::Align::left},
                   {"kind", report::Align::left},
                   {"missing"},
                   {"distinct"},
                   {"lowest", report::Align::right, 2},
                   {"highest", report::Align::right, 2},
                   {"examples", report::Align::left, 1}};
  std::string notes;
  for (const overtake::ColumnDescription& column : description.columns) {
    std::vector<std::string> examples;
    for (const std::string& example : column.examples) examples.push_back(shortened(example));
    table.rows.push_back({shortened(column.name), column.kind, report::count(column.missing),
                          report::count(column.distinct), column.lowest, column.highest,
                          fmt::format("{}", fmt::join(examples, ", "))});
    for (const std::string& note : column.all_notes()) notes += fmt::format("note: column {}: {}\n", column.name, note);
  }
  return fmt::format("{}: {} rows; {}\nread {}\n\n", description.source, report::count(description.rows),
                     overtake::summary_of(description), reading_text(description.reading)) +
         report::table_text(table, standard_output().width) + notes;
}

std::string notes_text(const overtake::TransformReport& found) {
  std::string text;
  for (const overtake::UnseenCells& unseen : found.unseen) {
    text += fmt::format("note: column {}: {} of {} cells were not seen in training, such as \"{}\"; taken as missing\n",
                        shortened(unseen.column), unseen.cells, unseen.present, shortened(unseen.example));
  }
  for (const std::string& note : found.notes) text += fmt::format("note: {}\n", note);
  return text;
}

}  // namespace cli
