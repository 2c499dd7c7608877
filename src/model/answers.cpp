// SPDX-License-Identifier: MIT
// Answers of a model to the rows of tables and files, and how good they are.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "overtake/model.hpp"
#include "overtake/nn/network.hpp"
#include "overtake/score_parts.hpp"

namespace overtake {
namespace {

template <typename T>
void add_columns(Table& table, const std::vector<std::string>& names, const std::vector<T>& values) {
  for (std::size_t c = 0; c < names.size(); ++c) {
    Column column;
    column.name = names[c];
    column.numbers.reserve(values.size() / names.size());
    for (std::size_t i = c; i < values.size(); i += names.size()) {
      column.numbers.push_back(static_cast<double>(values[i]));
    }
    table.columns.push_back(std::move(column));
  }
}

bool is_complete(const Column& column) {
  return std::none_of(column.numbers.begin(), column.numbers.end(), [](double value) { return std::isnan(value); }) &&
         std::none_of(column.codes.begin(), column.codes.end(), [](std::int32_t code) { return code < 0; });
}

void check_options(const TableModel& model, const AnswerOptions& options) {
  if (options.probabilities && model.preprocessing.task != Task::classification) {
    throw UsageError("probabilities (proba, --proba) belong to classes, and this model predicts numbers");
  }
}

Table answers_to(const TableModel& model, const Dataset& rows, const AnswerOptions& options) {
  const Preprocessing& how = model.preprocessing;
  Table table;
  table.rows = rows.rows;
  if (how.task == Task::classification) {
    table.columns.push_back(text_column(how.target, model.model->predict_classes(rows.inputs), how.classes));
  } else {
    add_columns(table, {how.target}, model.model->predict(rows.inputs));
  }
  std::vector<std::string> names;
  if (options.probabilities) {
    for (const std::string& name : how.classes) names.push_back("probability_" + name);
    add_columns(table, names, model.model->predict(rows.inputs));
  }
  if (options.leaves) {
    const std::vector<std::int32_t> leaves = model.model->apply(rows.inputs);
    names.clear();
    const std::size_t trees = rows.rows > 0 ? leaves.size() / static_cast<std::size_t>(rows.rows) : 0;
    for (std::size_t tree = 0; tree < trees; ++tree) names.push_back(fmt::format("leaf_{}", tree));
    add_columns(table, names, leaves);
  }
  return table;
}

/// Compares answers with the target, part by part. What is wrong with the target counts only where every row has one,
/// which the last part tells.
class TargetScore {
 public:
  explicit TargetScore(const Preprocessing& how) : how_(how) {
    how_.features.clear();
    // The cells as they are: a number standardised and brought back may differ in its last digits.
    how_.target_mean = 0;
    how_.target_scale = 1;
  }

  void add(const Table& answers, const Table& part) {
    const Column* column = part.find(how_.target);
    known_ = known_ && column != nullptr && is_complete(*column);
    if (!known_ || problem_) return;
    try {
      check_days(part, *column);
      compare(*answers.find(how_.target), how_.transform(part));
    } catch (const DataError&) {
      problem_ = std::current_exception();
    }
  }

  [[nodiscard]] std::optional<double> value() const {
    if (!known_) return std::nullopt;
    if (problem_) std::rethrow_exception(problem_);
    if (how_.task == Task::regression) return errors_.value();
    return static_cast<double>(hits_) / static_cast<double>(rows_);
  }

 private:
  void compare(const Column& answer, const Dataset& truth) {
    if (how_.task == Task::regression) return errors_.add(answer.numbers, truth.targets);
    for (std::size_t row = 0; row < truth.labels.size(); ++row) hits_ += answer.codes[row] == truth.labels[row] ? 1 : 0;
    rows_ += static_cast<std::int64_t>(truth.labels.size());
  }

  /// Dates alone are numbers. Where something else follows they are words, and the first of them is what is wrong.
  void check_days(const Table& part, const Column& column) {
    if (how_.task != Task::regression) return;
    if (column.kind == ColumnKind::text && first_day_) static_cast<void>(how_.transform(*first_day_));
    if (column.kind != ColumnKind::numeric || !column.days || first_day_ || !column.spelled()) return;
    first_day_ = Table{part.source, part.reading, 1, {}, {part.line_of_row.begin(), part.line_of_row.begin() + 1}};
    for (const Column& other : part.columns) {
      first_day_->columns.push_back(text_column(other.name, {0}, {column.categories.front()}));
    }
  }

