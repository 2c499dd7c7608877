// SPDX-License-Identifier: MIT
// LeNet on real images: Fashion-MNIST as Debian's dataset-fashion-mnist has it. One epoch of 2,000 images on every
// device, against the loss that the first of them gave when this was written.
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>
#include <vector>

#include "oracle/devices.hpp"
#include "overtake/vision.hpp"

namespace overtake {
namespace {

const std::filesystem::path folder = "/usr/share/datasets/fashion-mnist";

class FashionMnist : public oracle::OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, FashionMnist, ::testing::ValuesIn(list_devices()), oracle::device_name);

TEST_P(FashionMnist, AnEpochOf2000ImagesGivesTheRecordedLoss) {
  const Device device = OnEveryDevice::device();
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "Debian's package dataset-fashion-mnist is not installed";
  const ImageSet all = ImageSet::from_idx(folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz");
  std::vector<std::int32_t> first(2000);
  std::iota(first.begin(), first.end(), 0);
  ImageTrainingOptions options;
  options.model = "lenet";
  options.epochs = 1;
  options.batch_size = 16;
  options.learning_rate = 0.02;
  const TrainedImageModel trained = train_images(all.select(first), {}, options, device);
  ASSERT_EQ(trained.epochs.size(), 1U);
  constexpr double recorded_loss = 1.57637, recorded_error = 0.5905;
  EXPECT_NEAR(trained.epochs[0].train_loss, recorded_loss, 2e-3 * recorded_loss);
  EXPECT_NEAR(trained.epochs[0].train_error, recorded_error, 2.0 / 2000);
}

}  // namespace
}  // namespace overtake
