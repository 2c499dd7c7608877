// SPDX-License-Identifier: MIT
// overtake train: a network or a forest from a CSV file.
#include "train.hpp"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <utility>

#include "command.hpp"
#include "output/outputs.hpp"
#include "output/plan_output.hpp"
#include "output/terminal.hpp"
#include "overtake/placement.hpp"
#include "overtake/report_transfers.hpp"

namespace cli {
namespace {

int run(const CLI::App& app, const TrainFlags& flags) {
  check_train_flags(app, flags);
  check_outputs({{"--save", flags.outputs.save, Content::binary, "--more-trees"},
                 {"--checkpoint", flags.network.training.checkpoint_path, Content::in_place},
                 {"--json", flags.outputs.json},
                 {"--report", flags.images.report},
                 {"--export-text", flags.forest.export_text},
                 {"--export-dot", flags.forest.export_dot}},
                {{"DATA", flags.data.data},
                 {"--more-trees", flags.forest.more_trees},
                 {"--labels", flags.images.labels},
                 {"--weights", flags.images.weights}});
  overtake::set_cpu_threads(flags.compute.threads);
  if (!flags.images.model.empty()) return run_image_training(app, flags);
  return flags.estimator == "network" ? run_network_training(flags) : run_forest_training(app, flags);
}

}  // namespace

void write_training_json(overtake::report::Json json, const TrainFlags& flags, const TrainingData& data,
                         const overtake::Placement& device, const overtake::TransferStats& transfers) {
  if (flags.outputs.json.empty()) return;
  json.set("data", flags.data.data).set("target", flags.data.roles.target).set("rows", data.training.rows);
  const overtake::Prediction* prediction = device.chosen();
  json.set("prediction", prediction == nullptr ? overtake::report::Json() : to_json(*prediction));
  json.set("device_reason", device.reason).set("table", to_json(data.description));
  json.set("model", overtake::report::Json::text_or_null(flags.outputs.save));
  json.set("transfers", overtake::report::transfers_json(transfers));
  write_output(flags.outputs.json, json.dump() + "\n");
}

std::string saved_text(const TrainFlags& flags) {
  return flags.outputs.save.empty() ? "" : fmt::format("saved {}\n", flags.outputs.save);
}

Command add_train(CLI::App& root) {
  auto flags = std::make_shared<TrainFlags>();
  CLI::App* app = root.add_subcommand("train", "Train a network or a forest on a CSV file, or a network on images");
  add_train_flags(*app, *flags);
  app->footer(
      "Examples:\n"
      "  overtake train iris.csv --target species --save iris.safetensors\n"
      "  overtake train iris.csv --target species --estimator random-forest --n-estimators 500 --oob-score --save "
      "iris.overtake\n"
      "  overtake train iris.csv --target species --hidden 64,64 --epochs 200 --validation 0.2 --patience 20\n"
      "  overtake train house.csv --target price --task regression --optimizer sgd --momentum 0.9 --schedule cosine\n"
      "  overtake train photos/ --model vgg16 --epochs 20 --batch-size 256 --precision bf16 --save vgg16.safetensors\n"
      "  overtake train train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --model lenet --save "
      "l.safetensors\n"
      "Ctrl-C keeps the best weights so far and saves them. With --checkpoint and --resume a killed training "
      "continues.");
  return {app, [app, flags] { return run(*app, *flags); }};
}

}  // namespace cli
