// SPDX-License-Identifier: MIT
// Random flips and crops of images against loops, on every processor, by hand and in compiled steps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "oracle/devices.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

constexpr std::int64_t images = 64, channels = 2, height = 5, width = 6;

class Augmentation : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Augmentation, ::testing::ValuesIn(list_devices()), device_name);

// Every pixel has a value of its own, and none is 0.
std::vector<float> numbered() {
  std::vector<float> values(static_cast<std::size_t>(images * channels * height * width));
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

Array batch(const Device& device) { return Array::from(numbered(), Shape{images, channels, height, width}, device); }

float pixel(const std::vector<float>& values, std::int64_t image, std::int64_t channel, std::int64_t y,
            std::int64_t x) {
  if (y < 0 || x < 0 || y >= height || x >= width) return 0;
  return values[static_cast<std::size_t>(((image * channels + channel) * height + y) * width + x)];
}

// Where the part of one image begins in the image: found by its pixels.
std::vector<std::pair<std::int64_t, std::int64_t>> places(const std::vector<float>& part, std::int64_t image,
                                                          std::int64_t rows, std::int64_t columns,
                                                          std::int64_t padding) {
  const std::vector<float> whole = numbered();
  const auto fits = [&](std::int64_t top, std::int64_t left) {
    auto at = part.begin() + image * channels * rows * columns;
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t y = 0; y < rows; ++y) {
        for (std::int64_t x = 0; x < columns; ++x, ++at) {
          if (*at != pixel(whole, image, c, top + y, left + x)) return false;
        }
      }
    }
    return true;
  };
  std::vector<std::pair<std::int64_t, std::int64_t>> found;
  for (std::int64_t top = -padding; top <= height + padding - rows; ++top) {
    for (std::int64_t left = -padding; left <= width + padding - columns; ++left) {
      if (fits(top, left)) found.emplace_back(top, left);
    }
  }
  return found;
}

// Which images came out turned over; a failure if one is neither itself nor that.
std::vector<bool> turned(const std::vector<float>& values) {
  const std::vector<float> whole = numbered();
  std::vector<bool> result;
  for (std::int64_t n = 0; n < images; ++n) {
    const bool is_turned = pixel(values, n, 0, 0, 0) != pixel(whole, n, 0, 0, 0);
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
          EXPECT_EQ(pixel(values, n, c, y, x), pixel(whole, n, c, y, is_turned ? width - 1 - x : x));
        }
      }
    }
    result.push_back(is_turned);
  }
  return result;
}

TEST_P(Augmentation, FlipsAboutHalfOfTheImagesAnewEachTime) {
  nn::manual_seed(5);
  nn::RandomHorizontalFlip layer;
  layer.to(device());
  const auto call = [&] { return turned(layer(batch(device())).to_vector<float>()); };
  const std::vector<bool> first = call(), second = call();
  for (const auto& each : {first, second}) {
    EXPECT_GE(std::count(each.begin(), each.end(), true), images / 4);
    EXPECT_LE(std::count(each.begin(), each.end(), true), images * 3 / 4);
  }
  EXPECT_NE(first, second);
  layer.initialize(9);
  const std::vector<bool> drawn = call();
  nn::RandomHorizontalFlip elsewhere;
  elsewhere.initialize(9);
  EXPECT_EQ(drawn, turned(elsewhere(batch(Device("cpu"))).to_vector<float>()));  // a seed is the same everywhere
  layer.eval();
  EXPECT_EQ(layer(batch(device())).to_vector<float>(), numbered());
  nn::RandomHorizontalFlip always(1), never(0);
  always.to(device()), never.to(device());
  EXPECT_EQ(turned(always(batch(device())).to_vector<float>()), std::vector<bool>(images, true));
  EXPECT_EQ(turned(never(batch(device())).to_vector<float>()), std::vector<bool>(images, false));
}

