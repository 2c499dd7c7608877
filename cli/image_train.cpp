// SPDX-License-Identifier: MIT
// overtake train --model.
#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "command.hpp"
#include "flags/names.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "output/transfers_line.hpp"
#include "overtake/error.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "overtake/text.hpp"
#include "overtake/vision.hpp"
#include "system.hpp"
#include "train.hpp"

namespace cli {
namespace {

namespace report = overtake::report;

std::string percent(double share) { return report::significant(100 * share) + " %"; }

/// Shows batches on the progress line, each epoch on a line of its own.
class Watcher : public overtake::ImageTrainingObserver {
 public:
  explicit Watcher(bool quiet) : quiet_(quiet) {}

  void on_batch(const overtake::Progress& progress, double images_per_second) override {
    progress_.update(fmt::format("batch {}/{}  {} images/s  {} left", report::count(progress.done),
                                 report::count(progress.total), report::significant(images_per_second),
                                 report::seconds(progress.seconds_left)));
  }
  void on_epoch(const overtake::ImageEpoch& epoch) override {
    progress_.clear();
    if (quiet_) return;
    std::string text = fmt::format("epoch {}: loss {}, error {}", epoch.epoch, report::significant(epoch.train_loss),
                                   percent(epoch.train_error));
    if (epoch.validation_loss) {
      text += fmt::format("; validation: loss {}, error {}", report::significant(*epoch.validation_loss),
                          percent(*epoch.validation_error));
    }
    print(text + fmt::format("; {} images/s, {} ({} waiting for images)\n",
                             report::significant(epoch.images_per_second), report::seconds(epoch.seconds),
                             report::seconds(epoch.wait_seconds)));
  }
  void clear() { progress_.clear(); }

