// SPDX-License-Identifier: MIT
// Double precision from whole numbers (kernels/forest/real.k) against the processor's own, bit for bit.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

#include "kernels/sources.hpp"

namespace overtake::forest {
namespace {

namespace soft {
using uint32 = std::uint32_t;
using uint64 = std::uint64_t;
using int64 = std::int64_t;
// NOLINTBEGIN: this is the dialect (docs/dialect.md)
#define DEVICE [[maybe_unused]] static inline
#define DEVICE_APART [[maybe_unused]] static
#define SOFT_REAL 1
#define as_int(x) std::bit_cast<int>(x)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "kernels/forest/real.k"
#pragma GCC diagnostic pop
#undef DEVICE
#undef DEVICE_APART
#undef SOFT_REAL
#undef as_int
#undef REAL
// NOLINTEND
}  // namespace soft

std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }
double number(std::uint64_t x) { return std::bit_cast<double>(x); }

/// Equal bits; of NaN any is as good as another.
void expect_same(std::uint64_t actual, double expected, const char* what, double a, double b) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(number(actual))) << what << " of " << a << " and " << b;
  } else {
    EXPECT_EQ(actual, bits(expected)) << what << " of " << a << " and " << b << ": " << number(actual);
  }
}

/// Random numbers of every kind: any bits, near one another, few bits set, subnormal, infinite, zero.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] double any() {
    switch (random_() % 8) {
      case 0: return number(random_());
      case 1: return number(random_() & ((std::uint64_t{1} << 52) - 1));  // subnormal
      case 2: return static_cast<double>(static_cast<std::int64_t>(random_() >> (random_() % 64)));
      case 3:
        return std::ldexp(1 + static_cast<double>(random_() % 4) * 0x1p-52, static_cast<int>(random_() % 130) - 65);
      case 4: return special[random_() % std::size(special)];
      default:
        return std::ldexp(static_cast<double>(random_() >> 11) - 0x1p52, static_cast<int>(random_() % 120) - 100);
    }
  }
  /// Beside `a`, where sums cancel and quotients are close to 1; else any.
  [[nodiscard]] double beside(double a) {
    if (random_() % 3 != 0) return any();
    const double b = number(bits(a) + random_() % 5 - 2);
    return random_() % 2 == 0 ? b : -b;
  }
  [[nodiscard]] std::uint64_t word() { return random_(); }

 private:
  static constexpr double special[] = {0.0,
                                       -0.0,
                                       1.0,
                                       -1.0,
                                       std::numeric_limits<double>::infinity(),
                                       -std::numeric_limits<double>::infinity(),
                                       std::numeric_limits<double>::quiet_NaN(),
                                       std::numeric_limits<double>::max(),
                                       std::numeric_limits<double>::min(),
                                       std::numeric_limits<double>::denorm_min()};
  std::mt19937_64 random_;
};

TEST(ForestSoftReal, ArithmeticHasTheBitsOfTheProcessor) {
  Numbers numbers(11);
  for (int i = 0; i < 400'000 && !HasFailure(); ++i) {
    const double a = numbers.any();
    const double b = numbers.beside(a);
    expect_same(soft::real_add(bits(a), bits(b)), a + b, "sum", a, b);
    expect_same(soft::real_subtract(bits(a), bits(b)), a - b, "difference", a, b);
    expect_same(soft::real_multiply(bits(a), bits(b)), a * b, "product", a, b);
    expect_same(soft::real_divide(bits(a), bits(b)), a / b, "quotient", a, b);
    EXPECT_EQ(soft::real_less(bits(a), bits(b)) != 0, a < b) << a << " " << b;
    EXPECT_EQ(soft::real_equal(bits(a), bits(b)) != 0, a == b) << a << " " << b;
  }
}

TEST(ForestSoftReal, WholeNumbersAndFloats) {
  Numbers numbers(12);
  for (int i = 0; i < 400'000 && !HasFailure(); ++i) {
    const std::uint64_t word = numbers.word() >> (numbers.word() % 64);
    const auto whole = static_cast<std::int64_t>(numbers.word() % 2 == 0 ? word : ~word);
    const auto small = static_cast<std::uint32_t>(word);
    const auto real = std::bit_cast<float>(small);
    EXPECT_EQ(soft::real_of_uint64(word), bits(static_cast<double>(word)));
    EXPECT_EQ(soft::real_of_int64(whole), bits(static_cast<double>(whole)));
    EXPECT_EQ(soft::real_of_uint32(small), bits(static_cast<double>(small)));
    expect_same(soft::real_of_float(real), static_cast<double>(real), "float", real, 0);
    const double value = static_cast<double>(whole) * 0.37;
    EXPECT_EQ(soft::real_to_int64(bits(value)), static_cast<std::int64_t>(value)) << value;
    EXPECT_EQ(soft::real_to_uint32(bits(small * 0.99)), static_cast<std::uint32_t>(small * 0.99));
  }
  EXPECT_EQ(soft::real_of_int64(std::numeric_limits<std::int64_t>::min()), bits(-0x1p63));
}

TEST(ForestSoftReal, ConstantsAreTheirBits) {
  int count = 0;
  const std::string source(embedded::kernel_forest);
  const std::string name = "REAL(";
  for (std::size_t at = source.find(name); at != std::string::npos; at = source.find(name, at + 1)) {
    char* end = nullptr;
    const char* begin = source.c_str() + at + name.size();
    const double decimal = std::strtod(begin, &end);
    if (end == begin) continue;  // where it is defined
    const std::string between = ", 0x";
    ASSERT_EQ(std::string(end, between.size()), between) << source.substr(at, 60);
    EXPECT_EQ(std::strtoull(end + between.size(), nullptr, 16), bits(decimal)) << source.substr(at, 60);
    ++count;
  }
  EXPECT_GE(count, 15);
}

}  // namespace
}  // namespace overtake::forest
