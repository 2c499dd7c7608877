// SPDX-License-Identifier: MIT
// overtake predict: a trained model on new rows.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <optional>
#include <string>

#include "command.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/data/table.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "prediction.hpp"

namespace cli {
namespace {

int run(const PredictFlags& flags) {
  check_outputs({{"--out", flags.out}}, {{"MODEL", flags.model}, {"DATA", flags.data}});
  overtake::set_cpu_threads(flags.threads);
  const Prediction prediction = predict_file(flags);
  // Before the file is written: a class that training did not see is an error, and errors leave nothing behind.
  const std::optional<overtake::Dataset> truth = truth_of(prediction);
  const overtake::Table table = answer_table(prediction);
  print_error(prediction.notes);
  if (is_standard_output(flags.out)) {
    print_table(table);
  } else {
    overtake::write_table(flags.out, table);
    print(fmt::format("wrote {} predictions of {} to {}\n", overtake::report::count(prediction.answers.rows),
                      prediction.preprocessing.target, flags.out) +
          (truth ? score_text(prediction, *truth) : ""));
  }
  return exit_ok;
}

}  // namespace

Command add_predict(CLI::App& root) {
  auto flags = std::make_shared<PredictFlags>();
  CLI::App* app = root.add_subcommand("predict", "Predict rows of a CSV file with a trained model");
  app->add_option("MODEL", flags->model, "File that \"overtake train --save\" or \"search --save\" wrote")->required();
  app->add_option("DATA", flags->data, "CSV file with the columns the model was trained on")->required();
  app->add_option("--out", flags->out, "CSV file to write (-: standard output)")
      ->capture_default_str()
      ->type_name("FILE");
  app->add_flag("--proba", flags->probabilities, "Also write each class's probability");
  app->add_flag("--apply", flags->leaves, "Also write the leaf that each row reaches in each tree of a forest");
  app->add_option("--unseen", flags->unseen,
                  "Text that training did not see: error, missing (default: missing, but an error where a column has "
                  "nothing else)")
      ->type_name("RULE");
  add_notation_flags(*app, *flags);
  app->add_option("--device", flags->device, "cpu, cuda, opencl:0, ... (networks)")->capture_default_str();
  app->add_option("--threads", flags->threads, "CPU threads (0: all)")->capture_default_str();
  app->footer(
      "Examples:\n"
      "  overtake predict iris.safetensors flowers.csv --out predictions.csv --proba\n"
      "  overtake predict forest.overtake flowers.csv --proba");
  return {app, [flags] { return run(*flags); }};
}

}  // namespace cli
