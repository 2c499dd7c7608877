// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "overtake/nn/module.hpp"
#include "overtake/nn/sequential.hpp"

/// Networks for images, by name.
namespace overtake::models {

struct VggOptions {
  int depth = 16;           ///< 11, 13, 16 or 19 layers with weights
  bool batch_norm = false;  ///< a BatchNorm2d behind each convolution
  std::int64_t num_classes = 1000;
  double dropout = 0.5;  ///< in front of the last two Linear layers
};

/// VGG (Simonyan and Zisserman 2014) with torchvision's modules, parameter names ("features.0.weight",
/// "classifier.6.bias") and first values' distributions. Takes (n, 3, h, w) of at least 32 x 32; 224 x 224 by habit.
class Vgg : public nn::Module {
 public:
  /// Throws UsageError for another depth, fewer than one class, and a dropout outside [0, 1).
  explicit Vgg(const VggOptions& options = {});
  [[nodiscard]] Array forward(const Array& input) override;
  [[nodiscard]] std::string to_string() const override;
  [[nodiscard]] std::vector<nn::NamedModule> children() override;
  [[nodiscard]] nn::Sequential& features() noexcept { return features_; }
  [[nodiscard]] nn::Sequential& classifier() noexcept { return classifier_; }

 private:
  nn::Sequential features_;
  nn::Sequential pool_;
  nn::Sequential classifier_;
};

/// LeNet-5 (LeCun et al. 1998) with ReLU and max pooling, for images (n, channels, 28, 28): convolutions of 6 and 16
/// filters of 5 x 5, then 120, 84 and num_classes outputs. Throws UsageError for sizes below 1.
[[nodiscard]] nn::Sequential lenet(std::int64_t num_classes = 10, std::int64_t channels = 1);

/// What a network is made for.
struct ModelInfo {
  std::string_view name;  ///< "vgg16_bn"
  std::int64_t channels = 3;
  std::int64_t image_size = 224;                   ///< height and width of its input
  std::int64_t least_size = 32, most_size = 4096;  ///< that its input may have
  std::int64_t classes = 1000;                     ///< of the data set it is known for
  /// Photographs: random crops and flips in training, else the middle, normalised as ImageNet. False: images as they
  /// are, whatever they show, in -1 to 1.
  bool augments = true;
};

/// All that make() knows: lenet, vgg11, vgg11_bn, ..., vgg19_bn.
[[nodiscard]] std::span<const ModelInfo> list();
/// Throws UsageError with the nearest name for another.
[[nodiscard]] const ModelInfo& info_of(std::string_view name);
/// By name. `channels` counts for lenet; VGG takes 3. Throws UsageError as info_of() and the networks do.
[[nodiscard]] std::unique_ptr<nn::Module> make(std::string_view name, std::int64_t num_classes,
                                               std::int64_t channels = 0);

}  // namespace overtake::models
