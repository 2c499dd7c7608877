// SPDX-License-Identifier: MIT
// Options: what may be asked for, and the usual ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "image/decode.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

template <typename Value>
void require(bool holds, std::string_view what, const Value& value, std::string_view expected) {
  if (!holds) throw UsageError(fmt::format("images: {} is {}, expected {}", what, value, expected));
}

ImageTransform of_imagenet(ImageCrop crop, int size) {
  ImageTransform transform;
  transform.crop = crop;
  transform.height = transform.width = size;
  transform.mean = {0.485F, 0.456F, 0.406F};
  transform.deviation = {0.229F, 0.224F, 0.225F};
  return transform;
}

}  // namespace

void ImageTransform::check() const {
  constexpr int most = 16384;
  require(height >= 1 && height <= most, "the height", height, "1 to 16384");
  require(width >= 1 && width <= most, "the width", width, "1 to 16384");
  require(padding >= 0 && padding <= most, "the padding", padding, "0 to 16384");
  require(flip >= 0 && flip <= 1, "the probability of a flip", flip, "0 to 1");
  if (crop == ImageCrop::centre) {
    require(shorter_side >= std::max(height, width) && shorter_side <= most, "the shorter side", shorter_side,
            "at least height and width, at most 16384");
  }
  require(least_area > 0 && least_area <= most_area, "the least area", least_area,
          "more than 0, at most the most area");
  require(most_area <= 1, "the most area", most_area, "at most 1");
  require(least_ratio > 0 && least_ratio <= most_ratio, "the least ratio", least_ratio,
          "more than 0, at most the most ratio");
  require(most_ratio <= most, "the most ratio", most_ratio, "at most 16384");
  for (const float value : mean) require(std::isfinite(value), "a mean", value, "a finite number");
  for (const float value : deviation) require(value > 0 && std::isfinite(value), "a deviation", value, "more than 0");
}

ImageTransform imagenet_training(int size) {
  ImageTransform transform = of_imagenet(ImageCrop::random_resized, size);
  transform.flip = 0.5;
  return transform;
}

ImageTransform imagenet_evaluation(int size) {
  ImageTransform transform = of_imagenet(ImageCrop::centre, size);
  transform.shorter_side = static_cast<int>(std::lround(size * 256.0 / 224.0));
  return transform;
}

ImageTransform plain(int height, int width) {
  ImageTransform transform;
  transform.height = height;
  transform.width = width;
  return transform;
}

void ImageLoaderOptions::check() const {
  transform.check();
  image::check_channels(channels);
  require(batch_size >= 1 && batch_size <= (std::int64_t{1} << 20), "the batch size", batch_size, "1 to 1048576");
  require(threads >= 0 && threads <= 1024, "the number of threads", threads, "0 to 1024");
  require(batches_ahead >= 1 && batches_ahead <= 64, "batches ahead", batches_ahead, "1 to 64");
  require(dtype == DType::float32 || dtype == DType::bfloat16, "the type of the input", name_of(dtype),
          "float32 or bfloat16");
  require(padded_channels == 0 || (padded_channels >= channels && padded_channels <= 1024), "padded channels",
          padded_channels, "0, or channels to 1024");
}

}  // namespace overtake
