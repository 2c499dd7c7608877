// SPDX-License-Identifier: MIT
// The flags of --model.
#include <fmt/format.h>

#include "flags/names.hpp"
#include "flags/train_options.hpp"
#include "overtake/error.hpp"
#include "overtake/models.hpp"

namespace cli {

using overtake::UsageError;

void add_image_flags(CLI::App& app, ImageFlags& flags) {
  const auto add = [&](const char* name, auto& value, const char* type, const char* help) {
    return app.add_option(name, value, help)->type_name(type)->group(image_group);
  };
  add("--model", flags.model, "NAME",
      "Train a network on images: lenet, vgg11, vgg13, vgg16, vgg19, with _bn behind it");
  add("--labels", flags.labels, "FILE", "Labels of an IDX file of images");
  add("--precision", flags.precision, "NAME", "fp32, tf32 or bf16 (weights stay float32)")->capture_default_str();
  add("--weights", flags.weights, "FILE", "Start from a safetensors file with torchvision's names");
  add("--freeze", flags.freeze, "PART,...", "Parts that keep their weights: features, classifier.0");
  add("--classes", flags.classes, "N", "Expect so many classes (default: as many as there are)");
  add("--image-size", flags.image_size, "N", "Height and width of the network's input (default: the model's)");
  add("--label-smoothing", flags.label_smoothing, "SHARE", "Share of each label that goes to all classes");
  add("--clip-grad-norm", flags.clip_grad_norm, "X", "Most norm of a step's gradients (0: as they are)");
  add("--accumulate", flags.accumulate, "N", "Run each step as so many smaller ones, whose gradients add up")
      ->capture_default_str();
  add("--report", flags.report, "FILE", "Write an HTML page with curves and answers to a file");
  add("--on-broken", flags.on_broken, "RULE", "Images that cannot be read: refuse or skip")->capture_default_str();
  app.add_flag("--no-augment", flags.plain, "No random crops and flips")->group(image_group);
}

overtake::ImageTrainingOptions image_options(const CLI::App& app, const TrainFlags& flags) {
  const overtake::NetworkOptions& network = flags.network;
  const ImageFlags& images = flags.images;
  overtake::ImageTrainingOptions options;
  options.model = images.model;
  options.precision = overtake::precision_named(images.precision);
  if (app.count("--epochs") > 0) options.epochs = network.training.epochs;
  if (app.count("--batch-size") > 0) options.batch_size = network.training.batch_size;
  if (app.count("--optimizer") > 0) options.optimizer = network.optimizer;
  if (app.count("--momentum") > 0) options.momentum = network.momentum;
  options.learning_rate = network.learning_rate;
  options.weight_decay = network.weight_decay.value_or(0);
  options.schedule = network.schedule;
  options.validation_share = network.training.validation_fraction;
  options.accumulate = images.accumulate;
  options.label_smoothing = images.label_smoothing;
  options.clip_grad_norm = images.clip_grad_norm;
  options.image_size = images.image_size;
  options.augment = !images.plain;
  options.weights = images.weights;
  options.freeze = parse_words(images.freeze);
  options.on_broken = parse_broken_rule(images.on_broken);
  options.checkpoint_path = network.training.checkpoint_path;
  if (app.count("--checkpoint-every") > 0) options.checkpoint_every = network.training.checkpoint_every;
  options.resume = network.training.resume;
  options.seed = flags.compute.seed;
  options.threads = flags.compute.threads;
  try {
    options.check();
  } catch (const UsageError& error) {
    throw UsageError(in_flags(app, error.what()), error.hint());
  }
  require(app.count("--momentum") == 0 || options.optimizer == "sgd",
          fmt::format("--momentum is not for --optimizer {}", options.optimizer));
  require(app.count("--checkpoint-every") == 0 || !options.checkpoint_path.empty(),
          "--checkpoint-every belongs to --checkpoint");
  require(!images.plain || overtake::models::info_of(options.model).augments,
          fmt::format("--no-augment: {} has no augmentation", options.model));
  return options;
}

}  // namespace cli
