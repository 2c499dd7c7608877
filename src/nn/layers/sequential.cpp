// SPDX-License-Identifier: MIT
#include "overtake/nn/sequential.hpp"

#include <fmt/format.h>

#include "overtake/error.hpp"

namespace overtake::nn {

Sequential& Sequential::add(std::unique_ptr<Module> layer) {
  if (!layer) throw UsageError("[Sequential] add() got no layer");
  layers_.push_back(std::move(layer));
  return *this;
}

Module& Sequential::operator[](std::size_t index) const {
  if (index >= layers_.size()) {
    throw UsageError(fmt::format("[Sequential] has {} layers; there is no layer {}", layers_.size(), index));
  }
  return *layers_[index];
}

Array Sequential::forward(const Array& input) {
  Array value = input;
  for (const auto& layer : layers_) value = (*layer)(value);
  return value;
}

LayerSpec Sequential::spec() const { return {"Sequential", {}}; }

std::string Sequential::to_string() const {
  if (layers_.empty()) return "Sequential()";
  std::string text = "Sequential(\n";
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    std::string part = layers_[i]->to_string();
    for (std::size_t at = part.find('\n'); at != std::string::npos; at = part.find('\n', at + 3)) {
      part.insert(at + 1, "  ");
    }
    text += fmt::format("  ({}): {}\n", i, part);
  }
  return text + ")";
}

std::vector<NamedModule> Sequential::children() {
  std::vector<NamedModule> result;
  for (std::size_t i = 0; i < layers_.size(); ++i) result.push_back({std::to_string(i), layers_[i].get()});
  return result;
}

}  // namespace overtake::nn
