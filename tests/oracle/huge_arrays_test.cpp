// SPDX-License-Identifier: MIT
// Arrays of more than 2^31 elements, where 32 bits of a place are not enough: what lies at their far end is what
// belongs there. On devices with memory for them.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "oracle/devices.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"

namespace overtake::oracle {
namespace {

constexpr std::int64_t n = (std::int64_t{1} << 31) + 4099;
constexpr std::int64_t period = 251;  // a prime: no power of two hides a place that wrapped round
constexpr std::uint64_t memory_needed = std::uint64_t{60} << 30;

Array computed(const Array& a) {
  a.eval();
  return a;
}

class HugeArrays : public OnEveryDevice {
 protected:
  void SetUp() override {
    OnEveryDevice::SetUp();
    if (IsSkipped()) return;
    if (GetParam().kind != DeviceKind::gpu || GetParam().memory_bytes < memory_needed) {
      GTEST_SKIP() << GetParam().id << ": not a GPU with 60 GiB of memory";
    }
  }
  // 0, 1, ... 250, 0, 1, ...
  static Array ramp(DType dtype = DType::uint8) {
    return computed(astype(remainder(arange(n, DType::int64, device()), period), dtype));
  }
  static std::int64_t sum_to(std::int64_t count) {
    const std::int64_t rest = count % period;
    return count / period * (period * (period - 1) / 2) + rest * (rest - 1) / 2;
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, HugeArrays, ::testing::ValuesIn(list_devices()), device_name);

std::int64_t number(const Array& a) { return astype(a, DType::int64).item<std::int64_t>(); }

TEST_P(HugeArrays, PlacesAndViewsReachTheEnd) {
  const Array a = ramp();
  for (const std::int64_t place : {std::int64_t{0}, std::int64_t{1} << 31, n - 1}) {
    ASSERT_EQ(number(a[{place}]), place % period) << place;
  }
  ASSERT_EQ(number(flip(a)[{1}]), (n - 2) % period);
  ASSERT_EQ(number(roll(a, {5})[{4}]), (n - 1) % period);
  const Array every = a[{Slice(7, n, 1 << 20)}];
  ASSERT_EQ(number(every[{-1}]), (7 + (every.size() - 1) * (1 << 20)) % period);
  const Array places = Array::from(std::vector<std::int64_t>{n - 1, 0, n - 4099}, Shape{3}).to(device());
  ASSERT_EQ(astype(take(a, places), DType::int64).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{(n - 1) % period, 0, (n - 4099) % period}));
  ASSERT_EQ(number(concat({a, a[{Slice(0, 3)}]})[{-1}]), 2);
  const Array changed = assigned_at(a, {Slice(n - 3, n - 1)}, 255);
  ASSERT_EQ(number(changed[{n - 2}]), 255);
  ASSERT_EQ(number(changed[{n - 4}]), (n - 4) % period);
  ASSERT_EQ(number(changed[{n - 1 - (std::int64_t{1} << 31)}]), (n - 1 - (std::int64_t{1} << 31)) % period);
}

TEST_P(HugeArrays, ReductionsSeeEveryElement) {
  const Array a = ramp();
  ASSERT_EQ(sum(astype(a, DType::int64)).item<std::int64_t>(), sum_to(n));
  ASSERT_EQ(number(max(a)), period - 1);
  const Array marked = assigned_at(a, {n - 5}, 255);
  ASSERT_EQ(number(argmax(marked)), n - 5);
  ASSERT_EQ(number(count_nonzero(equal(a, 3))), n / period + (n % period > 3 ? 1 : 0));
  const Array ones_of = computed(full(Shape{n}, 1.0F, DType::float32, device()));
  ASSERT_EQ(mean(ones_of).item<float>(), 1.0F);
}

TEST_P(HugeArrays, ColumnsAndRowsAreReducedApart) {
  constexpr std::int64_t rows = 65537, columns = 32771;  // more than 2^31 together
  const Array a = remainder(
      add(coordinates(Shape{rows, columns}, 0, device()) * 3, coordinates(Shape{rows, columns}, 1, device())), 7);
  const Array stored = computed(astype(a, DType::int32));
  const Array by_column = sum(stored, 0), by_row = sum(stored, 1), turned = sum(transpose(stored), 0);
  std::int64_t last_column = 0, last_row = 0;
  for (std::int64_t i = 0; i < rows; ++i) last_column += (3 * i + columns - 1) % 7;
  for (std::int64_t j = 0; j < columns; ++j) last_row += (3 * (rows - 1) + j) % 7;
  ASSERT_EQ(number(by_column[{-1}]), last_column);
  ASSERT_EQ(number(by_row[{-1}]), last_row);
  ASSERT_EQ(number(turned[{-1}]), last_row);
}

TEST_P(HugeArrays, RunningSums) {
  const Array running = cumulative_sum(ramp(), {}, DType::int64);
  ASSERT_EQ(running[{n - 1}].item<std::int64_t>(), sum_to(n));
  ASSERT_EQ(running[{(std::int64_t{1} << 31) + 1}].item<std::int64_t>(), sum_to((std::int64_t{1} << 31) + 2));
}

TEST_P(HugeArrays, RandomNumbersDoNotBeginAgain) {
  const Array a = computed(random::uniform({n}, device()));
  const std::vector<float> head = a[{Slice(0, 64)}].to_vector<float>();
  ASSERT_NE(a[{Slice(std::int64_t{1} << 31, (std::int64_t{1} << 31) + 64)}].to_vector<float>(), head);
  ASSERT_NEAR(mean(a).item<float>(), 0.5, 1e-4);
}

// They count with 32 bits there: refused, not wrong.
TEST_P(HugeArrays, ProductsOrderAndCountsAreRefusedInWords) {
  const Array a = ramp();
  const std::vector<std::pair<std::string, std::function<void()>>> refused = {
      {"cannot be computed",
       [&] {
         matmul(ones(Shape{65537, 1}, device()), ones(Shape{1, 32771}, device())).eval();
       }},
      {"sorted", [&] { return sort(a).eval(); }},
      {"counted", [&] { return bincount(a).eval(); }}};
  for (const auto& [word, call] : refused) {
    try {
      call();
      FAIL() << word;
    } catch (const UsageError& error) {
      ASSERT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace overtake::oracle
