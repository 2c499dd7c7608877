// SPDX-License-Identifier: MIT
// overtake train --model.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "command.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "output/transfers_line.hpp"
#include "overtake/error.hpp"
#include "overtake/models.hpp"
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
    std::string text =
        fmt::format("epoch {}{}: loss {}, error {}", epoch.epoch,
                    epoch.is_whole ? "" : fmt::format(", interrupted after {}", report::counted(epoch.images, "image")),
                    report::significant(epoch.train_loss), percent(epoch.train_error));
    if (epoch.validation_loss) {
      text += fmt::format("; validation: loss {}, error {}", report::significant(*epoch.validation_loss),
                          percent(*epoch.validation_error));
    }
    print(text + fmt::format("; {} images/s, {} ({} waiting for images)\n",
                             report::significant(epoch.images_per_second()), report::seconds(epoch.seconds),
                             report::seconds(epoch.wait_seconds)));
  }
  void on_start(std::int64_t parts, std::int64_t rows) override {
    if (parts == 1 || quiet_) return;
    print(fmt::format("memory: a step runs in {} parts of at most {}; batch norm, where there is any, sees the parts\n",
                      parts, report::counted(rows, "image")));
  }
  void on_checkpoint_failure(const std::string& problem) override {
    progress_.clear();
    print_error(fmt::format("note: no checkpoint: {}; training goes on, and the next one tries again\n",
                            overtake::text::printable_line(problem)));
  }
  void clear() { progress_.clear(); }

 private:
  bool quiet_;
  ProgressLine progress_;
};

std::int64_t judging_of(const overtake::ImageParts& parts) { return parts.validation ? parts.validation->size() : 0; }

/// Of a training and of a plan.
void set_sizes(report::Json& json, std::int64_t training, std::int64_t validation, std::size_t classes) {
  json.set("train_images", training).set("validation_images", validation);
  json.set("classes", static_cast<std::int64_t>(classes));
}

