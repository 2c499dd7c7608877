// SPDX-License-Identifier: MIT
// The flags of `overtake train`: those of networks and those of forests.
#pragma once

#include <CLI/App.hpp>
#include <map>
#include <string>
#include <vector>

#include "flags/common_options.hpp"
#include "flags/reading_options.hpp"
#include "overtake/forest.hpp"
#include "overtake/nn/network.hpp"
#include "overtake/vision.hpp"

namespace cli {

struct ForestFlags {
  std::map<std::string, std::string> values;  ///< of the parameters' own flags, by parameter name
  std::vector<std::string> set;               ///< "name=value"
  std::string export_text, export_dot;
  std::size_t tree = 0;
  std::optional<int> digits;  ///< of exported numbers after the decimal point; none: as many as reading them back takes
  std::string more_trees;
};

/// Of --model: what stands beside the flags of networks.
struct ImageFlags {
  std::string model, labels, weights, freeze, report, precision = "fp32", on_broken = "refuse";
  double label_smoothing = 0, clip_grad_norm = 0;
  int image_size = 0, accumulate = 1;
  std::int64_t classes = 0;  ///< that the images must be of; 0: any
  bool plain = false;        ///< no augmentation
};

struct TrainFlags {
  std::string estimator = "network";
  DataFlags data;
  ComputeFlags compute;
  OutputFlags outputs;
  overtake::NetworkOptions network;
  ForestFlags forest;
  ImageFlags images;
};

/// Adds the flags to a subcommand; they are written to `flags` when it is parsed.
void add_train_flags(CLI::App& app, TrainFlags& flags);
/// Those of --model, under a heading of their own.
inline constexpr const char* image_group = "Images (--model)";
void add_image_flags(CLI::App& app, ImageFlags& flags);
/// Throws UsageError for a flag that belongs to the other kind of estimator, and for values of networks that
/// NetworkOptions::check() refuses, naming the flag.
void check_train_flags(const CLI::App& app, const TrainFlags& flags);
/// The options of a network for images. Throws UsageError, naming the flag, for values that
/// ImageTrainingOptions::check() refuses and for flags that say nothing beside the others.
[[nodiscard]] overtake::ImageTrainingOptions image_options(const CLI::App& app, const TrainFlags& flags);
/// The flag of a parameter: "min_samples_leaf" -> "--min-samples-leaf".
[[nodiscard]] std::string flag_of(std::string parameter);
/// The library begins its messages with the option's name, perhaps behind its "[owner] ": people know the flag's.
[[nodiscard]] std::string in_flags(const CLI::App& app, std::string message);
/// The options of a network, with seed and memory limit.
[[nodiscard]] overtake::NetworkOptions network_options(const TrainFlags& flags);
/// The parameters of a forest that were given, by flags and by --set. Throws UsageError for one that is given twice.
[[nodiscard]] overtake::Parameters given_parameters(const CLI::App& app, const ForestFlags& flags);
/// "name=value" as a parameter. Throws UsageError naming `flag`.
[[nodiscard]] std::pair<std::string, overtake::ParameterValue> parse_parameter(const std::string& text,
                                                                               const std::string& flag);

}  // namespace cli
