// SPDX-License-Identifier: MIT
// What decoding gives, and how it refuses what is broken.
#include <gtest/gtest.h>

#include <algorithm>

#include "image/decode.hpp"
#include "image_support.hpp"

namespace overtake {
namespace {

using namespace std::string_literals;
using test::expect_error, test::jpeg_bytes, test::JpegKind, test::png_bytes, test::random_image, test::TempFolder;

int largest_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.channels, b.channels);
  if (a.pixels.size() != b.pixels.size()) return 256;
  int most = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
  return most;
}

void expect_refused(const std::string& bytes, std::vector<std::string> fragments) {
  fragments.insert(fragments.end(), {"photo.jpg", "skipped"});
  expect_error<DataError>([&] { (void)decode_image(bytes, 3, "photo.jpg"); }, fragments);
}

TEST(ImageDecode, PngIsExactAndJpegIsNear) {
  for (const int channels : {1, 3}) {
    const Image image = random_image(33, 47, channels, 1);
    EXPECT_EQ(largest_difference(decode_image(png_bytes(image), channels, "a"), image), 0);
    JpegKind fine;
    fine.quality = 100;
    fine.subsampled = false;
    EXPECT_LE(largest_difference(decode_image(jpeg_bytes(image, fine), channels, "a"), image), 4);
  }
}

TEST(ImageDecode, GreyIsTheWeightedSum) {
  const Image image = random_image(5, 6, 3, 2);
  const Image grey = decode_image(png_bytes(image), 1, "a");
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
    const double sum = 0.299 * image.pixels[3 * i] + 0.587 * image.pixels[3 * i + 1] + 0.114 * image.pixels[3 * i + 2];
    EXPECT_NEAR(grey.pixels[i], sum, 0.51);
  }
  const Image back = decode_image(png_bytes(grey), 3, "a");
  for (std::size_t i = 0; i < back.pixels.size(); ++i) EXPECT_EQ(back.pixels[i], grey.pixels[i / 3]);
}

// Inks as Adobe stores them, in either coding: 255 is none.
TEST(ImageDecode, PrintColoursAreThoseOfAdobe) {
  for (const J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK}) {
    Image inks{16, 16, 4, {}};
    for (int i = 0; i < 256; ++i) inks.pixels.insert(inks.pixels.end(), {255, 128, 0, 200});
    JpegKind kind;
    kind.in = JCS_CMYK;
    kind.stored = stored;
    kind.quality = 100;
    const Image image = decode_image(jpeg_bytes(inks, kind), 3, "a");
    EXPECT_NEAR(image.pixels[0], 200, 3);
    EXPECT_NEAR(image.pixels[1], 128.0 * 200 / 255, 3);
    EXPECT_NEAR(image.pixels[2], 0, 3);
  }
}

// The rows above and below a region are passed over, which must not change those within.
TEST(ImageDecode, ARegionIsPartOfTheWhole) {
  std::mt19937 engine(3);
  for (int round = 0; round < 60; ++round) {
    JpegKind kind;
    kind.progressive = round % 3 == 0;
    kind.subsampled = round % 2 == 0;
    const int channels = round % 5 == 0 ? 1 : 3;
    const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); };
    const Image image = random_image(draw(1, 80), draw(1, 80), channels, static_cast<std::uint32_t>(round));
    const std::string bytes = round % 7 == 0 ? png_bytes(image) : jpeg_bytes(image, kind);
    const int eighths = round % 7 == 0 || round % 4 != 0 ? 8 : 1 << draw(0, 2);
    image::Region region;
    const auto at = [&](bool all) {
      return image::decode(bytes, 3, "a", [&](int height, int width, bool) {
        const int h = (height * eighths + 7) / 8, w = (width * eighths + 7) / 8;
        if (all) return image::Cut{{0, 0, h, w}, eighths};
        region.top = draw(0, h - 1);
        region.left = draw(0, w - 1);
        region.height = draw(1, h - region.top);
        region.width = draw(1, w - region.left);
        return image::Cut{region, eighths};
      });
    };
    const Image part = at(false), whole = at(true);
    EXPECT_EQ(largest_difference(part, image::cut_pixels(whole.pixels.data(), whole, region, 3)), 0) << round;
  }
}