report::Json to_json(const overtake::TrainedImageModel& trained, const TrainFlags& flags, bool is_saved) {
  report::Json json = report::Json::object();
  json.set("schema", "overtake.train_images/1").set("data", flags.data.data).set("model", trained.model.name);
  json.set("precision", flags.images.precision).set("device", trained.device);
  json.set("compile_seconds", trained.compile_seconds).set("launches_per_step", trained.launches_per_step);
  json.set("plan_bytes", static_cast<std::int64_t>(trained.plan_bytes)).set("interrupted", trained.interrupted);
  json.set("parts", trained.parts);
  set_sizes(json, trained.training_images, trained.validation_images, trained.model.classes.size());
  report::Json epochs = report::Json::array();
  for (const overtake::ImageEpoch& epoch : trained.epochs) {
    report::Json row = report::Json::object();
    row.set("epoch", epoch.epoch).set("learning_rate", epoch.learning_rate).set("train_loss", epoch.train_loss);
    row.set("train_error", epoch.train_error).set("seconds", epoch.seconds).set("wait_seconds", epoch.wait_seconds);
    row.set("images_per_second", epoch.images_per_second()).set("images", epoch.images).set("is_whole", epoch.is_whole);
    row.set("validation_loss", epoch.validation_loss ? report::Json(*epoch.validation_loss) : report::Json());
    row.set("validation_error", epoch.validation_error ? report::Json(*epoch.validation_error) : report::Json());
    epochs.push(std::move(row));
  }
  json.set("resumed_epochs", trained.resumed_epochs).set("resumed_images", trained.resumed_images);
  json.set("epochs", std::move(epochs)).set("saved", report::Json::text_or_null(is_saved ? flags.outputs.save : ""));
  json.set("checkpoint_failure", report::Json::text_or_null(trained.checkpoint_failure));
  json.set("diverged", report::Json::text_or_null(trained.diverged));
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

int show_image_plan(const overtake::ImagePlan& plan, const overtake::ImageParts& parts, const overtake::Device& device,
                    const std::string& json_path) {
  const overtake::nn::Summary& network = plan.network;
  if (!json_path.empty()) {
    report::Json layers = report::Json::array();
    for (const overtake::nn::LayerSummary& layer : network.layers) {
      report::Json row = report::Json::object(), output = report::Json::array();
      for (const std::int64_t extent : layer.output.to_vector()) output.push(extent);
      row.set("name", layer.name).set("type", layer.type).set("output", std::move(output));
      row.set("parameters", layer.parameters).set("flops", layer.flops).set("output_bytes", layer.output_bytes);
      layers.push(std::move(row));
    }
    report::Json json = report::Json::object();
    json.set("schema", "overtake.plan_images/1").set("device", device.id()).set("convolutions", network.convolutions);
    json.set("batch_size", plan.batch).set("parts", plan.parts).set("step_bytes", plan.step_bytes);
    set_sizes(json, parts.training.size(), judging_of(parts), parts.training.class_names().size());
    json.set("free_bytes", plan.free_bytes).set("host_left_bytes", plan.host_left_bytes);
    write_output(json_path, json.set("layers", std::move(layers)).dump() + "\n");
  }
  if (is_standard_output(json_path)) return exit_ok;
  const std::string in_parts = plan.parts == 1 ? "" : fmt::format(" in {} parts", plan.parts);
  const std::string free = plan.free_bytes == 0 ? "" : fmt::format(", {} free", report::bytes(plan.free_bytes));
  print(fmt::format("\n{}of one image, forward\n", summary_text(network, standard_output().width)) +
        fmt::format("memory of {}: {} for a step of {}{}{}\n", device.id(), report::bytes(plan.step_bytes),
                    report::counted(plan.batch, "image"), in_parts, free) +
        fmt::format("memory of the computer: {} left; images wait there, and weights when they are saved\n"
                    "nothing was run\n",
                    report::bytes(plan.host_left_bytes)));
  return exit_ok;
}

void print_head(const TrainFlags& flags, const overtake::ImageParts& parts, const overtake::Device& device) {
  const std::string& model = flags.images.model;
  const auto classes = static_cast<std::int64_t>(parts.training.class_names().size());
  print(fmt::format("data: {}\nimages: {} train, {} validation, {}\nnetwork: {}, {}\ndevice: {}\n", flags.data.data,
                    report::count(parts.training.size()), report::count(judging_of(parts)),
                    report::counted(classes, "class", "es"), model, flags.images.precision, device.id()));
  if (overtake::models::info_of(model).channels == 1) print(model + " sees images in grey\n");
}

/// On a terminal behind the line of progress, or the ^C that the terminal shows.
std::string_view interrupt_notice() {
  constexpr std::string_view notice =
      "\ninterrupted: ending with the last whole batch; a second Ctrl-C ends at once and saves nothing\n";
  return system::is_terminal(system::errors) ? notice : notice.substr(1);
}

/// What --classes says of the images must be so: a folder too many is a class that nobody meant.
void check_classes(std::int64_t expected, const overtake::ImageSet& images) {
  const auto there = static_cast<std::int64_t>(images.class_names().size());
  if (expected == 0 || expected == there) return;
  constexpr std::size_t most = 8;
  std::vector<std::string> names = images.class_names();
  const bool has_more = names.size() > most;
  if (has_more) names.resize(most);
  throw overtake::DataError(
      fmt::format("--classes {}: the images are of {}", expected, report::counted(there, "class", "es")),
      fmt::format("They are {}{}. Leave --classes out to take them as they are.", fmt::join(names, ", "),
                  has_more ? ", ..." : ""));
}

/// Of sets that say little.
std::vector<std::string> notes_of(const overtake::ImageParts& parts) {
  std::vector<std::string> notes;
  const std::vector<std::string>& classes = parts.training.class_names();
  if (classes.size() == 1) {
    notes.push_back(
        fmt::format("all images are of one class, \"{}\": there is nothing to tell apart", classes.front()));
  }
  if (!parts.unjudged.empty()) {
    notes.push_back(fmt::format("{} of {} classes {} too few images to give one to validation, for example \"{}\"",
                                parts.unjudged.size(), classes.size(), parts.unjudged.size() == 1 ? "has" : "have",
                                parts.unjudged.front()));
  }
  return notes;
}

/// Saves and shows what a training gave. Gives the exit code.
int finish(overtake::TrainedImageModel& trained, const overtake::ImageTrainingOptions& options, const TrainFlags& flags,
           const overtake::Device& device) {
  print_notes(trained.skipped, "skipped: ");
  if (!trained.note.empty()) print_notes({trained.note});
  const bool is_new = trained.interrupted && trained.epochs.empty();
  if (is_new) print_error("note: interrupted before the first batch ended, so nothing is saved\n");
  const bool is_saved = !flags.outputs.save.empty() && trained.diverged.empty() && !is_new;
  if (is_saved) save_image_model(flags.outputs.save, trained.model);
  if (!flags.images.report.empty() && !is_new) {
    write_output(flags.images.report, training_page(trained, options, flags.data.data, device));
  }
  if (!flags.outputs.json.empty()) write_output(flags.outputs.json, to_json(trained, flags, is_saved).dump() + "\n");
  if (!is_standard_output(flags.outputs.json)) {
    print(resumed_text(options, trained) +
          fmt::format("{}: {} on {} (compile {}; {} launches a step)\n",
                      trained.interrupted        ? "interrupted"
                      : trained.diverged.empty() ? "finished"
                                                 : "diverged",
                      report::counted(static_cast<std::int64_t>(trained.epochs.size()), "epoch"), trained.device,
                      report::seconds(trained.compile_seconds), trained.launches_per_step) +
          (is_saved ? saved_text(flags) : "") + transfers_line(overtake::transfer_stats()));
  }
  if (!trained.diverged.empty()) {
    print_error(fmt::format("error: {}\nhint: Lower --lr.{}\n", trained.diverged,
                            flags.outputs.save.empty() ? "" : " No model was saved."));
    return exit_diverged;
  }
  if (!trained.checkpoint_failure.empty()) {
    throw overtake::DataError("the last checkpoint was not written: " + trained.checkpoint_failure,
                              is_saved
                                  ? "The model is saved; --resume would go on from an earlier state, if from any."
                                  : "--resume goes on from the last checkpoint that was written, if there is one.");
  }
  return trained.interrupted ? exit_interrupted : exit_ok;
}

int train_or_plan(const CLI::App& app, const TrainFlags& flags) {
  const bool quiet = is_standard_output(flags.outputs.json);
  Watcher watcher(quiet);
  overtake::ImageTrainingOptions options = image_options(app, flags);
  options.stop = &system::stop_on_interrupt(interrupt_notice());
  options.observer = &watcher;
  const overtake::ImageSet images = overtake::ImageSet::open(flags.data.data, flags.images.labels);
  print_notes(images.notes());
  check_classes(flags.images.classes, images);
  const overtake::Device device(device_of(flags.compute.device));
  device.set_memory_limit(flags.compute.memory_limit);
  const overtake::ImageParts parts = split_images(images, options.validation_share, options.seed);
  if (!quiet) print_head(flags, parts, device);
  print_notes(notes_of(parts));
  if (flags.compute.plan) {
    return show_image_plan(plan_images(images, options, device, flags.compute.memory_limit), parts, device,
                           flags.outputs.json);
  }
  overtake::TrainedImageModel trained = train_images(parts.training, parts.validation, options, device);
  watcher.clear();
  return finish(trained, options, flags, device);
}

}  // namespace

int run_image_training(const CLI::App& app, const TrainFlags& flags) {
  try {
    return train_or_plan(app, flags);
  } catch (const overtake::UsageError& error) {  // of an option of the library, which a flag sets
    throw overtake::UsageError(in_flags(app, error.what()), error.hint());
  }
}

}  // namespace cli
