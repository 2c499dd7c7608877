// SPDX-License-Identifier: MIT
// Inputs made of images on every device, against plain loops in double precision that crop, resize, flip and normalise
// one step after the other, as torchvision describes its transforms.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "image/prepare.hpp"
#include "oracle/devices.hpp"

namespace overtake::oracle {
namespace {

class ImagePrepare : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, ImagePrepare, ::testing::ValuesIn(list_devices()), device_name);

/// One channel.
struct Plane {
  int height = 0, width = 0;
  std::vector<double> values;
  [[nodiscard]] double at(int y, int x) const { return values[static_cast<std::size_t>(y * width + x)]; }
};

template <typename Value>
Plane plane_of(int height, int width, const Value& value) {
  Plane plane{height, width, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) plane.values.push_back(value(y, x));
  }
  return plane;
}

Plane channel_of(const Image& image, int channel) {
  return plane_of(image.height, image.width, [&](int y, int x) {
    return static_cast<double>(
        image.pixels[static_cast<std::size_t>((y * image.width + x) * image.channels + channel)]);
  });
}

Plane crop(const Plane& from, int top, int left, int height, int width) {
  return plane_of(height, width, [&](int y, int x) {
    const int row = top + y, column = left + x;
    const bool inside = row >= 0 && row < from.height && column >= 0 && column < from.width;
    return inside ? from.at(row, column) : 0.0;
  });
}

/// Rows alone; of the transposed plane, columns.
Plane resize_rows(const Plane& from, int height) {
  const double step = static_cast<double>(from.height) / height, reach = std::max(step, 1.0);
  return plane_of(height, from.width, [&](int y, int x) {
    double sum = 0, total = 0;
    for (int row = 0; row < from.height; ++row) {
      const double weight = 1 - std::abs(row + 0.5 - (y + 0.5) * step) / reach;
      if (weight <= 0) continue;
      sum += weight * from.at(row, x);
      total += weight;
    }
    return sum / total;
  });
}

Plane transposed(const Plane& from) {
  return plane_of(from.width, from.height, [&](int y, int x) { return from.at(x, y); });
}

Plane resized(const Plane& from, int height, int width) {
  return transposed(resize_rows(transposed(resize_rows(from, height)), width));
}

Plane expected(const Plane& whole, const ImageTransform& transform, const image::Placement& placement) {
  const image::Region& region = placement.cut.region;
  const int h = transform.height, w = transform.width;
  switch (transform.crop) {
    case ImageCrop::whole: return resized(whole, h, w);
    case ImageCrop::random_resized:
      return resized(crop(whole, region.top, region.left, region.height, region.width), h, w);
    case ImageCrop::random: {
      const auto top = static_cast<int>(std::lround(region.top + placement.down.start));
      return crop(whole, top, static_cast<int>(std::lround(region.left + placement.across.start)), h, w);
    }
    case ImageCrop::centre: break;
  }
  const int shorter = std::min(whole.height, whole.width);
  const int rows = whole.height * transform.shorter_side / shorter;
  const int columns = whole.width * transform.shorter_side / shorter;
  const auto middle = [](int size, int output) { return static_cast<int>(std::nearbyint((size - output) / 2.0)); };
  return crop(resized(whole, rows, columns), middle(rows, h), middle(columns, w), h, w);
}

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  int whole(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  float real(float low, float high) { return std::uniform_real_distribution<float>(low, high)(engine_); }

 private:
  std::mt19937 engine_;
};

ImageLoaderOptions random_options(Random& random, ImageCrop crop) {
  ImageLoaderOptions options;
  options.channels = random.whole(0, 1) == 0 ? 1 : 3;
  options.padded_channels = random.whole(0, 1) == 0 ? 0 : random.whole(options.channels, 8);
  options.dtype = random.whole(0, 1) == 0 ? DType::float32 : DType::bfloat16;
  options.seed = static_cast<std::uint64_t>(random.whole(0, 1000));
  ImageTransform& transform = options.transform;
  transform.crop = crop;
  transform.height = random.whole(1, 24);
  transform.width = random.whole(1, 24);
  transform.shorter_side = std::max(transform.height, transform.width) + random.whole(0, 20);
  transform.padding = random.whole(0, 24);
  transform.flip = 0.5;
  for (float& mean : transform.mean) mean = random.real(0, 1);
  for (float& deviation : transform.deviation) deviation = random.real(0.1F, 1);
  return options;
}