TEST(ImageDecode, EveryCutOffFileIsRefused) {
  JpegKind progressive;
  progressive.progressive = true;
  const Image image = random_image(40, 50, 3, 4);
  for (const std::string& bytes : {jpeg_bytes(image), jpeg_bytes(image, progressive), png_bytes(image)}) {
    EXPECT_NO_THROW((void)decode_image(bytes, 3, "a"));
    for (std::size_t size = 0; size + 4 < bytes.size(); size += 1 + size / 30) {
      EXPECT_THROW((void)decode_image(bytes.substr(0, size), 3, "a"), DataError) << size << " of " << bytes.size();
      // The region at the top is whole, but the file is not.
      const auto top = [](int, int width, bool) { return image::Cut{{0, 0, 1, width}, 8}; };
      EXPECT_THROW((void)image::decode(bytes.substr(0, size), 3, "a", top), DataError) << size;
    }
  }
}

// Any byte may be wrong: the answer is an image or a DataError.
TEST(ImageDecode, DamagedFilesDoNoHarm) {
  JpegKind progressive;
  progressive.progressive = true;
  std::mt19937 engine(5);
  const Image image = random_image(24, 24, 3, 5);
  int refused = 0;
  for (const std::string& good : {jpeg_bytes(image), jpeg_bytes(image, progressive), png_bytes(image)}) {
    for (int round = 0; round < 300; ++round) {
      std::string bytes = good;
      for (int i = 0; i < 3; ++i) {
        bytes[std::uniform_int_distribution<std::size_t>(0, bytes.size() - 1)(engine)] = static_cast<char>(engine());
      }
      try {
        (void)decode_image(bytes, 3, "a");
      } catch (const DataError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 300);
}

// Bytes that mean nothing between the parts of a file, and behind it.
TEST(ImageDecode, OddMarkersAreNoDamage) {
  const std::string bytes = jpeg_bytes(random_image(30, 40, 3, 8));
  const Image image = decode_image(bytes, 3, "a");
  const std::size_t tables = bytes.find("\xFF\xC4");
  ASSERT_NE(tables, std::string::npos);
  EXPECT_EQ(largest_difference(decode_image(bytes.substr(0, tables) + "odd" + bytes.substr(tables), 3, "a"), image), 0);
  EXPECT_EQ(largest_difference(decode_image(bytes + "more", 3, "a"), image), 0);
}

TEST(ImageDecode, SaysWhatIsWrong) {
  expect_refused("", {"it is empty"});
  expect_refused("a,b\n1,2\n", {"neither JPEG nor PNG"});
  expect_refused("GIF89a\1\0\1\0\0\0\0;"s, {"GIF", "expected JPEG or PNG"});
  expect_refused("PK\3\4 0123456789012345678901234567890"s, {"expected JPEG or PNG"});
  expect_refused(jpeg_bytes(random_image(30, 30, 3, 1)).substr(0, 700), {"damaged or cut off"});
  EXPECT_THROW((void)decode_image("", 2, "a"), UsageError);
}

TEST(ImageDecode, RefusesSizesThatNobodyWants) {
  // The size in the header becomes 60,000 x 60,000; a checksum does not protect JPEG.
  std::string bytes = jpeg_bytes(random_image(16, 16, 3, 1));
  const std::size_t frame = bytes.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  bytes.replace(frame + 5, 4, "\xEA\x60\xEA\x60");
  expect_refused(bytes, {"60000 x 60000"});
}

TEST(ImageDecode, FilesAreJudgedByTheirContent) {
  const TempFolder folder;
  const Image image = random_image(9, 8, 3, 6);
  EXPECT_EQ(largest_difference(read_image(folder.file("in truth.jpg", png_bytes(image)), 3), image), 0);
  expect_error<DataError>([&] { (void)read_image(folder / "none.jpg", 3); }, {"none.jpg"});
  expect_error<DataError>([&] { (void)read_image(folder.path(), 3); }, {folder.path().string()});
}

}  // namespace
}  // namespace overtake
