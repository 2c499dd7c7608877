// SPDX-License-Identifier: MIT
#include "overtake/models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "core/nearest.hpp"
#include "nn/layers/initial.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/images.hpp"
#include "overtake/nn/norm.hpp"
#include "overtake/ops.hpp"

namespace overtake::models {
namespace {

constexpr std::int64_t hidden_width = 4096;
constexpr std::int64_t pooled_size = 7;
constexpr std::int64_t colours = 3;

// Convolutions of 3 x 3 in each of the five blocks, a pooling behind each block.
std::array<int, 5> block_lengths(int depth) {
  switch (depth) {
    case 11: return {1, 1, 2, 2, 2};
    case 13: return {2, 2, 2, 2, 2};
    case 16: return {2, 2, 3, 3, 3};
    case 19: return {2, 2, 4, 4, 4};
    default: break;
  }
  throw UsageError(fmt::format("[vgg] depth {}: expected 11, 13, 16 or 19", depth));
}

nn::Sequential vgg_features(int depth, bool batch_norm) {
  constexpr std::array<std::int64_t, 5> widths = {64, 128, 256, 512, 512};
  nn::Sequential layers;
  std::int64_t channels = colours;
  const std::array<int, 5> lengths = block_lengths(depth);
  for (std::size_t block = 0; block < widths.size(); ++block) {
    for (int i = 0; i < lengths[block]; ++i) {
      layers.add(nn::Conv2d(channels, widths[block], 3, {.padding = 1, .initial = nn::InitialWeight::kaiming_normal}));
      channels = widths[block];
      if (batch_norm) layers.add(nn::BatchNorm2d(channels));
      layers.add(nn::ReLU());
    }
    layers.add(nn::MaxPool2d(2, 2));
  }
  return layers;
}

constexpr std::array<ModelInfo, 9> known = {{{"lenet", 1, 28, 28, 28, 10, false},
                                             {"vgg11"},
                                             {"vgg11_bn"},
                                             {"vgg13"},
                                             {"vgg13_bn"},
                                             {"vgg16"},
                                             {"vgg16_bn"},
                                             {"vgg19"},
                                             {"vgg19_bn"}}};

void require_classes(std::string_view model, std::int64_t classes) {
  if (classes < 1) throw UsageError(fmt::format("[{}] {} classes: expected at least 1", model, classes));
}

}  // namespace

Vgg::Vgg(const VggOptions& options) : features_(vgg_features(options.depth, options.batch_norm)) {
  require_classes("vgg", options.num_classes);
  pool_.add(nn::AdaptiveAvgPool2d(pooled_size));
  const auto linear = [](std::int64_t from, std::int64_t to) {
    return nn::Linear(from, to, true, nn::InitialWeight::small_normal);
  };
  const auto dropout = static_cast<float>(options.dropout);
  classifier_.add(linear(hidden_width / 8 * pooled_size * pooled_size, hidden_width));
  classifier_.add(nn::ReLU()).add(nn::Dropout(dropout));
  classifier_.add(linear(hidden_width, hidden_width));
  classifier_.add(nn::ReLU()).add(nn::Dropout(dropout));
  classifier_.add(linear(hidden_width, options.num_classes));
}

Array Vgg::forward(const Array& input) {
  const Array pooled = pool_.forward(features_.forward(input));
  return classifier_.forward(reshape(pooled, {pooled.shape()[0], pooled.size() / pooled.shape()[0]}));
}

std::string Vgg::to_string() const {
  const auto part = [](const char* name, const nn::Sequential& layers) {
    std::string text = fmt::format("  ({}): {}\n", name, layers.to_string());
    for (std::size_t at = text.find('\n'); at + 1 < text.size() && at != std::string::npos;
         at = text.find('\n', at + 3))
      text.insert(at + 1, "  ");
    return text;
  };
  return "Vgg(\n" + part("features", features_) + part("avgpool", pool_) + part("classifier", classifier_) + ")";
}

std::vector<nn::NamedModule> Vgg::children() {
  return {{"features", &features_}, {"avgpool", &pool_}, {"classifier", &classifier_}};
}

nn::Sequential lenet(std::int64_t num_classes, std::int64_t channels) {
  require_classes("lenet", num_classes);
  nn::Sequential net;
  net.add(nn::Conv2d(channels, 6, 5, {.padding = 2})).add(nn::ReLU()).add(nn::MaxPool2d(2));
  net.add(nn::Conv2d(6, 16, 5)).add(nn::ReLU()).add(nn::MaxPool2d(2));
  net.add(nn::Flatten());
  net.add(nn::Linear(400, 120)).add(nn::ReLU());
  net.add(nn::Linear(120, 84)).add(nn::ReLU());
  net.add(nn::Linear(84, num_classes));
  return net;
}

std::span<const ModelInfo> list() { return known; }

const ModelInfo& info_of(std::string_view name) {
  const auto found = std::find_if(known.begin(), known.end(), [&](const ModelInfo& each) { return each.name == name; });
  if (found != known.end()) return *found;
  std::vector<std::string> names;
  for (const ModelInfo& each : known) names.emplace_back(each.name);
  const std::string close = nearest(name, names);
  throw UsageError(fmt::format("there is no model '{}'", name),
                   close.empty() ? "lenet, vgg11, vgg13, vgg16, vgg19, or one of these VGGs with _bn behind it."
                                 : fmt::format("Did you mean '{}'?", close));
}

std::unique_ptr<nn::Module> make(std::string_view name, std::int64_t num_classes, std::int64_t channels) {
  const ModelInfo& info = info_of(name);
  if (name == "lenet") {
    return std::make_unique<nn::Sequential>(lenet(num_classes, channels == 0 ? info.channels : channels));
  }
  VggOptions options{.num_classes = num_classes};
  const std::string_view digits = name.substr(3, 2);
  std::from_chars(digits.data(), digits.data() + digits.size(), options.depth);
  options.batch_norm = name.ends_with("_bn");
  return std::make_unique<Vgg>(options);
}

}  // namespace overtake::models
