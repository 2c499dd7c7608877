// SPDX-License-Identifier: MIT
#include "prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "flags/names.hpp"
#include "output/forest_score.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/data/table.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/model_file.hpp"
#include "overtake/ops.hpp"
#include "overtake/report.hpp"

namespace cli {
namespace {

using overtake::Array;
using overtake::DataError;
using overtake::Preprocessing;
using overtake::UsageError;

Preprocessing preprocessing_of(const std::map<std::string, std::string>& metadata, const std::string& path) {
  const auto found = metadata.find("preprocessing");
  if (found == metadata.end()) {
    throw DataError(fmt::format("{}: the model does not say how its inputs are prepared", path),
                    "Use a file that \"overtake train --save\" wrote.");
  }
  return Preprocessing::from_json(found->second, path);
}

bool holds_forest(const std::string& path) {
  // Whether it must have a checksum, the reader of the one or the other model knows.
  return overtake::read_safetensors(path).metadata.contains("overtake.forest");
}

void check_probabilities(const PredictFlags& flags, const Preprocessing& preprocessing) {
  if (flags.probabilities && preprocessing.task != overtake::Task::classification) {
    throw UsageError(fmt::format("--proba belongs to classes, and {} predicts numbers", flags.model));
  }
}

void apply_unseen(const std::string& rule, Preprocessing& preprocessing) {
  check_choice(rule, {"auto", "error", "missing"}, "--unseen");
  if (rule != "auto") {
    preprocessing.unseen = rule == "error" ? overtake::UnseenRule::error : overtake::UnseenRule::missing;
  }
}

/// Before the data is read and encoded, which may take much memory.
void check_belongs(const std::string& path, const Preprocessing& how, std::int64_t inputs, std::int64_t outputs) {
  if (how.inputs() == inputs && how.outputs() == outputs) {
    return;
  }
  throw DataError(fmt::format("{}: its network and its description of the columns do not belong together: the network "
                              "takes {} inputs and gives {} outputs, the description says {} and {}",
                              path, inputs, outputs, how.inputs(), how.outputs()),
                  "Train and save the network again.");
}

/// Reads the data as the model wants it.
overtake::Dataset read_rows(const PredictFlags& flags, Prediction& prediction) {
  check_probabilities(flags, prediction.preprocessing);
  apply_unseen(flags.unseen, prediction.preprocessing);
  overtake::TableOptions options = prediction.preprocessing.table_options();
  apply_notation(flags, options);
  prediction.data = overtake::read_table(flags.data, options);
  overtake::TransformReport report;
  overtake::Dataset rows = prediction.preprocessing.transform_features(prediction.data, &report);
  prediction.notes = notes_text(report);
  prediction.answers.rows = rows.rows;
  return rows;
}

Prediction predict_with_network(const PredictFlags& flags, const overtake::Device& device) {
  if (flags.leaves) {
    throw UsageError(fmt::format("--apply belongs to forests, and {} is a network", flags.model));
  }
  constexpr std::int64_t batch = 4096;
  overtake::LoadedModel loaded = overtake::load_model(flags.model);
  Prediction prediction;
  const Preprocessing& how = prediction.preprocessing = preprocessing_of(loaded.metadata, flags.model);
  check_belongs(flags.model, how, loaded.inputs, loaded.outputs);
  const overtake::Dataset rows = read_rows(flags, prediction);
  loaded.model.to(device);
  const Array inputs = Array::from(rows.inputs, {rows.rows, rows.features});
  const Array outputs = overtake::nn::predict(loaded.model, inputs, batch).to("cpu");
  Answers& answers = prediction.answers;
  if (how.task == overtake::Task::classification) {
    answers.labels = overtake::argmax(outputs).to_vector<std::int32_t>();
    if (flags.probabilities) {
      const std::vector<float> probabilities = overtake::softmax(outputs).to_vector<float>();
      answers.probabilities.assign(probabilities.begin(), probabilities.end());
    }
    return prediction;
  }
  for (const float value : outputs.to_vector<float>()) {
    answers.numbers.push_back(how.target_mean + how.target_scale * static_cast<double>(value));
  }
  return prediction;
}

Prediction predict_with_forest(const PredictFlags& flags) {
  if (flags.device != "cpu") {
    throw UsageError(fmt::format("--device {}: forests predict on the CPU", flags.device), "Leave --device out.");
  }
  const overtake::LoadedForest loaded = overtake::load_forest(flags.model);
  Prediction prediction;
  prediction.preprocessing = preprocessing_of(loaded.metadata, flags.model);
  if (prediction.preprocessing.inputs() != loaded.forest.features ||
      static_cast<std::int32_t>(prediction.preprocessing.classes.size()) != loaded.forest.classes) {
    throw DataError(
        fmt::format("{}: its forest and its description of the columns do not belong together", flags.model),
        "Train and save the forest again.");
  }
  const overtake::Dataset rows = read_rows(flags, prediction);
  Answers& answers = prediction.answers;
  if (loaded.forest.classes > 0) {
    answers.labels = loaded.forest.predict(rows.inputs);
    if (flags.probabilities) {
      answers.probabilities = loaded.forest.predict_proba(rows.inputs);
    }
  } else {
    answers.numbers = loaded.forest.predict_values(rows.inputs);
  }
  if (flags.leaves) {
    answers.leaves = loaded.forest.apply(rows.inputs);
  }
  return prediction;
}

/// Column `index` of a row-major table of numbers.
template <typename T>
overtake::Column column_of(std::string name, const std::vector<T>& values, std::size_t index, std::size_t width) {
  overtake::Column column;
  column.name = std::move(name);
  for (std::size_t i = index; i < values.size(); i += width) {
    column.numbers.push_back(static_cast<double>(values[i]));
  }
  return column;
}

}  // namespace

Prediction predict_file(const PredictFlags& flags) {
  const overtake::Device device(flags.device);
  return holds_forest(flags.model) ? predict_with_forest(flags) : predict_with_network(flags, device);
}

overtake::Table answer_table(const Prediction& prediction) {
  const Answers& answers = prediction.answers;
  const std::vector<std::string>& classes = prediction.preprocessing.classes;
  const std::string& target = prediction.preprocessing.target;
  overtake::Table table;
  table.rows = answers.rows;
  if (prediction.preprocessing.task == overtake::Task::classification) {
    table.columns.push_back(overtake::text_column(target, answers.labels, classes));
  } else {
    table.columns.push_back(column_of(target, answers.numbers, 0, 1));
  }
  for (std::size_t c = 0; c < classes.size() && !answers.probabilities.empty(); ++c) {
    table.columns.push_back(column_of("probability_" + classes[c], answers.probabilities, c, classes.size()));
  }
  const std::size_t trees = answers.rows > 0 ? answers.leaves.size() / static_cast<std::size_t>(answers.rows) : 0;
  for (std::size_t tree = 0; tree < trees; ++tree) {
    table.columns.push_back(column_of(fmt::format("leaf_{}", tree), answers.leaves, tree, trees));
  }
  return table;
}

std::optional<overtake::Dataset> truth_of(const Prediction& prediction) {
  const Preprocessing& how = prediction.preprocessing;
  const overtake::Column* column = prediction.data.find(how.target);
  if (column == nullptr) {
    return std::nullopt;
  }
  const bool incomplete =
      std::any_of(column->numbers.begin(), column->numbers.end(), [](double value) { return std::isnan(value); }) ||
      std::any_of(column->codes.begin(), column->codes.end(), [](std::int32_t code) { return code < 0; });
  if (incomplete) {
    return std::nullopt;
  }
  // The cells as they are: a number standardised and brought back may differ in its last digits.
  Preprocessing plain = how;
  plain.target_mean = 0;
  plain.target_scale = 1;
  overtake::Dataset truth = plain.transform(prediction.data);
  const bool known = !truth.labels.empty() || !truth.targets.empty();
  return known ? std::optional(std::move(truth)) : std::nullopt;
}

std::string score_text(const Prediction& prediction, const overtake::Dataset& truth) {
  const Answers& answers = prediction.answers;
  const std::string& target = prediction.preprocessing.target;
  if (truth.task == overtake::Task::regression) {
    return fmt::format("r2 on column {}: {}\n", target, score_number(r2_of(answers.numbers, truth), 6));
  }
  const double share = accuracy_of(answers.labels, truth);
  const auto right = std::llround(share * static_cast<double>(truth.rows));
  return fmt::format("accuracy on column {}: {} % ({} of {})\n", target, overtake::report::significant(100 * share),
                     right, truth.rows);
}

}  // namespace cli
