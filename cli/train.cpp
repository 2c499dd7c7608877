// SPDX-License-Identifier: MIT
// overtake train: a network or a forest from a CSV file.
#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "command.hpp"
#include "flags/names.hpp"
#include "flags/train_options.hpp"
#include "forest_train.hpp"
#include "output/description.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "output/train_output.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/data/table.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/model_file.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/placement.hpp"
#include "overtake/race.hpp"
#include "overtake/report.hpp"
#include "system.hpp"

namespace cli {
namespace {

namespace report = overtake::report;
using overtake::Array;

struct Arrays {
  Array inputs, targets;
};

Arrays arrays_of(const overtake::Dataset& data) {
  if (data.rows == 0) {
    return {};
  }
  const Array inputs = Array::from(data.inputs, {data.rows, data.features});
  if (data.task == overtake::Task::classification) {
    return {inputs, Array::from(data.labels, {data.rows})};
  }
  const std::vector<float> targets(data.targets.begin(), data.targets.end());
  return {inputs, Array::from(targets, {data.rows})};
}

NetworkData read_data(const TrainFlags& flags) {
  overtake::TableOptions reading = training_options(flags, flags.target);
  reading.memory_limit = flags.memory_limit;
  const overtake::Table table = overtake::read_table(flags.data, reading);
  overtake::PreprocessingOptions options;
  options.ignore = parse_words(flags.drop);
  options.task = task_of(flags);
  NetworkData data{overtake::prepare(table, flags.target, options, flags.validation, flags.seed), {}, {}, {}};
  constexpr std::int64_t most_rows = 200'000;
  data.description = overtake::describe(table, most_rows);
  data.decisions = decisions_text(table, data.description, data.preprocessing, flags.task != "auto");
  data.notes = notes_text(data.description, data.preprocessing);
  return data;
}

/// The device to train on, and why.
overtake::Placement choose(const TrainFlags& flags, const Arrays& training, const Arrays& validation,
                           std::int64_t inputs, std::int64_t outputs, const overtake::nn::Loss& loss) {
  if (const auto asked = asked_for(flags.device)) {
    return *asked;
  }
  overtake::PlacementRequest request;
  request.model = [&] { return make_network(flags, inputs, outputs); };
  request.optimizer = [&](overtake::nn::Module& model) { return make_optimizer(flags, model); };
  request.loss = loss;
  request.inputs = training.inputs;
  request.targets = training.targets;
  request.validation_inputs = validation.inputs;
  request.validation_targets = validation.targets;
  request.batch_size = flags.batch_size;
  request.epochs = flags.epochs;
  request.threads = flags.threads;
  request.memory_limit = flags.memory_limit;
  request.stop = &system::stop_on_interrupt();
  return overtake::choose_device(request);
}

/// Shows each epoch on the progress line.
class Watcher : public overtake::TrainingObserver {
 public:
  void on_epoch(const overtake::EpochEvent& event) override {
    const auto& record = event.record;
    std::string text =
        fmt::format("epoch {}/{}  loss {}", record.epoch, event.epochs, report::significant(record.train_loss));
    if (!std::isnan(record.validation_loss)) {
      text += fmt::format("  validation {}", report::significant(record.validation_loss));
    }
    if (!std::isnan(record.validation_error)) {
      text += fmt::format("  error {} %", report::significant(100 * record.validation_error));
    }
    progress_.update(text + fmt::format("  {} left", report::seconds(event.seconds_left)));
  }
  void clear() { progress_.clear(); }

