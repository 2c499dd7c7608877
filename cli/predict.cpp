// SPDX-License-Identifier: MIT
// overtake predict: a trained model on new rows.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command.hpp"
#include "flags/common_options.hpp"
#include "flags/names.hpp"
#include "flags/reading_options.hpp"
#include "image_predict.hpp"
#include "output/outputs.hpp"
#include "output/plan_output.hpp"
#include "output/terminal.hpp"
#include "output/transfers_line.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "overtake/model.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "overtake/text.hpp"
#include "overtake/vision.hpp"
#include "training_data.hpp"

namespace cli {
namespace {

struct PredictFlags {
  ReadingFlags reading;
  ComputeFlags compute;
  std::string model, out = "-", unseen = "auto", plan_json;
  std::vector<std::string> data;
  std::int64_t top = 0;                      ///< of images; 0: not asked for
  std::string precision, labels, on_broken;  ///< of images; "": not asked for
  overtake::AnswerOptions answers;
};

/// How many of the true targets the answers meet.
std::string score_text(const overtake::Preprocessing& how, double score, std::int64_t rows) {
  if (how.task == overtake::Task::regression) {
    const std::string r2 = std::isnan(score) ? "undefined" : fmt::format("{:.6f}", score);
    return fmt::format("r2 on column {}: {}\n", how.target, r2);
  }
  return fmt::format("accuracy on column {}: {} % ({} of {})\n", how.target, overtake::report::significant(100 * score),
                     std::llround(score * static_cast<double>(rows)), rows);
}

/// A file appears when all is answered; a pipe gets each part at once, and nothing is opened before there is one.
void write_answers(overtake::FilePredictor& predictor, const std::string& path) {
  std::optional<TableOutput> output;
  while (const std::optional<overtake::Table> answers = predictor.next()) {
    if (predictor.at_end()) print_error(notes_text(predictor.report()));
    if (!output) output.emplace(path);
    output->add(*answers);
  }
  output->commit();
}

int plan_answers(const PredictFlags& flags, overtake::TableModel model, const overtake::TableOptions& reading,
                 const overtake::AnswersRoom& room, const std::string& device) {
  if (device != "cpu") model.model = overtake::read_model(flags.model).model;  // to the CPU, where it is timed
  overtake::AnswersForecast forecast =
      overtake::forecast_answers(model, flags.reading.data, reading, flags.answers, room, device);
  overtake::report::Json counts = overtake::report::Json::object();
  counts.set("rows", forecast.rows).set("rows_counted", forecast.rows_counted);
  const std::string head = fmt::format("{}{} rows for a {}", forecast.rows_counted ? "" : "about ",
                                       overtake::report::count(forecast.rows), model.model->describe());
  show_plan({"predict", {}, std::move(forecast.placement), {}, std::move(counts), head}, flags.plan_json);
  return exit_ok;
}

int run(const PredictFlags& flags) {
  check_outputs({{"--out", flags.out}}, {{"MODEL", flags.model}, {"DATA", flags.reading.data}});
  const std::vector<std::string> rules = {"auto", "error", "missing"};
  overtake::text::check_choice("--unseen", flags.unseen, rules);
  overtake::set_cpu_threads(flags.compute.threads);
  const overtake::Device device(flags.compute.device);
  overtake::TableModel model = overtake::read_model(flags.model, device, flags.compute.host_memory_limit);
  overtake::Preprocessing& how = model.preprocessing;
  if (flags.unseen != "auto") {
    how.unseen = flags.unseen == "error" ? overtake::UnseenRule::error : overtake::UnseenRule::missing;
  }
  overtake::TableOptions reading = flags.reading.over(how.table_options());
  const overtake::AnswersRoom room = overtake::room_for_answers(*model.model, device, flags.compute.host_memory_limit);
  // A part's inputs and answers are arrays, too.
  if (room.layer_bytes > 0) device.set_memory_limit(device.memory_held() + room.layer_bytes + room.part_bytes);
  reading.memory_limit = flags.compute.table_limit();
  if (flags.compute.plan) return plan_answers(flags, std::move(model), reading, room, device.id());
  overtake::FilePredictor predictor(model, flags.reading.data, reading, flags.answers, room.part_bytes);
  write_answers(predictor, flags.out);
  if (is_standard_output(flags.out)) return exit_ok;
  print(fmt::format("wrote {} predictions of {} to {}\n", overtake::report::count(predictor.rows()), how.target,
                    flags.out) +
        (predictor.score() ? score_text(how, *predictor.score(), predictor.rows()) : "") +
        transfers_line(overtake::transfer_stats()));
  return exit_ok;
}

int run_any(const CLI::App& app, PredictFlags& flags) {
  if (overtake::is_image_model(flags.model)) {
    refuse_all_but(
        app, {"MODEL", "DATA", "--top", "--out", "--device", "--threads", "--precision", "--labels", "--on-broken"}, "",
        "models of images", fmt::format("{} answers with the --top likeliest classes.", flags.model));
    require(app.count("--top") == 0 || flags.top >= 1, fmt::format("--top {}: expected 1 or more", flags.top));
    ImageQuestion question;
    question.model = flags.model;
    question.data = flags.data;
    question.labels = flags.labels;
    question.on_broken = flags.on_broken;
    question.out = flags.out;
    question.top = flags.top == 0 ? 1 : flags.top;
    question.device = flags.compute.device;
    question.threads = flags.compute.threads;
    question.precision = flags.precision;
    return predict_images(question);
  }
  const bool is_there = std::filesystem::exists(flags.model);  // else reading it says so
  for (const char* flag : {"--top", "--precision", "--labels", "--on-broken"}) {
    require(!is_there || app.count(flag) == 0,
            fmt::format("{} is a model for tables: {} is not for it", flags.model, flag),
            "It belongs to models of images (train --model).");
  }
  require(!is_there || flags.data.size() == 1,
          fmt::format("{} is a model for tables: it takes one file, not {}", flags.model, flags.data.size()),
          "Several are for models of images (train --model).");
  flags.reading.data = flags.data.front();
  return run(flags);
}

}  // namespace

Command add_predict(CLI::App& root) {
  auto flags = std::make_shared<PredictFlags>();
  flags->compute.device = "cpu";
  CLI::App* app = root.add_subcommand("predict", "Predict rows of a CSV file, or images, with a trained model");
  app->add_option("MODEL", flags->model, "File that \"overtake train --save\" or \"search --save\" wrote")->required();
  app->add_option("DATA", flags->data, "CSV file with the columns the model was trained on; images: files and folders")
      ->required();
  app->add_option("--top", flags->top, "Images: the likeliest classes of each, so many (default: 1)")->type_name("N");
  app->add_option("--precision", flags->precision, "Images: fp32 (default), tf32 or bf16")->type_name("NAME");
  app->add_option("--labels", flags->labels, "Images: labels of an IDX file, to say how many answers are right")
      ->type_name("FILE");
  app->add_option("--on-broken", flags->on_broken, "Images that cannot be read: refuse (default) or skip")
      ->type_name("RULE");
  app->add_option("--out", flags->out, "CSV file to write (-: standard output)")
      ->capture_default_str()
      ->type_name("FILE");
  app->add_flag("--proba", flags->answers.probabilities, "Also write each class's probability");
  app->add_flag("--apply", flags->answers.leaves, "Also write the leaf that each row reaches in each tree of a forest");
  app->add_option("--unseen", flags->unseen,
                  "Text that training did not see: error, missing (default: missing, but an error where a column has "
                  "nothing else)")
      ->type_name("RULE");
  add_notation_flags(*app, flags->reading);
  add_device_flags(*app, flags->compute);
  CLI::Option* plan = add_plan_flag(*app, flags->compute);
  add_json_flag(*app, flags->plan_json)
      ->description("Write the plan as JSON to a file (-: standard output)")
      ->needs(plan);
  add_host_memory_limit_flag(*app, flags->compute.host_memory_limit);
  app->footer(
      "Examples:\n"
      "  overtake predict iris.safetensors flowers.csv --out predictions.csv --proba\n"
      "  overtake predict forest.overtake flowers.csv --proba\n"
      "  overtake predict forest.overtake flowers.csv --plan\n"
      "  overtake predict vgg16.safetensors new/*.jpg more --top 5");
  return {app, [app, flags] { return run_any(*app, *flags); }};
}

}  // namespace cli
