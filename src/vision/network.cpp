// SPDX-License-Identifier: MIT
#include "vision/network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "graph/compiled_step.hpp"
#include "graph/primitives/layout.hpp"
#include "nn/training/make_optimizer.hpp"
#include "overtake/error.hpp"
#include "overtake/models.hpp"
#include "overtake/nn/state_file.hpp"
#include "overtake/no_grad.hpp"
#include "overtake/ops.hpp"

namespace overtake::vision {
namespace {

// Grey images of a data set like MNIST lie about these, whatever they show.
constexpr float grey_mean = 0.5F, grey_deviation = 0.5F;

ImageTransform whole(int size) {
  ImageTransform transform = plain(size, size);
  transform.mean = {grey_mean, grey_mean, grey_mean};
  transform.deviation = {grey_deviation, grey_deviation, grey_deviation};
  return transform;
}

// Tensors whose shape is another belong to a last layer for other classes. Says which layer starts anew; "" if none.
std::string start_from(const std::filesystem::path& file, nn::Module& network, std::size_t classes) {
  nn::StateDict state = read_state_dict(file), fitting;
  const nn::StateDict own = network.state_dict();
  std::string last;  // of the parameters: "classifier.6."
  for (const auto& [name, value] : own) {
    if (name.ends_with(".weight")) last = name.substr(0, name.size() - std::string(".weight").size()) + ".";
  }
  for (auto& [name, value] : state) {
    const Array* mine = nn::find(own, name);
    if (mine != nullptr && is_floating(mine->dtype()) && !is_floating(value.dtype())) {
      throw DataError(fmt::format("{}: the tensor \"{}\" holds whole numbers, expected weights", file.string(), name),
                      "Weights are stored as F32, F16, BF16 or F64.");
    }
    if (mine != nullptr && mine->shape() != value.shape()) {
      if (name.starts_with(last)) continue;
      throw DataError(fmt::format("{}: the tensor \"{}\" has the shape {}, the network's {}", file.string(), name,
                                  value.shape().to_string(), mine->shape().to_string()),
                      "Name the --model that these weights belong to.");
    }
    fitting.emplace_back(name, value);
  }
  const nn::IncompatibleKeys keys = network.load_state_dict(fitting, false);
  const auto is_last = [&](const std::string& name) { return name.starts_with(last); };
  if (std::all_of(keys.missing_keys.begin(), keys.missing_keys.end(), is_last) && keys.unexpected_keys.empty()) {
    if (keys.missing_keys.empty()) return "";
    return fmt::format("{} begins anew, for {} classes: {} has it for others", last.substr(0, last.size() - 1), classes,
                       file.string());
  }
  const auto missing = std::find_if_not(keys.missing_keys.begin(), keys.missing_keys.end(), is_last);
  throw DataError(missing != keys.missing_keys.end()
                      ? fmt::format("{}: the tensor \"{}\" is missing", file.string(), *missing)
                      : fmt::format("{}: the network has no \"{}\"", file.string(), keys.unexpected_keys.front()),
                  fmt::format("Name the --model that these weights belong to; the network has {} classes.", classes));
}

/// What --freeze may name: parameters without their last word ("features.0"), in the network's order, the first words
/// of those that lie deeper in front of them ("features").
std::string parts_text(const std::vector<nn::NamedValue>& named) {
  std::vector<std::string> parts;
  const auto add = [&](const std::string& part) {
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
  };
  for (const nn::NamedValue& entry : named) {
    const std::string layer = entry.name.substr(0, entry.name.rfind('.'));
    add(layer.substr(0, layer.find('.')));
    add(layer);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<nn::Parameter*> learnt(nn::Module& network, const std::vector<std::string>& freeze) {
  const std::vector<nn::NamedValue> named = network.named_parameters();
  const std::vector<nn::Parameter*> all = network.parameters();
  std::vector<bool> used(freeze.size());
  std::vector<nn::Parameter*> result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    bool frozen = false;
    for (std::size_t part = 0; part < freeze.size(); ++part) {
      if (named[i].name != freeze[part] && !named[i].name.starts_with(freeze[part] + ".")) continue;
      frozen = used[part] = true;
    }
    all[i]->value.requires_grad(!frozen);
    if (!frozen) result.push_back(all[i]);
  }
  const auto unused = std::find(used.begin(), used.end(), false);
  if (unused != used.end()) {
    throw UsageError(fmt::format("freeze '{}': the network has no such part",
                                 freeze[static_cast<std::size_t>(unused - used.begin())]),
                     fmt::format("Its parts are {}.", parts_text(named)));
  }
  if (result.empty()) throw UsageError("freeze leaves nothing to learn", "Leave the last layer out.");
  return result;
}

}  // namespace

Prepared prepare(const ImageTrainingOptions& options, const ImageSet& images) {
  const models::ModelInfo& info = models::info_of(options.model);
  const int size = options.image_size == 0 ? static_cast<int>(info.image_size) : options.image_size;
  Prepared prepared;
  ImageModel& model = prepared.model;
  model.name = options.model;
  model.classes = images.class_names();
  model.channels = static_cast<int>(info.channels);
  model.transform = info.augments ? imagenet_evaluation(size) : whole(size);
  prepared.training = info.augments && options.augment ? imagenet_training(size) : model.transform;
  nn::manual_seed(options.seed);
  model.network = models::make(options.model, static_cast<std::int64_t>(model.classes.size()));
  if (!options.weights.empty()) {
    prepared.note = start_from(options.weights, *model.network, model.classes.size());
  }
  return prepared;
}

std::unique_ptr<optim::Optimizer> optimizer_of(const ImageTrainingOptions& options, nn::Module& network) {
  return nn::make_optimizer({options.optimizer, options.first_rate(), options.momentum, options.weight_decay},
                            learnt(network, options.freeze));
}

void hold_weights(nn::Module& network, Precision precision) {
  if (precision != Precision::bf16) return;
  const NoGrad none;
  constexpr std::size_t of_convolution = 4, of_linear = 2;
  for (nn::Parameter* parameter : network.parameters()) {
    Array& value = parameter->value;
    const std::size_t rank = value.shape().rank();
    if (rank != of_convolution && rank != of_linear) continue;
    const Array narrow = astype(value, DType::bfloat16);
    value = rank == of_linear ? graph::copy_of(narrow)
                              : graph::channels_first(graph::copy_of(graph::channels_last(narrow)));
  }
}

}  // namespace overtake::vision
