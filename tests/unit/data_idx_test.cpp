// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <zlib.h>

#include "data_support.hpp"
#include "overtake/data/dataset.hpp"

namespace overtake {
namespace {

using test::expect_error;
using test::TempFolder;
using Extents = std::vector<std::int64_t>;
using Ints = std::vector<std::int32_t>;

/// An IDX file: type, big-endian extents, data.
std::string idx(unsigned char type, const std::vector<std::uint32_t>& extents, const std::string& data) {
  std::string file = {'\0', '\0', static_cast<char>(type), static_cast<char>(extents.size())};
  for (const std::uint32_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(extent >> shift & 0xFFU);
  }
  return file + data;
}

HostArray read(const std::string& content) {
  const TempFolder folder;
  return read_idx(folder.file("a-idx", content));
}

void expect_refused(const std::string& content, std::vector<std::string> fragments) {
  const TempFolder folder;
  const auto path = folder.file("bad-idx", content);
  fragments.push_back("bad-idx");
  expect_error<DataError>([&] { (void)read_idx(path); }, fragments);
}

TEST(Idx, AllTypes) {
  using std::string_literals::operator""s;
  const HostArray images = read(idx(0x08, {2, 1, 3}, "\x00\x01\x02\xFD\xFE\xFF"s));
  EXPECT_EQ(images.type, ElementType::uint8);
  EXPECT_EQ(images.extents, (Extents{2, 1, 3}));
  EXPECT_EQ(to_int32(images), (Ints{0, 1, 2, 253, 254, 255}));
  EXPECT_EQ(to_int32(read(idx(0x09, {2}, "\x7F\x80"s))), (Ints{127, -128}));
  EXPECT_EQ(to_int32(read(idx(0x0B, {2}, "\x01\x02\xFF\xFE"s))), (Ints{258, -2}));
  EXPECT_EQ(to_int32(read(idx(0x0C, {2}, "\x00\x01\x00\x00\xFF\xFF\xFF\xFD"s))), (Ints{65536, -3}));
  EXPECT_EQ(to_float32(read(idx(0x0D, {1}, "\x3F\xC0\x00\x00"s))), (std::vector<float>{1.5F}));
  EXPECT_EQ(to_float32(read(idx(0x0E, {1}, "\xC0\x04\x00\x00\x00\x00\x00\x00"s))), (std::vector<float>{-2.5F}));
}

TEST(Idx, Gzip) {
  const TempFolder folder;
  const std::string path = (folder / "labels.gz").string();
  const std::string content = idx(0x08, {3}, "\x03\x01\x02");
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
  EXPECT_EQ(to_int32(read_idx(path)), (Ints{3, 1, 2}));
}

TEST(Idx, RefusesDamagedFiles) {
  const std::string good = idx(0x08, {2, 2}, "abcd");
  EXPECT_EQ(read(good).size(), 4);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_THROW((void)read(good.substr(0, size)), DataError) << size;
  expect_refused(good + "e", {"but more follow"});
  expect_refused(good.substr(0, 14), {"need 4 bytes of data, but only 2 follow"});
  expect_refused("\x1F\x8B", {"bad-idx"});
  expect_refused(idx(0x0A, {1}, "a"), {"0x08"});
  expect_refused(idx(0x08, {}, ""), {"0 dimensions"});
  expect_refused(idx(0x08, {1, 1, 1, 1, 1, 1, 1, 1, 1}, "a"), {"9 dimensions"});
  expect_refused(idx(0x0E, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, ""), {"too large"});
  // A claim of 16 TB costs an error, not the memory.
  expect_refused(idx(0x0E, {0xFFFFFFFF, 512}, "abc"), {"only 3 follow"});
}

TEST(Idx, MakesAClassificationSet) {
  const Dataset data =
      classification_data(read(idx(0x08, {2, 2, 2}, std::string("\x00\xFF\x00\x00\x33\x00\x00\xFF", 8))),
                          read(idx(0x08, {2}, "\x01\x03")), 1.0F / 255.0F);
  EXPECT_EQ(data.rows, 2);
  EXPECT_EQ(data.features, 4);
  EXPECT_EQ(data.classes, 4);
  EXPECT_EQ(data.labels, (Ints{1, 3}));
  EXPECT_FLOAT_EQ(data.inputs[1], 1.0F);
  EXPECT_FLOAT_EQ(data.inputs[4], 0.2F);
}

TEST(Idx, RefusesPairsThatDoNotFit) {
  const HostArray inputs = read(idx(0x08, {2, 1}, "ab"));
  EXPECT_THROW((void)classification_data(inputs, read(idx(0x08, {3}, "abc"))), DataError);
  EXPECT_THROW((void)classification_data(inputs, read(idx(0x08, {2, 1}, "ab"))), DataError);
  EXPECT_THROW((void)classification_data(inputs, read(idx(0x09, {2}, "\x01\xFF"))), DataError);
  EXPECT_THROW((void)classification_data(read(idx(0x08, {0, 1}, "")), read(idx(0x08, {0}, ""))), DataError);
}

}  // namespace
}  // namespace overtake
