// SPDX-License-Identifier: MIT
// Images of IDX and CIFAR files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "data_support.hpp"
#include "overtake/image.hpp"

namespace overtake {
namespace {

using namespace std::string_literals;
using test::expect_error, test::TempFolder;
using ::testing::ElementsAre;

std::string idx(const std::vector<std::uint32_t>& extents, const std::string& data, char type = 0x08) {
  std::string file = {'\0', '\0', type, static_cast<char>(extents.size())};
  for (const std::uint32_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(extent >> shift & 0xFFU);
  }
  return file + data;
}

std::filesystem::path zipped(const TempFolder& folder, const std::string& name, const std::string& content) {
  const std::string path = (folder / name).string();
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
  return path;
}

TEST(ImageArrays, IdxPlainAndCompressed) {
  const TempFolder folder;
  const auto images = zipped(folder, "images.gz", idx({3, 2, 2}, "abcdefghijkl"));
  const auto labels = folder.file("labels", idx({3}, "\2\0\1"s));
  const ImageSet set = ImageSet::open(images, labels);
  EXPECT_EQ(set.size(), 3);
  EXPECT_THAT(set.labels(), ElementsAre(2, 0, 1));
  EXPECT_THAT(set.class_names(), ElementsAre("0", "1", "2"));
  EXPECT_TRUE(set.notes().empty());
  const auto gaps = folder.file("gaps", idx({3}, "\4\0\1"s));
  EXPECT_THAT(ImageSet::open(images, gaps).notes(),
              ElementsAre("2 of 5 classes have no image, for example 2: labels count from 0 to 4"));
  const Image second = set.read(1, 1);
  EXPECT_EQ(second.height, 2);
  EXPECT_THAT(second.pixels, ElementsAre('e', 'f', 'g', 'h'));
  EXPECT_THAT(set.read(2, 3).pixels, ElementsAre('i', 'i', 'i', 'j', 'j', 'j', 'k', 'k', 'k', 'l', 'l', 'l'));
  EXPECT_NE(set.name(2).find("image 2"), std::string::npos);
  const std::vector<std::int32_t> some = {2};
  EXPECT_EQ(set.select(some).read(0, 1).pixels, set.read(2, 1).pixels);
  EXPECT_EQ(ImageSet::from_idx(images, labels, 10).class_names().size(), 10U);
  const ImageSet unlabelled = ImageSet::from_idx(images, "");
  EXPECT_FALSE(unlabelled.has_labels());
  EXPECT_TRUE(unlabelled.labels().empty());
  const auto colours = folder.file("colours", idx({1, 1, 2, 3}, "abcdef"));
  EXPECT_THAT(ImageSet::from_idx(colours, "").read(0, 3).pixels, ElementsAre('a', 'b', 'c', 'd', 'e', 'f'));
}

TEST(ImageArrays, IdxSaysWhatDoesNotFit) {
  const TempFolder folder;
  const auto images = folder.file("images", idx({2, 2, 1}, "abcd"));
  const auto labels = folder.file("labels", idx({3}, "\2\0\1"s));
  expect_error<DataError>([&] { (void)ImageSet::from_idx(images, labels); },
                          {"3 labels", "2 images", "labels", "images"});
  const auto large = folder.file("large", idx({2}, "\1\12"s));
  expect_error<DataError>([&] { (void)ImageSet::from_idx(images, large, 10); }, {"label 10 of image 1", "10 classes"});
  const auto negative = folder.file("negative", idx({2}, "\1\xFF", 0x09));
  expect_error<DataError>([&] { (void)ImageSet::from_idx(images, negative); }, {"label -1 of image 1"});
  expect_error<DataError>([&] { (void)ImageSet::from_idx(labels, images); }, {"of 1 dimensions", "labels"});
  expect_error<DataError>([&] { (void)ImageSet::from_idx(images, images); }, {"3 dimensions", "exchanged"});
  expect_error<UsageError>([&] { (void)ImageSet::open(images); }, {"the labels of", "--labels"});
  const auto text = folder.file("table.csv", "a,b\n1,2\n");
  expect_error<DataError>([&] { (void)ImageSet::open(text); }, {"table.csv is neither an IDX nor a CIFAR file"});
  const auto none = folder.file("none", idx({0, 2, 2}, "")), flat = folder.file("flat", idx({3, 0, 2}, ""));
  expect_error<DataError>([&] { (void)ImageSet::from_idx(none, {}); }, {"none holds no images"});
  expect_error<DataError>([&] { (void)ImageSet::from_idx(flat, {}); }, {"flat: it has no pixels"});
  const auto cut = folder.file("cut", idx({2, 2, 1}, "abc"));
  expect_error<DataError>([&] { (void)ImageSet::from_idx(cut, labels); }, {"cut", "only 3 follow"});
}

std::string cifar(const std::string& labels, char first) {
  std::string record = labels;
  for (int i = 0; i < 3072; ++i) record += static_cast<char>(first + i / 1024);
  return record;
}

TEST(ImageArrays, Cifar) {
  const TempFolder folder;
  static_cast<void>(folder.file("data_batch_2.bin", cifar("\7"s, 'x')));
  const auto one = folder.file("data_batch_1.bin", cifar("\3"s, 'a') + cifar("\0"s, 'k'));
  const ImageSet set = ImageSet::open(folder.path());
  EXPECT_EQ(set.size(), 3);
  EXPECT_THAT(set.labels(), ElementsAre(3, 0, 7));
  EXPECT_EQ(set.class_names().size(), 10U);
  const Image image = set.read(2, 3);
  EXPECT_EQ(image.width, 32);
  EXPECT_EQ(std::string(image.pixels.begin(), image.pixels.begin() + 6), "xyzxyz");
  EXPECT_EQ(ImageSet::open(one).size(), 2);
  static_cast<void>(
      folder.file("batches.meta.txt", "aeroplane\ncar\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n"));
  EXPECT_EQ(ImageSet::open(folder.path()).class_names()[3], "cat");
  const auto hundred = folder.file("train.bin", cifar("\1\x63"s, 'a'));
  EXPECT_THAT(ImageSet::open(hundred).labels(), ElementsAre(99));
  expect_error<DataError>([&] { (void)ImageSet::from_cifar(folder.file("c.bin", cifar("\12"s, 'a'))); },
                          {"label 10 of image 0"});
  expect_error<DataError>([&] { (void)ImageSet::from_cifar(folder.file("d.bin", "abc")); },
                          {"3 bytes", "3073", "3074"});
  const TempFolder empty;
  expect_error<DataError>([&] { (void)ImageSet::from_cifar(empty.path()); }, {"data_batch_"});
}

}  // namespace
}  // namespace overtake
