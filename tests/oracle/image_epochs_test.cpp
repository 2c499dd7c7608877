// SPDX-License-Identifier: MIT
// Whole epochs on every device: the inputs are those of the cpu, in buffers and as arrays.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "backend/api/device.hpp"
#include "oracle/devices.hpp"
#include "overtake/image.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

class ImageEpochs : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, ImageEpochs, ::testing::ValuesIn(list_devices()), device_name);

/// CIFAR-100 with random pixels.
ImageSet random_set(int count) {
  const auto path = std::filesystem::temp_directory_path() / ("overtake-epochs-" + std::to_string(::getpid()) + ".bin");
  std::mt19937 engine(1);
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    bytes += static_cast<char>(0);
    bytes += static_cast<char>(i % 100);
    for (int p = 0; p < 3072; ++p) bytes += static_cast<char>(engine());
  }
  std::ofstream(path, std::ios::binary) << bytes;
  ImageSet set = ImageSet::from_cifar(path);
  std::filesystem::remove(path);
  return set;
}

std::vector<float> epoch_of(const ImageSet& set, const Device& device, bool as_arrays) {
  ImageLoaderOptions options;
  options.transform = imagenet_training(24);
  options.batch_size = 16;
  options.threads = 3;
  options.padded_channels = 4;
  ImageLoader loader(set, options, device);
  constexpr std::size_t image = 24 * 24 * 4;
  const auto buffer = device.impl().allocate(16 * image * sizeof(float));
  std::vector<float> all;
  for (int epoch = 0; epoch < 3; ++epoch) {
    loader.begin_epoch(epoch);
    while (const auto batch = loader.next()) {
      std::vector<float> values(static_cast<std::size_t>(batch->size()) * image);
      if (as_arrays) {
        values = (batch->inputs() + 0.0F).to_vector<float>();
      } else {
        batch->write_inputs(*buffer);
        device.impl().download(*buffer, 0, values.data(), values.size() * sizeof(float));
      }
      all.insert(all.end(), values.begin(), values.end());
    }
  }
  return all;
}

TEST_P(ImageEpochs, AreThoseOfTheCpu) {
  const ImageSet set = random_set(70);
  const std::vector<float> expected = epoch_of(set, Device(), false);
  ASSERT_EQ(expected.size(), 3U * 70 * 24 * 24 * 4);
  for (const bool as_arrays : {false, true}) {
    const std::vector<float> values = epoch_of(set, device(), as_arrays);
    ASSERT_EQ(values.size(), expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(values[i], expected[i], 1e-4) << i;
  }
}

}  // namespace
}  // namespace overtake::oracle
