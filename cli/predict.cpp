// SPDX-License-Identifier: MIT
// overtake predict: a trained model on new rows.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "overtake/data_preprocessing.hpp"
#include "overtake/data_table.hpp"
#include "overtake/error.hpp"
#include "overtake/model_file.hpp"
#include "overtake/nn.hpp"
#include "overtake/ops.hpp"
#include "overtake/report.hpp"
#include "terminal.hpp"

namespace cli {
namespace {

using overtake::Array;
using overtake::Preprocessing;

struct Options {
  std::string model, data, out;
  std::string device = "cpu";
  bool probabilities = false;
};

overtake::Table class_table(const Preprocessing& preprocessing, const Array& logits, bool probabilities) {
  overtake::Table table;
  table.rows = logits.shape()[0];
  table.columns.push_back(overtake::text_column(
      preprocessing.target, overtake::argmax(logits).to_vector<std::int32_t>(), preprocessing.classes));
  if (!probabilities) {
    return table;
  }
  const std::vector<float> values = overtake::softmax(logits).to_vector<float>();
  const std::size_t classes = preprocessing.classes.size();
  for (std::size_t c = 0; c < classes; ++c) {
    overtake::Column column;
    column.name = "probability_" + preprocessing.classes[c];
    for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
      column.numbers.push_back(values[row * classes + c]);
    }
    table.columns.push_back(std::move(column));
  }
  return table;
}

overtake::Table number_table(const Preprocessing& preprocessing, const Array& outputs) {
  overtake::Table table;
  table.rows = outputs.shape()[0];
  overtake::Column column;
  column.name = preprocessing.target;
  for (const float value : outputs.to_vector<float>()) {
    column.numbers.push_back(preprocessing.target_mean + preprocessing.target_scale * value);
  }
  table.columns.push_back(std::move(column));
  return table;
}

Preprocessing preprocessing_of(const overtake::LoadedModel& loaded, const std::string& path) {
  const auto found = loaded.metadata.find("preprocessing");
  if (found == loaded.metadata.end()) {
    throw overtake::DataError(fmt::format("{}: the model does not say how its inputs are prepared", path),
                              "Use a file that \"overtake train --save\" wrote.");
  }
  return Preprocessing::from_json(found->second, path);
}

/// Share of the file's target cells that the prediction meets; nothing when the file has no such column.
std::string accuracy_text(const overtake::Table& table, const Preprocessing& preprocessing,
                          const overtake::Table& predicted) {
  if (table.find(preprocessing.target) == nullptr || preprocessing.task != overtake::Task::classification) {
    return {};
  }
  const overtake::Dataset truth = preprocessing.transform(table);
  if (truth.labels.size() != predicted.columns.front().codes.size()) {
    return {};
  }
  std::int64_t right = 0;
  for (std::size_t row = 0; row < truth.labels.size(); ++row) {
    right += truth.labels[row] == predicted.columns.front().codes[row] ? 1 : 0;
  }
  return fmt::format(
      "accuracy on column {}: {} % ({} of {})\n", preprocessing.target,
      overtake::report::significant(100.0 * static_cast<double>(right) / static_cast<double>(truth.rows)), right,
      truth.rows);
}

int run(const Options& options) {
  check_writable(options.out);
  constexpr std::int64_t batch = 4096;
  const overtake::Device device(options.device);
  overtake::LoadedModel loaded = overtake::load_model(options.model);
  const Preprocessing preprocessing = preprocessing_of(loaded, options.model);
  const overtake::Table table = overtake::read_table(options.data, preprocessing.table_options());
  const overtake::Dataset data = preprocessing.transform_features(table);
  loaded.model.to(device);
  const Array inputs = Array::from(data.inputs, {data.rows, data.features});
  const Array outputs = overtake::nn::predict(loaded.model, inputs, batch).to("cpu");
  const bool classes = preprocessing.task == overtake::Task::classification;
  const overtake::Table predicted =
      classes ? class_table(preprocessing, outputs, options.probabilities) : number_table(preprocessing, outputs);
  overtake::write_table(options.out, predicted);
  if (options.out != "/dev/stdout") {
    print(fmt::format("wrote {} predictions of {} to {}\n", overtake::report::count(predicted.rows),
                      preprocessing.target, options.out) +
          accuracy_text(table, preprocessing, predicted));
  }
  return exit_ok;
}

}  // namespace

Command add_predict(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("predict", "Predict rows of a CSV file with a trained model");
  app->add_option("MODEL", options->model, "File that \"overtake train --save\" wrote")->required();
  app->add_option("DATA", options->data, "CSV file with the columns the model was trained on")->required();
  app->add_option("--out", options->out, "CSV file to write (-: standard output)")->required()->type_name("FILE");
  app->add_flag("--proba", options->probabilities, "Also write each class's probability");
  app->add_option("--device", options->device, "cpu, cuda, opencl:0, ...")->capture_default_str();
  app->footer("Examples:\n  overtake predict iris.safetensors flowers.csv --out predictions.csv --proba");
  return {app, [options] {
            if (options->out == "-") {
              options->out = "/dev/stdout";
            }
            return run(*options);
          }};
}

}  // namespace cli
