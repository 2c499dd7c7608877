// SPDX-License-Identifier: MIT
#include "nn/layer_factory.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>

#include "core/nearest.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/layers.hpp"
#include "overtake/nn/sequential.hpp"

namespace overtake::nn {
namespace {

double attribute(const LayerSpec& spec, const std::string& name) {
  for (const auto& [key, value] : spec.attributes) {
    if (key == name) return value;
  }
  throw DataError(fmt::format("layer {} has no attribute \"{}\"", spec.type, name));
}

std::int64_t size_attribute(const LayerSpec& spec, const std::string& name) {
  const double value = attribute(spec, name);
  constexpr double most = 2147483647.0;
  if (!(value >= 1 && value <= most) || value != std::floor(value)) {
    throw DataError(
        fmt::format("layer {}: {} = {} is not a whole number from 1 to 2147483647", spec.type, name, value));
  }
  return static_cast<std::int64_t>(value);
}

template <typename Layer>
std::unique_ptr<Module> plain(const LayerSpec&) {
  return std::make_unique<Layer>();
}

std::unique_ptr<Module> linear(const LayerSpec& spec) {
  return std::make_unique<Linear>(size_attribute(spec, "in_features"), size_attribute(spec, "out_features"),
                                  attribute(spec, "bias") != 0);
}

std::unique_ptr<Module> leaky_relu_layer(const LayerSpec& spec) {
  return std::make_unique<LeakyReLU>(static_cast<float>(attribute(spec, "negative_slope")));
}

std::unique_ptr<Module> dropout(const LayerSpec& spec) {
  const double p = attribute(spec, "p");
  if (!(p >= 0 && p < 1)) throw DataError(fmt::format("layer Dropout: p = {} is not in [0, 1)", p));
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

}  // namespace

bool is_layer_type(const std::string& type) { return makers().contains(type); }

std::unique_ptr<Module> make_layer(const LayerSpec& spec) {
  const auto found = makers().find(spec.type);
  if (found != makers().end()) return found->second(spec);
  std::vector<std::string> names;
  for (const auto& [name, maker] : makers()) names.push_back(name);
  const std::string near = nearest(spec.type, names);
  throw DataError(fmt::format("there is no layer \"{}\"", spec.type),
                  near.empty() ? "This version of Overtake may be older than the file." : "Did you mean " + near + "?");
}

}  // namespace overtake::nn
