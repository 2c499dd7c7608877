// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <vector>

#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"
#include "overtake/vision.hpp"

namespace overtake {
namespace {

std::vector<std::int64_t> sizes_of(const ImageSet& images) {
  std::vector<std::int64_t> sizes(images.class_names().size());
  for (const std::int32_t label : images.labels()) ++sizes[static_cast<std::size_t>(label)];
  return sizes;
}

}  // namespace

ImageParts split_images(const ImageSet& images, double share, std::uint64_t seed) {
  if (!images.has_labels()) throw UsageError("these images have no labels", "Give a folder a class, or a label file.");
  ImageParts parts{images, std::nullopt, {}};
  if (share == 0) return parts;
  bool has_two = false;
  for (const std::int64_t size : sizes_of(images)) has_two = has_two || size > 1;
  // split_stratified() would take the only image of a class.
  if (!has_two) {
    throw DataError(fmt::format("a share of {} of {} images cannot be set aside to validate: no class has two", share,
                                images.size()),
                    "Add images, or train without a validation share.");
  }
  const auto classes = static_cast<std::int32_t>(images.class_names().size());
  const Split split = split_stratified(images.labels(), classes, share, seed);
  parts.training = images.select(split.training);
  parts.validation = images.select(split.validation);
  const std::vector<std::int64_t> judged = sizes_of(*parts.validation), all = sizes_of(images);
  for (std::size_t i = 0; i < judged.size(); ++i) {
    if (judged[i] == 0 && all[i] > 0) parts.unjudged.push_back(images.class_names()[i]);
  }
  return parts;
}

}  // namespace overtake
