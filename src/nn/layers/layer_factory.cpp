// SPDX-License-Identifier: MIT
#include "nn/layers/layer_factory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/nearest.hpp"
#include "core/whole_number.hpp"
#include "data/table/message.hpp"
#include "nn/layers/layer_attributes.hpp"
#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/embedding.hpp"
#include "overtake/nn/images.hpp"
#include "overtake/nn/layers.hpp"
#include "overtake/nn/norm.hpp"
#include "overtake/nn/sequential.hpp"

namespace overtake::nn {
namespace {

constexpr double default_slope = 0.01;  // PyTorch's, as in the layers' constructors
constexpr double default_share = 0.5;
constexpr double default_eps = 1e-5;
constexpr double default_momentum = 0.1;

template <typename Layer>
std::unique_ptr<Module> plain(const LayerSpec&) {
  return std::make_unique<Layer>();
}

constexpr const char* initial_name = "initial";

// How values are drawn is no part of what a layer computes: who makes one may say it, and spec() does not have it.
InitialWeight initial_of(const LayerSpec& spec) {
  const double value = attribute(spec, initial_name, 0);
  if (const auto number = whole_number(value, 0, static_cast<int>(InitialWeight::small_normal))) {
    return static_cast<InitialWeight>(*number);
  }
  throw DataError(fmt::format("layer {}: {} = {} is no way to draw weights", spec.type, initial_name, value));
}

bool takes_initial(const std::string& type) { return type == "Linear" || type == "Conv2d"; }

std::unique_ptr<Module> linear(const LayerSpec& spec) {
  return std::make_unique<Linear>(size_attribute(spec, "in_features"), size_attribute(spec, "out_features"),
                                  attribute(spec, "bias", 1) != 0, initial_of(spec));
}

std::unique_ptr<Module> leaky_relu_layer(const LayerSpec& spec) {
  const double slope = attribute(spec, "negative_slope", default_slope);
  if (!(std::abs(slope) <= static_cast<double>(std::numeric_limits<float>::max()))) {
    throw DataError(fmt::format("layer LeakyReLU: negative_slope = {} is beyond float32", slope));
  }
  return std::make_unique<LeakyReLU>(static_cast<float>(slope));
}

std::unique_ptr<Module> dropout(const LayerSpec& spec) {
  const double p = attribute(spec, "p", default_share);
  if (!(p >= 0 && p <= 1)) throw DataError(fmt::format("layer Dropout: p = {} is not in [0, 1]", p));
  return std::make_unique<Dropout>(static_cast<float>(p));
}

std::unique_ptr<Module> horizontal_flip(const LayerSpec& spec) {
  const double p = attribute(spec, "p", default_share);
  if (p >= 0 && p <= 1) return std::make_unique<RandomHorizontalFlip>(static_cast<float>(p));
  throw DataError(fmt::format("layer RandomHorizontalFlip: p = {} is not in [0, 1]", p));
}

double eps_of(const LayerSpec& spec) {
  const double eps = attribute(spec, "eps", default_eps);
  if (fits_float(eps)) return eps;
  throw DataError(fmt::format("layer {}: eps = {} is not a number of float32 of at least 0", spec.type, eps));
}

std::unique_ptr<Module> layer_norm(const LayerSpec& spec) {
  std::vector<std::int64_t> extents{size_attribute(spec, "normalized_shape_0")};
  for (std::size_t i = 1; i < Shape::max_rank; ++i) {
    const std::string name = fmt::format("normalized_shape_{}", i);
    if (attribute(spec, name, 0) != 0) extents.push_back(size_attribute(spec, name));
  }
  return std::make_unique<LayerNorm>(Shape(std::move(extents)), eps_of(spec),
                                     attribute(spec, "elementwise_affine", 1) != 0, attribute(spec, "bias", 1) != 0);
}

template <class Layer>
std::unique_ptr<Module> batch_norm(const LayerSpec& spec) {
  std::optional<double> momentum;
  if (attribute(spec, "cumulative_average", 0) == 0) {
    momentum = attribute(spec, "momentum", default_momentum);
    if (!(*momentum >= 0 && *momentum <= 1)) {
      throw DataError(fmt::format("layer {}: momentum = {} is not in [0, 1]", spec.type, *momentum));
    }
  }
  return std::make_unique<Layer>(size_attribute(spec, "num_features"), eps_of(spec), momentum,
                                 attribute(spec, "affine", 1) != 0, attribute(spec, "track_running_stats", 1) != 0);
}

std::unique_ptr<Module> embedding(const LayerSpec& spec) {
  const std::int64_t rows = size_attribute(spec, "num_embeddings");
  const double none = std::numeric_limits<double>::infinity();
  const double value = attribute(spec, "padding_idx", none);
  std::optional<std::int64_t> padding;
  if (value != none) {
    padding = whole_number(value, -rows, rows - 1);
    if (!padding) throw DataError(fmt::format("layer Embedding: padding_idx = {} is not a row of {}", value, rows));
  }
  return std::make_unique<Embedding>(rows, size_attribute(spec, "embedding_dim"), padding);
}

std::int64_t pad_attribute(const LayerSpec& spec, const std::string& name) {
  return attribute(spec, name, 0) == 0 ? 0 : size_attribute(spec, name);
}

Size2d size_2d(const LayerSpec& spec, const std::string& name, std::optional<double> otherwise = {}) {
  return {size_attribute(spec, name + "_0", otherwise), size_attribute(spec, name + "_1", otherwise)};
}

Size2d padding_2d(const LayerSpec& spec) {
  return {pad_attribute(spec, "padding_0"), pad_attribute(spec, "padding_1")};
}

std::unique_ptr<Module> conv_2d(const LayerSpec& spec) {
  return std::make_unique<Conv2d>(size_attribute(spec, "in_channels"), size_attribute(spec, "out_channels"),
                                  size_2d(spec, "kernel_size"),
                                  Conv2dOptions{.stride = size_2d(spec, "stride", 1),
                                                .padding = padding_2d(spec),
                                                .dilation = size_2d(spec, "dilation", 1),
                                                .groups = size_attribute(spec, "groups", 1),
                                                .bias = attribute(spec, "bias", 1) != 0,
                                                .initial = initial_of(spec)});
}

std::unique_ptr<Module> max_pool_2d(const LayerSpec& spec) {
  return std::make_unique<MaxPool2d>(size_2d(spec, "kernel_size"), size_2d(spec, "stride"), padding_2d(spec),
                                     attribute(spec, "ceil_mode", 0) != 0);
}

std::unique_ptr<Module> avg_pool_2d(const LayerSpec& spec) {
  return std::make_unique<AvgPool2d>(size_2d(spec, "kernel_size"), size_2d(spec, "stride"), padding_2d(spec),
                                     attribute(spec, "ceil_mode", 0) != 0,
                                     attribute(spec, "count_include_pad", 1) != 0);
}

std::unique_ptr<Module> adaptive_avg_pool_2d(const LayerSpec& spec) {
  return std::make_unique<AdaptiveAvgPool2d>(size_2d(spec, "output_size"));
}

std::unique_ptr<Module> random_crop(const LayerSpec& spec) {
  return std::make_unique<RandomCrop>(size_2d(spec, "size"), pad_attribute(spec, "padding"));
}

std::unique_ptr<Module> flatten(const LayerSpec& spec) {
  const auto axis = [&](const char* name, double otherwise) {
    const double value = attribute(spec, name, otherwise);
    constexpr int most = static_cast<int>(Shape::max_rank);
    if (const auto number = whole_number(value, -most, most)) return static_cast<int>(*number);
    throw DataError(fmt::format("layer Flatten: {} = {} is no axis", name, value));
  };
  return std::make_unique<Flatten>(axis("start_dim", 1), axis("end_dim", -1));
}

struct LayerKind {
  std::unique_ptr<Module> (*make)(const LayerSpec&);
  std::vector<StoredTensor> (*tensors)(const LayerSpec&) = nullptr;  // null: it has none
  LayerWidth::Kind width = LayerWidth::Kind::kept;
  const char* takes = nullptr;  // the attribute with the width
  const char* gives = nullptr;
};

// All that is known of the library's layers by name.
const std::map<std::string, LayerKind>& kinds() {
  constexpr auto features = LayerWidth::Kind::features, channels = LayerWidth::Kind::channels,
                 another = LayerWidth::Kind::another;
  static const std::map<std::string, LayerKind> table = {
      {"Linear", {linear, linear_tensors, features, "in_features", "out_features"}},
      {"ReLU", {plain<ReLU>}},
      {"LeakyReLU", {leaky_relu_layer}},
      {"Tanh", {plain<Tanh>}},
      {"Sigmoid", {plain<Sigmoid>}},
      {"GELU", {plain<GELU>}},
      {"SiLU", {plain<SiLU>}},
      {"Softmax", {plain<Softmax>}},
      {"Dropout", {dropout}},
      {"LayerNorm", {layer_norm, layer_norm_tensors, features, "normalized_shape_0", "normalized_shape_0"}},
      {"BatchNorm1d", {batch_norm<BatchNorm1d>, batch_norm_tensors, features, "num_features", "num_features"}},
      {"BatchNorm2d", {batch_norm<BatchNorm2d>, batch_norm_tensors, channels, "num_features", "num_features"}},
      {"Conv2d", {conv_2d, conv_2d_tensors, channels, "in_channels", "out_channels"}},
      {"MaxPool2d", {max_pool_2d, nullptr, channels}},
      {"AvgPool2d", {avg_pool_2d, nullptr, channels}},
      {"AdaptiveAvgPool2d", {adaptive_avg_pool_2d, nullptr, channels}},
      {"RandomHorizontalFlip", {horizontal_flip, nullptr, channels}},
      {"RandomCrop", {random_crop, nullptr, channels}},
      {"Flatten", {flatten, nullptr, another}},
      {"Embedding", {embedding, embedding_tensors, another}},
      {"Sequential", {plain<Sequential>}},
  };
  return table;
}

const LayerKind* find_kind(const std::string& type) {
  const auto found = kinds().find(type);
  return found == kinds().end() ? nullptr : &found->second;
}

// A newer version's attribute must not be dropped in silence: the layer would compute something else.
void check_known(const LayerSpec& stored, const LayerSpec& made) {
  for (const auto& [key, value] : stored.attributes) {
    const auto is_key = [&name = key](const auto& entry) { return entry.first == name; };
    if (std::any_of(made.attributes.begin(), made.attributes.end(), is_key)) continue;
    if (key == initial_name && takes_initial(stored.type)) continue;
    throw DataError(fmt::format("layer {} has the unknown attribute {}", stored.type, data::quote(key)),
                    "This version of Overtake may be older than the file.");
  }
}

}  // namespace

bool is_known_layer(const std::string& type) { return find_kind(type) != nullptr; }

std::vector<StoredTensor> stored_tensors(const LayerSpec& spec) {
  const LayerKind* kind = find_kind(spec.type);
  return kind == nullptr || kind->tensors == nullptr ? std::vector<StoredTensor>() : kind->tensors(spec);
}

LayerWidth width_of(const LayerSpec& spec) {
  const LayerKind* kind = find_kind(spec.type);
  if (kind == nullptr) return {};
  // Of several axes that are normalised together, the first is not that of the features.
  const bool is_of_rows = spec.type != "LayerNorm" || attribute(spec, "normalized_shape_1", 0) == 0;
  if (!is_of_rows) return {LayerWidth::Kind::another};
  if (kind->takes == nullptr) return {kind->width};
  return {kind->width, attribute(spec, kind->takes, 0), attribute(spec, kind->gives, 0)};
}

std::unique_ptr<Module> make_layer(const LayerSpec& spec) {
  if (const LayerKind* kind = find_kind(spec.type)) {
    std::unique_ptr<Module> layer = kind->make(spec);
    check_known(spec, layer->spec());
    return layer;
  }
  std::vector<std::string> names;
  for (const auto& [name, kind] : kinds()) names.push_back(name);
  const std::string near = nearest(spec.type, names);
  throw DataError(fmt::format("there is no layer \"{}\"", spec.type),
                  near.empty() ? "This version of Overtake may be older than the file." : "Did you mean " + near + "?");
}

}  // namespace overtake::nn
