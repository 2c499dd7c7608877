// SPDX-License-Identifier: MIT
#include "output/train_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "output/description.hpp"
#include "output/forest_score.hpp"
#include "overtake/metrics.hpp"
#include "overtake/ops.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "overtake/version.hpp"

namespace cli {
namespace {

namespace report = overtake::report;
using overtake::Task;

/// Rows predicted at a time.
constexpr std::int64_t batch = 4096;

double root_mean_square_error(std::span<const double> predicted, const overtake::Dataset& truth) {
  const overtake::ErrorSums errors = overtake::error_sums(predicted, truth.targets);
  return -overtake::score_of_errors(overtake::Metric::neg_root_mean_squared_error, errors, truth.targets);
}

/// Which weights the model and the file hold.
std::string weights_text(const TrainResult& result) {
  const overtake::FitReport& fit = result.fit;
  if (fit.weights_epoch == 0) {
    return fit.mid_epoch ? "of some steps of epoch 1" : "those training began with";
  }
  std::string text = fmt::format("after epoch {}", fit.weights_epoch);
  if (fit.mid_epoch) {
    return text + " and some steps of the next";
  }
  if (result.validation && fit.weights_epoch == fit.best_epoch) {
    return text + ", the best on the rows to validate";
  }
  return text + (fit.weights_epoch < fit.epochs_run ? ", the last whose loss is a number" : ", the last");
}

std::string figures_text(const overtake::Preprocessing& how, const Figures& figures) {
  const std::string loss = report::significant(figures.loss);
  if (how.task == Task::classification) {
    return fmt::format("loss {}, error {} %", loss, report::significant(100 * (1 - figures.accuracy)));
  }
  const std::string r2 = std::isnan(figures.r2) ? "not defined" : report::significant(figures.r2, 4);
  return fmt::format("root mean square error {}, r2 {} (loss {}: standardised target squared)",
                     report::significant(figures.root_mean_square_error), r2, loss);
}

report::Json figures_json(const overtake::Preprocessing& how, const std::optional<Figures>& figures) {
  if (!figures) {
    return {};
  }
  report::Json json = report::Json::object();
  json.set("rows", figures->rows).set("loss", figures->loss);
  if (how.task == Task::classification) {
    return json.set("accuracy", figures->accuracy).set("error", 1 - figures->accuracy);
  }
  return json.set("r2", figures->r2).set("root_mean_square_error", figures->root_mean_square_error);
}

report::Json loss_json(const overtake::Preprocessing& how) {
  report::Json json = report::Json::object();
  if (how.task == Task::classification) {
    return json.set("name", "cross_entropy").set("unit", "nats");
  }
  json.set("name", "mse").set("unit", "standardised target squared");
  return json.set("target_mean", how.target_mean).set("target_scale", how.target_scale);
}

report::Json epochs_json(const overtake::FitReport& fit) {
  report::Json epochs = report::Json::array();
  for (const overtake::EpochRecord& record : fit.epochs) {
    report::Json json = report::Json::object();
    json.set("epoch", record.epoch).set("learning_rate", record.learning_rate);
    json.set("train_loss", record.train_loss).set("train_error", record.train_error);
    json.set("validation_loss", record.validation_loss).set("validation_error", record.validation_error);
    epochs.push(std::move(json));
  }
  return epochs;
}

}  // namespace

std::optional<Figures> figures_of(overtake::nn::Module& model, const overtake::Array& inputs,
                                  const overtake::Dataset& rows, const overtake::Preprocessing& how,
                                  const overtake::Evaluation& evaluation) {
  if (rows.rows == 0) {
    return std::nullopt;
  }
  Figures figures{.rows = rows.rows, .loss = evaluation.loss};
  const overtake::Array outputs = overtake::nn::predict(model, inputs, batch).to("cpu");
  if (how.task == Task::classification) {
    figures.accuracy = accuracy_of(overtake::argmax(outputs).to_vector<std::int32_t>(), rows);
    return figures;
  }
  const auto in_unit = [&](double value) { return how.target_mean + how.target_scale * value; };
  std::vector<double> predicted;
  for (const float value : outputs.to_vector<float>()) {
    predicted.push_back(in_unit(value));
  }
  overtake::Dataset truth = rows;
  std::transform(truth.targets.begin(), truth.targets.end(), truth.targets.begin(), in_unit);
  figures.r2 = r2_of(predicted, truth);
  figures.root_mean_square_error = root_mean_square_error(predicted, truth);
  return figures;
}

std::vector<std::string> notes_of(const overtake::PreparedData& data) {
  std::vector<std::string> notes;
  const std::string& target = data.preprocessing.target;
  if (data.preprocessing.task == Task::classification && data.preprocessing.outputs() == 1) {
    notes.push_back(fmt::format("column {} holds only one class, so there is nothing to learn", target));
  }
  const std::vector<double>& targets = data.training.targets;
  const bool constant = !targets.empty() && std::all_of(targets.begin(), targets.end(),
                                                        [&](double value) { return value == targets.front(); });
  if (constant) {
    notes.push_back(
        fmt::format("column {} holds only one value in the {} row{} to train on, so there is nothing to learn", target,
                    report::count(data.training.rows), data.training.rows == 1 ? "" : "s"));
  }
  if (data.validation.rows == 1) {
    notes.emplace_back("one row alone validates: its figures say little");
  }
  return notes;
}

std::string result_json(const TrainFlags& flags, const TrainResult& result) {
  const overtake::FitReport& fit = result.fit;
  const overtake::Preprocessing& how = result.data.preprocessing;
  report::Json seconds = report::Json::object();
  seconds.set("compile", fit.seconds.compile).set("transfer", fit.seconds.transfer).set("compute", fit.seconds.compute);
  report::Json weights = report::Json::object();
  weights.set("epoch", fit.weights_epoch).set("mid_epoch", fit.mid_epoch).set("text", weights_text(result));
  report::Json json = report::Json::object();
  json.set("schema", "overtake.train/1").set("overtake", overtake::version());
  json.set("data", flags.data).set("target", flags.target);
  json.set("task", how.task == Task::classification ? "classification" : "regression");
  json.set("table", description_json(result.data.description));
  json.set("rows", result.data.training.rows).set("validation_rows", result.data.validation.rows);
  json.set("inputs", how.inputs()).set("outputs", how.outputs());
  json.set("parameters", fit.parameters)
      .set("device", fit.device)
      .set("device_reason", result.device_reason)
      .set("threads", overtake::cpu_threads());
  json.set("engine", fit.engine).set("seconds", std::move(seconds)).set("steps", fit.steps);
  json.set("stop_reason", overtake::name_of(fit.stop_reason)).set("message", fit.message);
  json.set("first_bad_step", fit.first_bad_step > 0 ? report::Json(fit.first_bad_step) : report::Json());
  json.set("resumed_epoch", fit.resumed_epoch).set("epochs_run", fit.epochs_run).set("best_epoch", fit.best_epoch);
  json.set("weights", std::move(weights)).set("loss", loss_json(how));
  json.set("training", figures_json(how, result.training)).set("validation", figures_json(how, result.validation));
  json.set("epochs", epochs_json(fit));
  return json.set("model", flags.save.empty() ? report::Json() : report::Json(flags.save)).dump() + "\n";
}

std::string result_text(const TrainFlags& flags, const TrainResult& result) {
  const overtake::FitReport& fit = result.fit;
  const overtake::Preprocessing& how = result.data.preprocessing;
  std::string text = fmt::format("{}: {} epochs, {} steps on {} ({} engine) in {} (compile {}, transfer {})\n",
                                 overtake::name_of(fit.stop_reason), fit.epochs_run, report::count(fit.steps),
                                 fit.device, fit.engine, report::seconds(fit.seconds.compute),
                                 report::seconds(fit.seconds.compile), report::seconds(fit.seconds.transfer));
  if (fit.resumed_epoch > 0) {
    text += fmt::format("resumed: {} after epoch {}{}\n", flags.checkpoint, fit.resumed_epoch,
                        fit.steps == 0 ? ", with nothing left to train" : "");
  } else if (flags.resume) {
    text += fmt::format("resumed: no, training began anew, since {} was not there\n", flags.checkpoint);
  }
  text += fmt::format("weights: {}\n", weights_text(result));
  if (result.training) {
    text += fmt::format("training: {}\n", figures_text(how, *result.training));
  }
  if (result.validation) {
    text += fmt::format("validation: {}\n", figures_text(how, *result.validation));
  }
  return text + (flags.save.empty() ? "" : fmt::format("saved {}\n", flags.save));
}

}  // namespace cli
