// SPDX-License-Identifier: MIT
// The Trainer for other languages.
#include <limits>

#include "c_api/array_handle.hpp"
#include "c_api/nn/handles.hpp"
#include "c_api/watch.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/report.hpp"

namespace api = overtake::c_api;
using overtake::EpochRecord;
using overtake::Evaluation;
using overtake::FitReport;
using overtake::report::Json;

namespace {

constexpr int most = std::numeric_limits<int>::max();
constexpr std::int64_t most_large = std::numeric_limits<std::int64_t>::max();

/// Tells who watches of the progress, and on_epoch of the figures.
class Observer final : public overtake::TrainingObserver {
 public:
  Observer(api::Watch& watch, const overtake_training& training) : watch_(watch), training_(training) {}

  void on_epoch(const overtake::EpochEvent& event) override {
    watch_.on_progress(event);
    if (training_.on_epoch == nullptr) return;
    const EpochRecord& record = event.record;
    const overtake_epoch told{record.epoch,           record.learning_rate,    record.train_loss, record.train_error,
                              record.validation_loss, record.validation_error, event.best ? 1 : 0};
    if (training_.on_epoch(training_.context, &told) != 0) throw api::CallerFailed();
  }

 private:
  api::Watch& watch_;
  const overtake_training& training_;
};

overtake::TrainerOptions options_of(const overtake_training& training) {
  using api::Settings;
  const Settings settings(training.settings,
                          {"epochs", "batch_size", "shuffle", "seed", "validation_fraction", "patience", "min_delta",
                           "restore_best", "clip_grad_norm", "checkpoint_path", "checkpoint_every", "resume",
                           "report_every", "check_data", "check_result", "precision", "accumulate"});
  overtake::TrainerOptions options;
  Settings::take(settings.whole("epochs", -most, most), options.epochs);
  Settings::take(settings.whole("batch_size", -most_large, most_large), options.batch_size);
  Settings::take(settings.flag("shuffle"), options.shuffle);
  Settings::take(settings.whole("seed", 0, most_large), options.seed);
  Settings::take(settings.number("validation_fraction"), options.validation_fraction);
  Settings::take(settings.whole("patience", -most, most), options.patience);
  Settings::take(settings.number("min_delta"), options.min_delta);
  Settings::take(settings.flag("restore_best"), options.restore_best);
  Settings::take(settings.number("clip_grad_norm"), options.clip_grad_norm);
  Settings::take(settings.text("checkpoint_path"), options.checkpoint_path);
  Settings::take(settings.whole("checkpoint_every", -most, most), options.checkpoint_every);
  Settings::take(settings.flag("resume"), options.resume);
  Settings::take(settings.whole("report_every", -most, most), options.report_every);
  Settings::take(settings.flag("check_data"), options.check_data);
  Settings::take(settings.flag("check_result"), options.check_result);
  if (const auto precision = settings.text("precision")) options.precision = overtake::precision_named(*precision);
  Settings::take(settings.whole("accumulate", -most, most), options.accumulate);
  options.validation_inputs = api::array_or_none(training.validation_inputs);
  options.validation_targets = api::array_or_none(training.validation_targets);
  options.schedule = api::parse_schedule(training.schedule);
  return options;
}

Json json_of(const Evaluation& evaluation) {
  Json json = Json::object();
  json.set("loss", evaluation.loss).set("error", evaluation.error);
  return json;
}

Json json_of(const EpochRecord& record) {
  Json json = Json::object();
  json.set("epoch", record.epoch).set("learning_rate", record.learning_rate).set("train_loss", record.train_loss);
  json.set("train_error", record.train_error).set("validation_loss", record.validation_loss);
  json.set("validation_error", record.validation_error);
  return json;
}

Json json_of(const FitReport& report) {
  Json epochs = Json::array();
  for (const EpochRecord& record : report.epochs) epochs.push(json_of(record));
  Json seconds = Json::object();
  seconds.set("compile", report.seconds.compile).set("transfer", report.seconds.transfer);
  seconds.set("compute", report.seconds.compute);
  Json json = Json::object();
  json.set("epochs", std::move(epochs)).set("epochs_run", report.epochs_run);
  json.set("resumed_epoch", report.resumed_epoch).set("best_epoch", report.best_epoch);
  json.set("weights_epoch", report.weights_epoch).set("mid_epoch", report.mid_epoch);
  json.set("training", json_of(report.training)).set("validation", json_of(report.validation));
  json.set("stop_reason", overtake::name_of(report.stop_reason)).set("message", report.message);
  json.set("first_bad_step", report.first_bad_step).set("seconds", std::move(seconds));
  json.set("steps", report.steps).set("engine", report.engine).set("device", report.device);
  json.set("parameters", report.parameters).set("launches_per_step", report.launches_per_step);
  json.set("plan_bytes", report.plan_bytes);
  return json;
}

}  // namespace

overtake_status overtake_train(overtake_module* module, const overtake_loss* loss, overtake_optimizer* optimizer,
                               const overtake_training* training, const overtake_watch* watch, overtake_text** report) {
  return api::guarded([&] {
    overtake_text*& result = api::given(report, "report");
    const overtake_training& asked = api::given(training, "training");
    api::Watch watched(watch);
    Observer observer(watched, asked);
    overtake::TrainerOptions options = options_of(asked);
    options.stop = watched.stop();
    options.observer = &observer;
    overtake::Trainer trainer(api::module_of(module), api::given(loss, "loss").for_trainer(),
                              api::optimizer_of(optimizer, "the Trainer"), std::move(options));
    api::hand_out(
        json_of(trainer.fit(api::array_of(asked.inputs, "inputs"), api::array_of(asked.targets, "targets"))).dump(-1),
        &result);
  });
}

overtake_status overtake_evaluate(overtake_module* module, const overtake_loss* loss, overtake_optimizer* optimizer,
                                  const overtake_array* inputs, const overtake_array* targets, double* mean_loss,
                                  double* error) {
  return api::guarded([&] {
    overtake::Trainer trainer(api::module_of(module), api::given(loss, "loss").for_trainer(),
                              api::optimizer_of(optimizer, "the Trainer"));
    const Evaluation found = trainer.evaluate(api::array_of(inputs, "inputs"), api::array_of(targets, "targets"));
    api::given(mean_loss, "mean_loss") = found.loss;
    api::given(error, "error") = found.error;
  });
}
