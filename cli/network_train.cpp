// SPDX-License-Identifier: MIT
// overtake train --estimator network.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "command.hpp"
#include "flags/names.hpp"
#include "output/outputs.hpp"
#include "output/plan_output.hpp"
#include "output/terminal.hpp"
#include "output/transfers_line.hpp"
#include "overtake/model.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "system.hpp"
#include "train.hpp"

namespace cli {
namespace {

namespace report = overtake::report;
using overtake::Task;

/// Shows each epoch on the progress line.
class Watcher : public overtake::TrainingObserver {
 public:
  void on_epoch(const overtake::EpochEvent& event) override {
    const auto& record = event.record;
    std::string text =
        fmt::format("epoch {}/{}  loss {}", record.epoch, event.total, report::significant(record.train_loss));
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
  ProgressLine progress_;
};

/// What a reader should know of the data before training: nothing to learn, hardly a row to validate on.
std::string notes_of(const overtake::PreparedData& data) {
  std::string notes;
  const std::string& target = data.preprocessing.target;
  if (data.preprocessing.task == Task::classification && data.preprocessing.outputs() == 1) {
    notes += fmt::format("note: column {} holds only one class, so there is nothing to learn\n", target);
  }
  const std::vector<double>& targets = data.training.targets;
  const bool constant = !targets.empty() && std::all_of(targets.begin(), targets.end(),
                                                        [&](double value) { return value == targets.front(); });
  if (constant) {
    notes += fmt::format("note: column {} holds only one value in the {} to train on, so there is nothing to learn\n",
                         target, report::counted(data.training.rows, "row"));
  }
  return notes + (data.validation.rows == 1 ? "note: one row alone validates: its figures say little\n" : "");
}

std::string figures_text(const char* of, Task task, const std::optional<overtake::NetworkFigures>& figures) {
  if (!figures) return {};
  const std::string loss = report::significant(figures->loss);
  if (task == Task::classification) {
    return fmt::format("{}: loss {}, error {} %\n", of, loss, report::significant(100 * (1 - figures->accuracy)));
  }
  const std::string r2 = std::isnan(figures->r2) ? "not defined" : report::significant(figures->r2, 4);
  return fmt::format("{}: root mean square error {}, r2 {} (loss {}: standardised target squared)\n", of,
                     report::significant(figures->root_mean_square_error), r2, loss);
}

std::string result_text(const TrainFlags& flags, const overtake::TrainedNetwork& trained, Task task,
                        const std::string& predicted) {
  const overtake::FitReport& fit = trained.fit;
  const overtake::TrainerOptions& training = flags.network.training;
  std::string text = fmt::format("{}: {} epochs, {} steps on {} ({} engine) in {}{} (compile {}, transfer {})\n",
                                 overtake::name_of(fit.stop_reason), fit.epochs_run, report::count(fit.steps),
                                 fit.device, fit.engine, report::seconds(fit.seconds.compute), predicted,
                                 report::seconds(fit.seconds.compile), report::seconds(fit.seconds.transfer));
  if (fit.resumed_epoch > 0) {
    text += fmt::format("resumed: {} after epoch {}{}\n", training.checkpoint_path, fit.resumed_epoch,
                        fit.steps == 0 ? ", with nothing left to train" : "");
  } else if (training.resume) {
    text += fmt::format("resumed: no, training began anew, since {} was not there\n", training.checkpoint_path);
  }
  return text + fmt::format("weights: {}\n", weights_text(trained)) + figures_text("training", task, trained.training) +
         figures_text("validation", task, trained.validation) + saved_text(flags);
}

int exit_code(const overtake::FitReport& fit, const std::string& saved) {
  if (fit.stop_reason == overtake::StopReason::interrupted) return exit_interrupted;
  if (fit.stop_reason != overtake::StopReason::diverged) return exit_ok;
  print_error(fmt::format("error: {}\nhint: Lower --lr.{}\n", fit.message,
                          saved.empty() ? "" : fmt::format(" {} holds those weights.", saved)));
  return exit_diverged;
}

overtake::NetworkWork work_of(const TrainingData& data, const overtake::NetworkOptions& options) {
  return network_work(network_shape(options, data.preprocessing.inputs(), data.preprocessing.outputs(),
                                    data.training.rows, data.validation.rows));
}

int plan_network(const TrainFlags& flags, const TrainingData& data, const overtake::NetworkOptions& options,
                 const overtake::Placement& chosen) {
  check_fits(options, data, overtake::Device(chosen.device));  // as the run, before other devices' drivers take memory
  overtake::set_cpu_threads(flags.compute.threads);
  const overtake::NetworkWork work = work_of(data, options);
  Plan plan{
      "train", {}, choose_device(data, options, flags.compute.threads, overtake::Candidates::all), {}, to_json(work)};
  for (const overtake::DeviceInfo& device : devices_elsewhere(flags.compute.elsewhere)) {
    plan.elsewhere.push_back(overtake::predict_network(work, device));
  }
  take_choice(chosen, plan.placement);
  show_plan(plan, flags.outputs.json);
  return exit_ok;
}

}  // namespace

int run_network_training(const TrainFlags& flags) {
  const bool quiet = is_standard_output(flags.outputs.json);
  Watcher watcher;
  overtake::NetworkOptions options = network_options(flags);
  options.training.stop = &system::stop_on_interrupt();
  options.training.observer = &watcher;
  const TrainingData data = read_network_data(flags.data, flags.compute, options.training.validation_fraction);
  const auto asked = asked_for(flags.compute.device);
  overtake::Placement device = asked ? *asked : choose_device(data, options, flags.compute.threads);
  if (flags.compute.plan) return plan_network(flags, data, options, device);
  if (asked && is_predictable(device)) {
    predict_asked(device,
                  [&](const auto& on) { return predict_network(work_of(data, options), on, overtake::cpu_threads()); });
  }
  print_head(flags.data, data, device, flags.outputs.describe, quiet,
             fmt::format("network: {}\n", to_text(options, data.preprocessing.inputs(), data.preprocessing.outputs())));
  print_error(notes_of(data));
  const overtake::TransferStats before = overtake::transfer_stats();
  const overtake::TrainedNetwork trained = train_network(data, options, overtake::Device(device.device));
  watcher.clear();
  if (!flags.outputs.save.empty()) write_model(flags.outputs.save, *trained.model, data.preprocessing);
  if (trained.fit.stop_reason == overtake::StopReason::finished && trained.fit.resumed_epoch == 0) {
    compare_times(device.chosen(), trained.fit.seconds.compute);
  }
  const overtake::TransferStats copied = transfers_since(before);
  write_training_json(to_json(trained, data), flags, data, device, copied);
  if (!quiet) {
    print(result_text(flags, trained, data.preprocessing.task, predicted_text(device)) + transfers_line(copied));
  }
  return exit_code(trained.fit, flags.outputs.save);
}

}  // namespace cli
