// SPDX-License-Identifier: MIT
#include "nn/layers/layer_factory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>

#include "core/nearest.hpp"
#include "core/whole_number.hpp"
#include "data/table/message.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/layers.hpp"
#include "overtake/nn/sequential.hpp"

namespace overtake::nn {
namespace {

constexpr double default_slope = 0.01;  // PyTorch's, as in the layers' constructors
constexpr double default_dropout = 0.5;

double attribute(const LayerSpec& spec, const std::string& name) {
  for (const auto& [key, value] : spec.attributes) {
    if (key == name) return value;
  }
  throw DataError(fmt::format("layer {} has no attribute \"{}\"", spec.type, name));
}

// Files of a version that did not know an attribute yet lack it.
double attribute(const LayerSpec& spec, const std::string& name, double otherwise) {
  const auto has_name = [&](const auto& entry) { return entry.first == name; };
  return std::any_of(spec.attributes.begin(), spec.attributes.end(), has_name) ? attribute(spec, name) : otherwise;
}

std::int64_t size_attribute(const LayerSpec& spec, const std::string& name) {
  const double value = attribute(spec, name);
  const auto size = whole_number(value, 1, std::numeric_limits<std::int32_t>::max());
  if (size) return *size;
  throw DataError(fmt::format("layer {}: {} = {} is not a whole number from 1 to 2147483647", spec.type, name, value));
}

template <typename Layer>
std::unique_ptr<Module> plain(const LayerSpec&) {
  return std::make_unique<Layer>();
}

std::unique_ptr<Module> linear(const LayerSpec& spec) {
  return std::make_unique<Linear>(size_attribute(spec, "in_features"), size_attribute(spec, "out_features"),
                                  attribute(spec, "bias", 1) != 0);
}

std::unique_ptr<Module> leaky_relu_layer(const LayerSpec& spec) {
  const double slope = attribute(spec, "negative_slope", default_slope);
  if (!(std::abs(slope) <= static_cast<double>(std::numeric_limits<float>::max()))) {
    throw DataError(fmt::format("layer LeakyReLU: negative_slope = {} is beyond float32", slope));
  }
  return std::make_unique<LeakyReLU>(static_cast<float>(slope));
}

std::unique_ptr<Module> dropout(const LayerSpec& spec) {
  const double p = attribute(spec, "p", default_dropout);
  if (!(p >= 0 && static_cast<float>(p) < 1)) throw DataError(fmt::format("layer Dropout: p = {} is not in [0, 1)", p));
  return std::make_unique<Dropout>(static_cast<float>(p));
}

using Maker = std::function<std::unique_ptr<Module>(const LayerSpec&)>;

const std::map<std::string, Maker>& makers() {
  static const std::map<std::string, Maker> table = {
      {"Linear", linear},
      {"ReLU", plain<ReLU>},
      {"LeakyReLU", leaky_relu_layer},
      {"Tanh", plain<Tanh>},
      {"Sigmoid", plain<Sigmoid>},
      {"GELU", plain<GELU>},
      {"SiLU", plain<SiLU>},
      {"Softmax", plain<Softmax>},
      {"Dropout", dropout},
      {"Sequential", plain<Sequential>},
  };
  return table;
}

// A newer version's attribute must not be dropped in silence: the layer would compute something else.
void check_known(const LayerSpec& stored, const LayerSpec& made) {
  for (const auto& [key, value] : stored.attributes) {
    const auto is_key = [&name = key](const auto& entry) { return entry.first == name; };
    if (std::any_of(made.attributes.begin(), made.attributes.end(), is_key)) continue;
    throw DataError(fmt::format("layer {} has the unknown attribute {}", stored.type, data::quote(key)),
                    "This version of Overtake may be older than the file.");
  }
}

}  // namespace

bool is_layer_type(const std::string& type) { return makers().contains(type); }

std::unique_ptr<Module> make_layer(const LayerSpec& spec) {
  const auto found = makers().find(spec.type);
  if (found != makers().end()) {
    std::unique_ptr<Module> layer = found->second(spec);
    check_known(spec, layer->spec());
    return layer;
  }
  std::vector<std::string> names;
  for (const auto& [name, maker] : makers()) names.push_back(name);
  const std::string near = nearest(spec.type, names);
  throw DataError(fmt::format("there is no layer \"{}\"", spec.type),
                  near.empty() ? "This version of Overtake may be older than the file." : "Did you mean " + near + "?");
}

}  // namespace overtake::nn
