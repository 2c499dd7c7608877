// SPDX-License-Identifier: MIT
// Images against Pillow: files of each kind, and the resizing of every usable device. images/ is written by
// make_images.py.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "image/prepare.hpp"
#include "oracle/devices.hpp"
#include "overtake/data/array.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"
#include "overtake/image.hpp"

namespace overtake::testing {
namespace {

const std::filesystem::path folder = OVERTAKE_TEST_DATA "/golden/images";

const TensorFile& expected() {
  static const TensorFile file = read_safetensors(folder / "expected.safetensors");
  return file;
}

std::span<const std::uint8_t> bytes_of(const HostArray& array) {
  return {reinterpret_cast<const std::uint8_t*>(array.bytes.data()), array.bytes.size()};
}

TEST(Images, FilesAreReadAsPillowReadsThem) {
  int files = 0;
  for (const NamedArray& tensor : expected().tensors) {
    const std::size_t blank = tensor.name.find(' ');
    const std::string kind = tensor.name.substr(blank + 1);
    if (kind != "rgb" && kind != "grey") continue;
    SCOPED_TRACE(tensor.name);
    ++files;
    const Image image = read_image(folder / tensor.name.substr(0, blank), kind == "rgb" ? 3 : 1);
    EXPECT_EQ(image.height, tensor.array.extents[0]);
    EXPECT_EQ(image.width, tensor.array.extents[1]);
    const auto wanted = bytes_of(tensor.array);
    ASSERT_EQ(image.pixels.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_EQ(image.pixels[i], wanted[i]) << "byte " << i;
  }
  EXPECT_EQ(files, 36);
}

class ImageResize : public oracle::OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, ImageResize, ::testing::ValuesIn(list_devices()), oracle::device_name);

TEST_P(ImageResize, IsThatOfPillow) {
  int cases = 0;
  for (const HostArray* pixels = expected().find("resize 0"); pixels != nullptr;
       pixels = expected().find("resize " + std::to_string(cases))) {
    const std::string name = "resize " + std::to_string(cases++);
    SCOPED_TRACE(name);
    const std::vector<std::int32_t> box = to_int32(*expected().find(name + " box"));
    const HostArray& wanted = *expected().find(name + " to");
    ImageLoaderOptions options;
    options.transform = plain(static_cast<int>(wanted.extents[0]), static_cast<int>(wanted.extents[1]));
    const Image whole{static_cast<int>(pixels->extents[0]), static_cast<int>(pixels->extents[1]), 3, {}};
    std::vector<image::Ready> ready(1);
    ready[0].image = image::cut_pixels(bytes_of(*pixels).data(), whole, {box[0], box[1], box[2], box[3]}, 3);
    ready[0].placement = image::place(options.transform, {}, box[2], box[3], false);
    backend::Device& impl = device().impl();
    std::vector<std::byte> packed(image::packed_bytes(ready));
    image::pack(ready, packed.data());
    const auto from = impl.allocate(packed.size());
    impl.upload(*from, 0, packed.data(), packed.size());
    std::vector<float> values(static_cast<std::size_t>(wanted.size()));
    const auto to = impl.allocate(values.size() * sizeof(float));
    image::Prepare(impl, options).launch(*from, 0, 1, *to);
    impl.download(*to, 0, values.data(), values.size() * sizeof(float));
    const std::vector<float> all = to_float32(wanted);
    for (std::size_t i = 0; i < all.size(); ++i) ASSERT_NEAR(values[i] * 255, all[i], 0.01) << i;
  }
  EXPECT_EQ(cases, 6);
}

}  // namespace
}  // namespace overtake::testing