  Preprocessing how_;
  bool known_ = true;  // every row so far has the target
  std::exception_ptr problem_;
  std::optional<Table> first_day_;
  std::int64_t hits_ = 0, rows_ = 0;
  R2Sums errors_;
};

/// What the work on a row takes beside its cells: inputs and their copy for the device, shares, and columns of answers.
std::uint64_t bytes_of_row(const TableModel& model, const AnswerOptions& options) {
  const auto inputs = static_cast<std::uint64_t>(model.preprocessing.inputs());
  const auto outputs = static_cast<std::uint64_t>(model.preprocessing.outputs());
  const std::uint64_t trees = options.leaves ? model.model->apply(std::vector<float>(inputs)).size() : 0;
  return 2 * sizeof(float) * inputs + 3 * sizeof(double) * outputs + 2 * sizeof(double) * trees;
}

}  // namespace

Table predict(const TableModel& model, const Table& data, const AnswerOptions& options, TransformReport* report) {
  check_options(model, options);
  return answers_to(model, model.preprocessing.transform_features(data, report), options);
}

std::optional<double> score_of(const TableModel& model, const Table& answers, const Table& data) {
  TargetScore score(model.preprocessing);
  score.add(answers, data);
  return score.value();
}

AnswersRoom room_for_answers(const Model& model, const Device& device, std::uint64_t host_memory_limit) {
  constexpr std::uint64_t least = std::uint64_t{1} << 20;
  constexpr std::uint64_t copies = 3;  // what grows is held twice for a moment, and answers are held as text, too
  constexpr std::uint64_t buffers = std::uint64_t{2} << 20;  // of reading and writing, whatever the part
  constexpr std::int64_t least_rows = 64;
  const std::vector<std::int64_t> widths = model.widths();
  const bool computes_here = !widths.empty() && is_in_host_memory(device.info().kind);
  const auto memory = [&](std::int64_t rows) {
    return computes_here ? memory_of_answers(widths, rows, device.info()) : MemoryPlan{};
  };
  MemoryPlan need = memory(least_rows);
  const std::uint64_t always = memory(0).bytes(MemoryPlace::host);
  const std::uint64_t least_layers = need.bytes(MemoryPlace::host) - always;
  need.add("a part of the file", copies * least + buffers);
  require_host_memory(need, host_memory_limit, "predicting", "use a smaller model.");
  const std::uint64_t free = host_memory_left(host_memory_limit);
  const std::uint64_t left = free - std::min(free, always + buffers);
  AnswersRoom room;
  const std::uint64_t beyond_least = left - std::min(left, copies * least + least_layers);
  if (computes_here && host_memory_limit > 0) room.layer_bytes = least_layers + beyond_least / 2;
  room.part_bytes = std::min(room.part_bytes, std::max(least, (left - std::min(left, room.layer_bytes)) / copies));
  return room;
}

struct FilePredictor::State {
  State(const TableModel& asked, const std::filesystem::path& data, const TableOptions& reading,
        const AnswerOptions& answers, std::uint64_t part_bytes)
      : model(asked),
        options(answers),
        reader(data, reading, {part_bytes, bytes_of_row(model, options)}),
        encoder(model.preprocessing),
        target(model.preprocessing) {}

  const TableModel& model;
  AnswerOptions options;
  TableReader reader;
  PartEncoder encoder;
  TargetScore target;
  std::optional<double> score;
  std::int64_t rows = 0;
};

FilePredictor::FilePredictor(const TableModel& model, const std::filesystem::path& data, const TableOptions& reading,
                             const AnswerOptions& options, std::uint64_t part_bytes) {
  check_options(model, options);
  state_ = std::make_unique<State>(model, data, reading, options, part_bytes);
}

FilePredictor::~FilePredictor() = default;

std::optional<Table> FilePredictor::next() {
  State& state = *state_;
  std::optional<Table> part = state.reader.next();
  if (!part) return std::nullopt;
  const Dataset rows = state.encoder.add(*part, at_end());
  for (Column& column : part->columns) {  // of the cells, the target's alone are still needed
    if (column.name != state.model.preprocessing.target) column = text_column(column.name, {}, {});
  }
  Table answers = answers_to(state.model, rows, state.options);
  state.target.add(answers, *part);
  if (at_end()) state.score = state.target.value();
  state.rows += answers.rows;
  return answers;
}

bool FilePredictor::at_end() const noexcept { return state_->reader.at_end(); }

std::uint64_t FilePredictor::file_bytes() const noexcept { return state_->reader.file_bytes(); }

const TransformReport& FilePredictor::report() const noexcept { return state_->encoder.report(); }

std::optional<double> FilePredictor::score() const noexcept { return state_->score; }

std::int64_t FilePredictor::rows() const noexcept { return state_->rows; }

}  // namespace overtake
