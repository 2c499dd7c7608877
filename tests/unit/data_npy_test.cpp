// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <numeric>

#include "data_support.hpp"
#include "overtake/data/array.hpp"

namespace overtake {
namespace {

using test::expect_error;
using test::TempFolder;
using Extents = std::vector<std::int64_t>;

/// A version 1 file with this header text and data.
std::string npy(const std::string& header, const std::string& data, char version = 1) {
  std::string file = "\x93NUMPY";
  file += {version, '\0', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  if (version > 1) file += {'\0', '\0'};
  return file + header + data;
}

template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

HostArray read(const std::string& content) {
  const TempFolder folder;
  return read_npy(folder.file("a.npy", content));
}

void expect_refused(const std::string& content, std::vector<std::string> fragments) {
  const TempFolder folder;
  const auto path = folder.file("bad.npy", content);
  fragments.push_back("bad.npy");
  expect_error<DataError>([&] { (void)read_npy(path); }, fragments);
}

TEST(Npy, ReadsWhatNumPyWrites) {
  // np.save of np.array([[1, 2, 3], [4, 5, 6]], '<f4'): the header is padded to 118 bytes.
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  header.resize(117, ' ');
  const HostArray array = read(npy(header + "\n", bytes_of<float>({1, 2, 3, 4, 5, 6})));
  EXPECT_EQ(array.type, ElementType::float32);
  EXPECT_EQ(array.extents, (Extents{2, 3}));
  EXPECT_EQ(to_float32(array), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(Npy, VersionsAndKeyOrder) {
  for (const char version : {'\1', '\2', '\3'}) {
    const HostArray array =
        read(npy("{\"shape\": (2,), 'fortran_order':False,'descr':'<i4'}", bytes_of<std::int32_t>({7, -8}), version));
    EXPECT_EQ(to_int32(array), (std::vector<std::int32_t>{7, -8}));
  }
}

TEST(Npy, FortranOrderIsTransposed) {
  // Column-major storage of value = 12 i + 4 j + k in a 2 x 3 x 4 array.
  std::vector<std::int64_t> stored;
  for (int k = 0; k < 4; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) stored.push_back(12 * i + 4 * j + k);
    }
  }
  const HostArray array = read(npy("{'descr': '<i8', 'fortran_order': True, 'shape': (2, 3, 4), }", bytes_of(stored)));
  std::vector<std::int32_t> expected(24);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(to_int32(array), expected);
}

TEST(Npy, TypesScalarsAndEmptyArrays) {
  EXPECT_EQ(to_float32(read(npy("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", bytes_of<double>({0.1})))),
            (std::vector<float>{0.1F}));
  EXPECT_EQ(to_int32(read(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", "\x01\xFF"))),
            (std::vector<std::int32_t>{1, 255}));
  EXPECT_EQ(read(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", "\x01")).type, ElementType::boolean);
  EXPECT_EQ(read(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (0, 5)}", "")).extents, (Extents{0, 5}));
}

TEST(Npy, WritesWhatItReads) {
  const TempFolder folder;
  for (const Extents& extents : {Extents{}, Extents{1}, Extents{6}, Extents{2, 3}, Extents{0, 3}}) {
    std::int64_t size = 1;
    for (const auto extent : extents) size *= extent;
    std::vector<float> values(static_cast<std::size_t>(size));
    std::iota(values.begin(), values.end(), 0.5F);
    write_npy(folder / "a.npy", host_array(values, extents));
    const HostArray back = read_npy(folder / "a.npy");
    EXPECT_EQ(back.extents, extents);
    EXPECT_EQ(to_float32(back), values);
    EXPECT_EQ(test::read_bytes(folder / "a.npy").size() % 64, values.size() * 4 % 64);
  }
  EXPECT_EQ(folder.count(), 1U);
}

TEST(Npy, RefusesDamagedFiles) {
  const std::string data = bytes_of<float>({1, 2, 3, 4, 5, 6});
  const std::string good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", data);
  EXPECT_EQ(read(good).size(), 6);
  expect_refused("", {"too short"});
  expect_refused("PK\x03\x04 something else", {"does not begin"});
  expect_refused(good.substr(0, good.size() - 1), {"24 bytes of data, but 23 follow"});
  expect_refused(good + "x", {"but 25 follow"});
  std::string version = good;
  version[6] = 9;
  expect_refused(version, {"version 9"});
  std::string length = good;
  length[9] = '\x7F';
  expect_refused(length, {"header of"});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_THROW((void)read(good.substr(0, size)), DataError) << size;
}

TEST(Npy, RefusesBadHeaders) {
  expect_refused(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (0,)}", ""), {"\">f4\"", "little-endian"});
  expect_refused(npy("{'descr': '|O', 'fortran_order': False, 'shape': (0,)}", ""), {"\"|O\""});
  expect_refused(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (0,)}", ""), {"descr"});
  expect_refused(npy("{'descr': '<f4', 'shape': (0,)}", ""), {"lacks the key fortran_order"});
  expect_refused(npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (0,)}", ""), {"repeated"});
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0,), 'more': 1}", ""), {"not known"});
  expect_refused(npy("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (0,)}", ""), {"fortran_order"});
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", ""), {"shape"});
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0,)} x", ""), {"nothing"});
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", ""), {"too large"});
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}", ""),
                 {"too large"});
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,)}", ""), {"but 0 follow"});
  expect_refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", ""), {"shape"});
}

TEST(Npy, Conversions) {
  const std::vector<float> values = {1.0F, 2.5F};
  expect_error<DataError>([&] { (void)to_int32(host_array(values, {2}), "labels"); }, {"labels", "element 1 is 2.5"});
  const std::vector<float> large = {3e9F};
  EXPECT_THROW((void)to_int32(host_array(large, {1})), DataError);
  EXPECT_THROW((void)host_array(values, {3}), UsageError);
  EXPECT_THROW((void)host_array(values, {-2}), UsageError);
  HostArray broken = host_array(values, {2});
  broken.extents = {1000};
  EXPECT_THROW((void)to_float32(broken), UsageError);
  const TempFolder folder;
  EXPECT_THROW(write_npy(folder / "a.npy", broken), UsageError);
  EXPECT_EQ(folder.count(), 0U);
}

}  // namespace
}  // namespace overtake
