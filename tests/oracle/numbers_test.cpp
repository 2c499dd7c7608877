// SPDX-License-Identifier: MIT
// Plain numbers beside arrays, neighbours of numbers of 16 bits, labels and buffers that are not there; and what is
// computed when the process ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "oracle/devices.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/embedding.hpp"
#include "overtake/nn/loss.hpp"
#include "overtake/ops.hpp"
#include "overtake/print.hpp"
#include "overtake/stream.hpp"

namespace overtake::oracle {
namespace {

using ::testing::HasSubstr;
using Bools = std::vector<bool>;

class Numbers : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Numbers, ::testing::ValuesIn(list_devices()), device_name);

template <typename Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST_P(Numbers, ComparisonsWithPlainNumbersAreExact) {
  const Array a = Array::from({std::int8_t{-128}, std::int8_t{1}, std::int8_t{127}}, {3}, device());
  const Bools all{true, true, true}, none{false, false, false};
  EXPECT_EQ(less(a, Array(1000)).to_vector<bool>(), all);
  EXPECT_EQ(less_equal(Array(1000), a).to_vector<bool>(), none);
  EXPECT_EQ(greater(a, Array(-129)).to_vector<bool>(), all);
  EXPECT_EQ(greater_equal(a, Array(128)).to_vector<bool>(), none);
  EXPECT_EQ(equal(a, Array(257)).to_vector<bool>(), none);
  EXPECT_EQ(not_equal(Array(257), a).to_vector<bool>(), all);
  EXPECT_EQ(less(a, Array(127)).to_vector<bool>(), (Bools{true, true, false}));
  const Array large = Array::from({std::uint64_t{5}, std::numeric_limits<std::uint64_t>::max()}, {2}, device());
  EXPECT_EQ(greater(large, Array(-1)).to_vector<bool>(), (Bools{true, true}));
  EXPECT_EQ(equal(large, Array(-1)).to_vector<bool>(), (Bools{false, false}));
  const Array wide = Array::from({std::int64_t{-1}}, {1}, device());
  EXPECT_EQ(less(wide, Array(std::numeric_limits<std::uint64_t>::max())).to_vector<bool>(), Bools{true});
}

TEST_P(Numbers, PlainNumbersDoNotWrapRound) {
  const Array a = Array::from({std::uint8_t{1}, std::uint8_t{2}}, {2}, device());
  EXPECT_THAT(refusal([&] { (void)(a + Array(300)); }), HasSubstr("[add] 300 is out of bounds for uint8"));
  EXPECT_THAT(refusal([&] { (void)maximum(Array(-1), a); }), HasSubstr("[maximum] -1 is out of bounds for uint8"));
  EXPECT_THAT(refusal([&] { (void)where(equal(a, Array(1)), a, Array(256)); }), HasSubstr("[where] 256"));
  EXPECT_THAT(refusal([&] { (void)assigned_at(a, {Index(0)}, Array(256)); }), HasSubstr("[assigned_at] 256"));
  EXPECT_EQ((a + Array(255)).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{0, 1}));
  EXPECT_EQ((a / Array(1000)).dtype(), DType::float32);
  EXPECT_EQ(astype(Array(300), DType::uint8).item<int>(), 44) << "what is asked for wraps round";
}

TEST_P(Numbers, ClipTakesBoundsOfTheArraysType) {
  const Array a = Array::from({1, 2, 3}, {3}, device());
  EXPECT_THAT(refusal([&] { (void)clip(a, Array(0.5), std::nullopt); }), HasSubstr("[clip] the array is int32"));
  EXPECT_EQ(clip(a, Array(2), std::nullopt).to_vector<std::int32_t>(), (std::vector<std::int32_t>{2, 2, 3}));
}

