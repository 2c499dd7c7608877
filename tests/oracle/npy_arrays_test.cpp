// SPDX-License-Identifier: MIT
// NPY and NPZ of arrays, on every device: what is written is read, and what is damaged is refused by one clear error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "oracle/devices.hpp"
#include "overtake/error.hpp"
#include "overtake/npy.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

namespace fs = std::filesystem;

class NpyArrays : public OnEveryDevice {
 protected:
  NpyArrays() : folder_(fs::temp_directory_path() / ("overtake_npy_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~NpyArrays() override { fs::remove_all(folder_); }
  [[nodiscard]] fs::path file(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] fs::path file(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

 private:
  fs::path folder_;
};
INSTANTIATE_TEST_SUITE_P(Devices, NpyArrays, ::testing::ValuesIn(list_devices()), device_name);

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::byte> values_of(const Array& a) {
  std::vector<std::byte> values(static_cast<std::size_t>(a.size()) * size_of(a.dtype()));
  a.to_memory(values.data());
  return values;
}

void expect_equal(const Array& got, const Array& expected) {
  EXPECT_EQ(got.dtype(), expected.dtype());
  EXPECT_EQ(got.shape(), expected.shape());
  EXPECT_EQ(values_of(got), values_of(expected));
}

template <typename Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

std::string npy(const std::string& descr, const std::string& rest, const std::string& data) {
  const std::string header = "{'descr': '" + descr + "', " + rest + "}\n";
  return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header + data;
}

TEST_P(NpyArrays, EveryTypeAndShape) {
  for (std::size_t i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (dtype == DType::float64 && !device().info().double_precision) continue;
    for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{7}, Shape{2, 3, 4}}) {
      const Array a = astype(reshape(arange(shape.size(), DType::int64, device()), shape.to_vector()) - 2, dtype);
      save_npy(file("a.npy"), a);
      const Array back = load_npy(file("a.npy"), device());
      EXPECT_EQ(back.device(), device());
      expect_equal(back, a);
      save_npz(file("a.npz"), {{"x", a}, {"y/z", transpose(a)}},
               i % 2 == 0 ? NpzPacking::deflated : NpzPacking::stored);
      expect_equal(load_npz(file("a.npz"), "x", device()), a);
      expect_equal(load_npz(file("a.npz"), device()).at("y/z"), transpose(a));
    }
  }
}

TEST_P(NpyArrays, OrdersOfBytesAndAxes) {
  const std::string data("\0\1\0\2\0\3\0\4\0\5\0\6", 12);
  const Array big = load_npy(file("b.npy", npy(">i2", "'fortran_order': True, 'shape': (2, 3), ", data)), device());
  EXPECT_EQ(big.to_vector<std::int16_t>(), (std::vector<std::int16_t>{1, 3, 5, 2, 4, 6}));
  const Array truths =
      load_npy(file("t.npy", npy("|b1", "'fortran_order': False, 'shape': (2,), ", "\x02\x03")), device());
  EXPECT_EQ(sum(truths).item<int>(), 2);
}

TEST_P(NpyArrays, Refusals) {
  const auto refused = [&](const std::string& descr, const std::string& rest, const std::string& data) {
    return refusal([&] { (void)load_npy(file("r.npy", npy(descr, rest, data)), device()); });
  };
  const std::string shape = "'fortran_order': False, 'shape': (2,), ";
  EXPECT_THAT(refused("|O", shape, "cos\nsystem\n"), ::testing::HasSubstr("|O"));
  EXPECT_THAT(refused("<c8", shape, std::string(16, '\0')), ::testing::HasSubstr("<c8"));
  EXPECT_THAT(refused("<f4", shape, "1234567"), ::testing::HasSubstr("needs 8 bytes"));
  EXPECT_THAT(refused("<f4", "'fortran_order': False, 'shape': (4611686018427387904, 4), ", ""),
              ::testing::HasSubstr("too large"));
  EXPECT_THAT(refused("<f4", "'fortran_order': False, 'shape': (1099511627776,), ", "1234"),
              ::testing::HasSubstr("4 follow"));
  EXPECT_THAT(refused("<f4", "'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1), ", "1234"),
              ::testing::HasSubstr("9 axes"));
  EXPECT_THROW((void)load_npy(file("missing.npy"), device()), DataError);
  EXPECT_THROW((void)load_npz(file("e.npz", ""), device()), DataError);
  EXPECT_THROW((void)load_npz(file("n.npz", npy("<f4", shape, "12345678")), device()), DataError);
  EXPECT_THROW(save_npy(file("no/such/folder.npy"), ones(Shape{2}, device())), DataError);
  EXPECT_THROW(save_npz(file("x.npz"), {{"", ones(Shape{2}, device())}}), UsageError);
  save_npz(file("x.npz"), {{"a", ones(Shape{2}, device())}});
  EXPECT_THAT(refusal([&] { (void)load_npz(file("x.npz"), "b", device()); }), ::testing::HasSubstr("no array"));
}

// Every single changed or missing byte gives the array or one Error, and takes no memory that the file does not
// justify.
TEST_P(NpyArrays, DamagedFilesGiveOneError) {
  if (device().id() != "cpu") GTEST_SKIP() << "files are read alike for every device";
  const Array a = reshape(arange(600, DType::int64), {20, 30});
  save_npy(file("a.npy"), a);
  save_npz(file("s.npz"), {{"a", a}, {"b", astype(a, DType::float16)}});
  save_npz(file("d.npz"), {{"a", a}, {"b", astype(a, DType::float16)}}, NpzPacking::deflated);
  std::mt19937 random(7);
  int refusals = 0;
  for (const char* name : {"a.npy", "s.npz", "d.npz"}) {
    const std::string good = bytes_of(file(name));
    for (int trial = 0; trial < 1500; ++trial) {
      std::string bad = good;
      const std::size_t at = random() % 3 == 0 ? random() % good.size()
                                               : good.size() - 1 - random() % std::min<std::size_t>(good.size(), 300);
      if (trial % 5 == 0) {
        bad.resize(at);
      } else {
        bad[at] = static_cast<char>(random());
      }
      const fs::path path = file("bad", bad);
      try {
        if (name[0] == 'a') {
          (void)load_npy(path);
        } else {
          (void)load_npz(path);
        }
      } catch (const Error& error) {
        ++refusals;
        EXPECT_STRNE(error.what(), "");
      }
    }
  }
  EXPECT_GT(refusals, 1500);
}

}  // namespace
}  // namespace overtake::oracle