 private:
  bool quiet_;
  ProgressLine progress_;
};

overtake::ImageTrainingOptions options_of(const CLI::App& app, const TrainFlags& flags) {
  const overtake::NetworkOptions& network = flags.network;
  static const std::vector<std::string> rules = {"refuse", "skip"};
  overtake::text::check_choice("--on-broken", flags.images.on_broken, rules);
  overtake::ImageTrainingOptions options;
  options.model = flags.images.model;
  options.precision = overtake::precision_named(flags.images.precision);
  if (app.count("--epochs") > 0) options.epochs = network.training.epochs;
  if (app.count("--batch-size") > 0) options.batch_size = network.training.batch_size;
  if (app.count("--optimizer") > 0) options.optimizer = network.optimizer;
  if (app.count("--momentum") > 0) options.momentum = network.momentum;
  options.learning_rate = network.learning_rate;
  options.weight_decay = network.weight_decay.value_or(0);
  options.schedule = network.schedule;
  options.validation_share = network.training.validation_fraction;
  options.label_smoothing = flags.images.label_smoothing;
  options.clip_grad_norm = flags.images.clip_grad_norm;
  options.image_size = flags.images.image_size;
  options.augment = !flags.images.plain;
  options.weights = flags.images.weights;
  options.freeze = parse_words(flags.images.freeze);
  options.on_broken = flags.images.on_broken == "skip" ? overtake::OnBroken::skip : overtake::OnBroken::refuse;
  options.checkpoint_path = network.training.checkpoint_path;
  options.checkpoint_every = network.training.checkpoint_every;
  options.resume = network.training.resume;
  options.seed = flags.compute.seed;
  options.threads = flags.compute.threads;
  options.check();
  return options;
}

report::Json to_json(const overtake::TrainedImageModel& trained, const TrainFlags& flags) {
  report::Json json = report::Json::object();
  json.set("schema", "overtake.train_images/1").set("data", flags.data.data).set("model", trained.model.name);
  json.set("precision", flags.images.precision).set("device", trained.device);
  json.set("compile_seconds", trained.compile_seconds).set("launches_per_step", trained.launches_per_step);
  json.set("plan_bytes", static_cast<std::int64_t>(trained.plan_bytes)).set("interrupted", trained.interrupted);
  report::Json epochs = report::Json::array();
  for (const overtake::ImageEpoch& epoch : trained.epochs) {
    report::Json row = report::Json::object();
    row.set("epoch", epoch.epoch).set("learning_rate", epoch.learning_rate).set("train_loss", epoch.train_loss);
    row.set("train_error", epoch.train_error).set("seconds", epoch.seconds).set("wait_seconds", epoch.wait_seconds);
    row.set("images_per_second", epoch.images_per_second);
    row.set("validation_loss", epoch.validation_loss ? report::Json(*epoch.validation_loss) : report::Json());
    row.set("validation_error", epoch.validation_error ? report::Json(*epoch.validation_error) : report::Json());
    epochs.push(std::move(row));
  }
  json.set("resumed_epochs", trained.resumed_epochs).set("resumed_images", trained.resumed_images);
  json.set("epochs", std::move(epochs)).set("saved", report::Json::text_or_null(flags.outputs.save));
  return json;
}

/// The first GPU that works, else the CPU, where networks for images are never the faster.
std::string device_of(const std::string& asked) {
  if (asked != "auto") return asked;
  for (const overtake::DeviceInfo& device : overtake::list_devices()) {
    if (device.kind == overtake::DeviceKind::gpu && overtake::is_available(device.id)) return device.id;
  }
  return "cpu";
}

std::string resumed_text(const overtake::ImageTrainingOptions& options, const overtake::TrainedImageModel& trained) {
  if (!options.resume) return "";
  const std::string path = options.checkpoint_path.string();
  if (trained.resumed_epochs == 0 && trained.resumed_images == 0) {
    return fmt::format("resumed: no, training began anew, since {} was not there\n", path);
  }
  return fmt::format("resumed: {} after epoch {}{}\n", path, trained.resumed_epochs,
                     trained.resumed_images == 0
                         ? ""
                         : fmt::format(" and {} of the next", report::counted(trained.resumed_images, "image")));
}

}  // namespace

int run_image_training(const CLI::App& app, const TrainFlags& flags) {
  const bool quiet = is_standard_output(flags.outputs.json);
  Watcher watcher(quiet);
  overtake::ImageTrainingOptions options = options_of(app, flags);
  options.stop = &system::stop_on_interrupt();
  options.observer = &watcher;
  const overtake::ImageSet images = overtake::ImageSet::open(flags.data.data, flags.images.labels);
  const overtake::Device device(device_of(flags.compute.device));
  device.set_memory_limit(flags.compute.memory_limit);
  if (!quiet) {
    print(fmt::format("data: {}, {} of {}\nnetwork: {}, {}\ndevice: {}\n", flags.data.data,
                      report::counted(images.size(), "image"),
                      report::counted(static_cast<std::int64_t>(images.class_names().size()), "class", "es"),
                      options.model, flags.images.precision, device.id()));
  }
  const overtake::TrainedImageModel trained = train_images(images, {}, options, device);
  watcher.clear();
  for (const std::string& broken : trained.skipped) print_error(fmt::format("note: skipped {}\n", broken));
  if (!flags.outputs.save.empty()) save_image_model(flags.outputs.save, trained.model);
  if (!flags.outputs.json.empty()) write_output(flags.outputs.json, to_json(trained, flags).dump() + "\n");
  if (!quiet) {
    print(resumed_text(options, trained) +
          fmt::format("{}: {} on {} (compile {}; {} launches a step)\n",
                      trained.interrupted ? "interrupted" : "finished",
                      report::counted(static_cast<std::int64_t>(trained.epochs.size()), "epoch"), trained.device,
                      report::seconds(trained.compile_seconds), trained.launches_per_step) +
          saved_text(flags) + transfers_line(overtake::transfer_stats()));
  }
  return trained.interrupted ? exit_interrupted : exit_ok;
}

}  // namespace cli