Image random_image(Random& random, const ImageLoaderOptions& options) {
  const int least = options.transform.crop == ImageCrop::random ? 24 : 1;
  Image image{random.whole(least, 70), random.whole(least, 70), options.channels, {}};
  image.pixels.resize(static_cast<std::size_t>(image.height * image.width * image.channels));
  for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(random.whole(0, 255));
  return image;
}

std::vector<float> prepared(backend::Device& device, const ImageLoaderOptions& options,
                            const std::vector<image::Ready>& ready) {
  std::vector<std::byte> packed(image::packed_bytes(ready));
  image::pack(ready, packed.data());
  const auto from = device.allocate(packed.size());
  device.upload(*from, 0, packed.data(), packed.size());
  image::Prepare prepare(device, options);
  const auto count = static_cast<std::size_t>(prepare.shape(static_cast<std::int64_t>(ready.size())).size());
  const auto to = device.allocate(count * size_of(options.dtype));
  prepare.launch(*from, 0, static_cast<std::int64_t>(ready.size()), *to);
  std::vector<float> values(count);
  if (options.dtype == DType::float32) {
    device.download(*to, 0, values.data(), count * sizeof(float));
    return values;
  }
  std::vector<bfloat16> halves(count);
  device.download(*to, 0, halves.data(), count * sizeof(bfloat16));
  std::transform(halves.begin(), halves.end(), values.begin(), [](bfloat16 half) { return static_cast<float>(half); });
  return values;
}

/// Values of one image, of all its channels.
void check_image(const Image& whole, const image::Placement& placement, const ImageLoaderOptions& options,
                 std::span<const float> values) {
  const ImageTransform& transform = options.transform;
  const int padded = options.padded_channels == 0 ? options.channels : options.padded_channels;
  for (int c = 0; c < padded; ++c) {
    const Plane plane = c < options.channels ? expected(channel_of(whole, c), transform, placement) : Plane{};
    for (int y = 0; y < transform.height; ++y) {
      for (int x = 0; x < transform.width; ++x) {
        const auto value =
            static_cast<double>(values[static_cast<std::size_t>((y * transform.width + x) * padded + c)]);
        if (c >= options.channels) {
          ASSERT_EQ(value, 0) << "a channel of padding";
          continue;
        }
        const auto channel = static_cast<std::size_t>(c);
        const double deviation = static_cast<double>(transform.deviation[channel]);
        const double pixel = plane.at(y, placement.is_flipped ? transform.width - 1 - x : x);
        const double wanted = (pixel / 255 - static_cast<double>(transform.mean[channel])) / deviation;
        const double rounding = options.dtype == DType::bfloat16 ? std::abs(wanted) / 256 : 0;
        ASSERT_NEAR(value, wanted, 0.02 / 255 / deviation + rounding) << "at " << y << ", " << x << ", " << c;
      }
    }
  }
}

TEST_P(ImagePrepare, IsCropResizeFlipAndNormalise) {
  Random random(20);
  for (int round = 0; round < 32; ++round) {
    const ImageLoaderOptions options = random_options(random, static_cast<ImageCrop>(round % 4));
    options.check();
    SCOPED_TRACE(::testing::Message() << "round " << round << ", crop " << round % 4);
    std::vector<image::Ready> ready;
    std::vector<Image> wholes;
    for (int i = 0; i < 5; ++i) {
      wholes.push_back(random_image(random, options));
      const Image& whole = wholes.back();
      const image::Draw draw{options.seed, i, static_cast<std::uint32_t>(round)};
      const image::Placement placement = image::place(options.transform, draw, whole.height, whole.width, false);
      ready.push_back(
          {i, i, image::cut_pixels(whole.pixels.data(), whole, placement.cut.region, options.channels), placement});
    }
    const std::vector<float> values = prepared(device().impl(), options, ready);
    const std::size_t each = values.size() / ready.size();
    for (std::size_t i = 0; i < ready.size(); ++i) {
      check_image(wholes[i], ready[i].placement, options, std::span(values).subspan(i * each, each));
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(ImagePrepare, RefusesABufferThatIsTooSmall) {
  backend::Device& impl = device().impl();
  ImageLoaderOptions options;
  options.transform = plain(4, 4);
  image::Prepare prepare(impl, options);
  const auto packed = impl.allocate(1024);
  const auto small = impl.allocate(4 * 4 * 3 * 4 * 2 - 1);
  EXPECT_THROW(prepare.launch(*packed, 0, 2, *small), UsageError);
}

}  // namespace
}  // namespace overtake::oracle