// In order of size without the sign, numbers of 16 bits have neighbouring bits.
template <typename T>
void expect_neighbours(const Device& device, DType dtype, std::uint32_t infinity) {
  const auto value = [](std::uint32_t bits) {
    T number;
    number.bits = static_cast<std::uint16_t>(bits);
    return static_cast<float>(number);
  };
  std::vector<float> values, above, below;
  for (std::uint32_t bits = 0; bits <= infinity; ++bits) {
    values.push_back(value(bits));
    above.push_back(bits == infinity ? value(bits) : value(bits + 1));
    below.push_back(bits == 0 ? -value(1) : value(bits - 1));
  }
  const Shape shape{static_cast<std::int64_t>(values.size())};
  const Array a = astype(Array::from(values, shape, device), dtype);
  const Array most =
      astype(Array::from(std::vector<float>{std::numeric_limits<float>::infinity()}, Shape{1}, device), dtype);
  EXPECT_EQ(astype(nextafter(a, most), DType::float32).to_vector<float>(), above);
  EXPECT_EQ(astype(nextafter(a, negative(most)), DType::float32).to_vector<float>(), below);
  EXPECT_EQ(astype(nextafter(a, a), DType::float32).to_vector<float>(), values);
}

TEST_P(Numbers, NeighboursAreOfTheType) {
  expect_neighbours<float16>(device(), DType::float16, 0x7C00);
  expect_neighbours<bfloat16>(device(), DType::bfloat16, 0x7F80);
}

TEST_P(Numbers, LabelsThatAreNoClass) {
  const Array logits = Array::from({1.0F, 2.0F, 3.0F, 1.0F}, {2, 2}, device());
  const auto labels = [&](std::int32_t last) { return Array::from({0, last}, {2}, device()); };
  nn::CrossEntropyOptions options;
  options.reduction = nn::Reduction::none;
  if (device().id() == "cpu") {
    for (const std::int32_t wrong : {2, -1, -100}) {
      EXPECT_THAT(refusal([&] { (void)nn::cross_entropy(logits, labels(wrong), options); }),
                  HasSubstr("is outside of 2 classes"));
    }
  } else {
    EXPECT_TRUE(std::isnan(nn::cross_entropy(logits, labels(2), options).to_vector<float>()[1]));
  }
  options.ignore_index = -100;
  EXPECT_EQ(nn::cross_entropy(logits, labels(-100), options).to_vector<float>()[1], 0);
  options.label_smoothing = 1;
  EXPECT_THAT(refusal([&] { (void)nn::cross_entropy(logits, labels(0), options); }), HasSubstr("label_smoothing"));
}

TEST(Embeddings, NumbersOfRowsAreWhole) {
  nn::Embedding table(3, 2);
  EXPECT_THAT(refusal([&] { (void)table(Array::from({0.5F}, {1})); }), HasSubstr("[Embedding]"));
  EXPECT_EQ(table(Array::from({2.0F}, {1})).shape(), Shape({1, 2}));
}

TEST_P(Numbers, BuffersThatWereMovedFrom) {
  PinnedBuffer buffer(16, device());
  const PinnedBuffer taken = std::move(buffer);
  // NOLINTBEGIN(bugprone-use-after-move): it is what is tested
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_EQ(buffer.bytes(), 0U);
  EXPECT_THAT(refusal([&] { (void)upload_async(buffer, DType::float32, Shape{4}); }), HasSubstr("moved from"));
  EXPECT_THAT(refusal([&] { download_async(Array(1.0F), buffer); }), HasSubstr("moved from"));
  EXPECT_THAT(refusal([&] { (void)buffer.device(); }), HasSubstr("moved from"));
  // NOLINTEND(bugprone-use-after-move)
}

// Made before main(), so that it ends after whatever the library makes at its first use.
struct AtTheEnd {
  AtTheEnd() = default;
  AtTheEnd(const AtTheEnd&) = delete;
  AtTheEnd& operator=(const AtTheEnd&) = delete;
  ~AtTheEnd() {
    if (!array.defined()) return;
    const std::string text = to_string(sum(array + 1));
    if (text != "2097152.") {
      std::fprintf(stderr, "at the end: %s\n", text.c_str());
      std::_Exit(1);
    }
  }
  Array array;
} at_the_end;

TEST(AtTheEndOfTheProcess, ArraysAreStillComputed) {
  at_the_end.array = ones({1 << 20});
  EXPECT_EQ(sum(at_the_end.array).item(), 1 << 20);
}

}  // namespace
}  // namespace overtake::oracle