 private:
  Progress progress_;
};

overtake::TrainerOptions trainer_options(const TrainFlags& flags, const Arrays& validation, Watcher& watcher) {
  overtake::TrainerOptions options;
  options.epochs = flags.epochs;
  options.batch_size = flags.batch_size;
  options.seed = flags.seed;
  options.validation_inputs = validation.inputs;
  options.validation_targets = validation.targets;
  options.patience = flags.patience;
  options.schedule = make_schedule(flags);
  options.checkpoint_path = flags.checkpoint;
  options.checkpoint_every = flags.checkpoint_every;
  options.resume = flags.resume;
  options.stop = &system::stop_on_interrupt();
  options.observer = &watcher;
  return options;
}

int exit_code(const overtake::FitReport& fit) {
  switch (fit.stop_reason) {
    case overtake::StopReason::diverged: return exit_diverged;
    case overtake::StopReason::interrupted: return exit_interrupted;
    case overtake::StopReason::finished:
    case overtake::StopReason::early_stopped: return exit_ok;
  }
  return exit_ok;
}

int run(const TrainFlags& flags) {
  check_train_flags(flags);
  check_outputs({{"--save", flags.save, Content::binary},
                 {"--checkpoint", flags.checkpoint, Content::in_place},
                 {"--json", flags.json}},
                {{"DATA", flags.data}});
  overtake::set_cpu_threads(flags.threads);
  const NetworkData data = read_data(flags);
  const Arrays training = arrays_of(data.training);
  const Arrays validation = arrays_of(data.validation);
  const std::int64_t inputs = data.preprocessing.inputs();
  const std::int64_t outputs = data.preprocessing.outputs();
  const bool classes = data.preprocessing.task == overtake::Task::classification;
  const auto loss = classes ? overtake::nn::Loss::cross_entropy() : overtake::nn::Loss::mse();

  check_network_memory(flags, inputs, outputs, data.training.rows);
  const overtake::Placement choice = choose(flags, training, validation, inputs, outputs, loss);
  const overtake::Device device(choice.device);
  device.set_memory_limit(flags.memory_limit);
  overtake::nn::Sequential model = make_network(flags, inputs, outputs);
  if (!is_standard_output(flags.json)) {
    print(fmt::format("data: {}, {} rows to train on, {} to validate, {} inputs, {}\n", flags.data,
                      report::count(data.training.rows), report::count(data.validation.rows), inputs,
                      classes ? fmt::format("{} class{} of {}", outputs, outputs == 1 ? "" : "es", flags.target)
                              : "predicting " + flags.target) +
          data.decisions);
    if (flags.describe) {
      print("\n" + description_text(data.description, standard_output().width) + "\n");
    }
    print(fmt::format("network: {}, {} parameters\n", network_text(flags, inputs, outputs),
                      report::count(model.parameter_count())));
    print(fmt::format("device: {} ({})\n", device.id(), choice.reason));
  }

  print_error(data.notes);
  for (const std::string& note : notes_of(data)) {
    print_error(fmt::format("note: {}\n", note));
  }
  model.to(device);
  const auto optimizer = make_optimizer(flags, model);
  Watcher watcher;
  overtake::Trainer trainer(model, loss, *optimizer, trainer_options(flags, validation, watcher));
  const overtake::FitReport fit = trainer.fit(training.inputs, training.targets);
  watcher.clear();
  const TrainResult result{
      data, fit, figures_of(model, training.inputs, data.training, data.preprocessing, fit.training),
      figures_of(model, validation.inputs, data.validation, data.preprocessing, fit.validation), choice.reason};
  if (!flags.save.empty()) {
    overtake::save_model(flags.save, model, {{"preprocessing", data.preprocessing.to_json()}});
  }
  if (!flags.json.empty()) {
    write_output(flags.json, result_json(flags, result));
  }
  if (!is_standard_output(flags.json)) {
    print(result_text(flags, result));
  }
  if (fit.stop_reason == overtake::StopReason::diverged) {
    print_error(fmt::format("error: {}\nhint: Lower --lr.{}\n", fit.message,
                            flags.save.empty() ? "" : fmt::format(" {} holds those weights.", flags.save)));
  }
  return exit_code(fit);
}

}  // namespace

Command add_train(CLI::App& root) {
  auto flags = std::make_shared<TrainFlags>();
  auto forest_flags = std::make_shared<ForestFlags>();
  CLI::App* app = root.add_subcommand("train", "Train a network or a forest on a CSV file");
  add_train_flags(*app, *flags);
  add_forest_flags(*app, *forest_flags);
  app->footer(
      "Examples:\n"
      "  overtake train iris.csv --target species --save iris.safetensors\n"
      "  overtake train iris.csv --target species --estimator random-forest --n-estimators 500 --oob-score --save "
      "iris.overtake\n"
      "  overtake train iris.csv --target species --hidden 64,64 --epochs 200 --validation 0.2 --patience 20\n"
      "  overtake train house.csv --target price --task regression --optimizer sgd --momentum 0.9 --schedule cosine\n"
      "Ctrl-C keeps the best weights so far and saves them. With --checkpoint and --resume a killed training "
      "continues.");
  return {app, [app, flags, forest_flags] {
            check_estimator_flags(*app, *forest_flags);
            const bool network = forest_flags->estimator == "network";
            return network ? run(*flags) : run_forest_training(*app, *flags, *forest_flags);
          }};
}

}  // namespace cli