TEST_P(Augmentation, CropsComeFromEverywhereOfThePaddedImage) {
  nn::manual_seed(6);
  nn::RandomCrop layer({4, 3}, 1);  // 4 x 6 places
  layer.to(device());
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (int call = 0; call < 4; ++call) {
    const Array parts = layer(batch(device()));
    EXPECT_EQ(parts.shape(), (Shape{images, channels, 4, 3}));
    const std::vector<float> values = parts.to_vector<float>();
    for (std::int64_t n = 0; n < images; ++n) {
      const auto found = places(values, n, 4, 3, 1);
      ASSERT_EQ(found.size(), 1U) << n;
      seen.insert(found.front());
    }
  }
  EXPECT_GE(seen.size(), 22U);
  layer.eval();
  const std::vector<float> middle = layer(batch(device())).to_vector<float>();
  EXPECT_EQ(places(middle, 3, 4, 3, 1), (std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 1}}));
  nn::RandomCrop same({height, width}, 2);
  same.to(device());
  EXPECT_NE(same(batch(device())).to_vector<float>(), numbered());
  same.eval();
  EXPECT_EQ(same(batch(device())).to_vector<float>(), numbered());
}

TEST_P(Augmentation, GradientsGoWhereThePixelsCameFrom) {
  nn::RandomCrop crop(4);
  nn::RandomHorizontalFlip flipping;
  crop.to(device()), flipping.to(device());
  Array x = batch(device());
  x.requires_grad();
  const Array parts = flipping(crop(x));
  sum(parts * parts).backward();
  const std::vector<float> gradient = x.grad().to_vector<float>(), values = numbered();
  std::int64_t used = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (gradient[i] == 0) continue;
    EXPECT_EQ(gradient[i], 2 * values[i]);
    ++used;
  }
  EXPECT_EQ(used, images * channels * 4 * 4);
}

TEST_P(Augmentation, TrainsInCompiledSteps) {
  const auto train = [&] {
    nn::manual_seed(3);
    nn::Sequential model(nn::RandomHorizontalFlip(), nn::RandomCrop({height, width}, 1),
                         nn::Conv2d(channels, 4, 3, {.padding = 1}), nn::ReLU(), nn::Flatten(),
                         nn::Linear(4 * height * width, 2));
    model.to(device());
    optim::SGD optimizer(model.parameters(), 0.05);
    TrainerOptions options;
    options.epochs = 8;
    options.batch_size = 24;  // and a last one of 16
    std::vector<std::int32_t> labels(images);
    std::vector<float> values = numbered();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      labels[i] = static_cast<std::int32_t>(i % 2);
      const std::size_t size = values.size() / labels.size();
      for (std::size_t k = 0; k < size; ++k) values[i * size + k] = i % 2 == 0 ? 0.5F : -0.5F;
    }
    Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, options);
    const FitReport report =
        trainer.fit(Array::from(values, Shape{images, channels, height, width}), Array::from(labels, Shape{images}));
    return std::pair(report.last().train_loss, report.training.error);
  };
  const auto first = train(), second = train();
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.second, 0);
}

TEST(AugmentationLayers, RefuseWhatTheyCannotTake) {
  EXPECT_THROW(nn::RandomHorizontalFlip(1.5F), UsageError);
  EXPECT_THROW(nn::RandomCrop(0), UsageError);
  EXPECT_THROW(nn::RandomCrop(4, -1), UsageError);
  nn::RandomCrop crop(8, 1);
  EXPECT_THROW((void)crop(zeros(Shape{1, 1, 5, 8})), UsageError);
  EXPECT_THROW((void)crop(zeros(Shape{1, 8, 8})), UsageError);
  EXPECT_THROW((void)nn::RandomHorizontalFlip()(Array()), UsageError);
  for (const nn::LayerSpec& spec : {nn::RandomCrop({3, 4}, 2).spec(), nn::RandomHorizontalFlip(0.25F).spec()}) {
    EXPECT_EQ(nn::make_layer(spec)->spec(), spec);
  }
}

}  // namespace
}  // namespace overtake::oracle
