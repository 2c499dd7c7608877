// SPDX-License-Identifier: MIT
// The sine, the cosine and the division of CUDA's prelude, compiled for the host: all their steps are rounded as on a
// device.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace overtake {
namespace {

// NOLINTBEGIN
#define DEVICE [[maybe_unused]] inline
#define DEVICE_APART [[maybe_unused]] inline
#define FMA(a, b, c) std::fma(a, b, c)

// What a device may take for one: the nearest float, or a neighbour of it.
inline float near_reciprocal(float x) {
  static int turn = 0;
  const float nearest = 1 / x, upwards = std::numeric_limits<float>::infinity();
  turn = (turn + 1) % 3;
  return turn == 0 ? nearest : std::nextafter(nearest, turn == 1 ? upwards : -upwards);
}
#define NEAR_RECIPROCAL(x) near_reciprocal(x)
#define as_int(x) std::bit_cast<std::int32_t>(x)
#define as_float(x) std::bit_cast<float>(x)
#include "kernels/dialect/cuda_functions.prelude"
#undef sin
#undef cos
#undef sinf
#undef cosf
// NOLINTEND

constexpr double pi = 3.14159265358979323846;
constexpr float limit = 65536.0F;  // CUDA's own functions are asked from there on

// Distance from the truth in units of the truth's last place.
double ulps(float got, double truth) {
  const int exponent = std::max(std::ilogb(truth), std::numeric_limits<float>::min_exponent - 1);
  return std::abs(got - truth) / std::ldexp(1.0, exponent - std::numeric_limits<float>::digits + 1);
}

struct Worst {
  double sine = 0, cosine = 0;
  float of_sine = 0, of_cosine = 0;

  void look_at(float x) {
    const double a = x == 0 ? 0 : ulps(dialect_sin(x), std::sin(static_cast<double>(x)));
    const double b = ulps(dialect_cos(x), std::cos(static_cast<double>(x)));
    if (!(a <= sine)) sine = a, of_sine = x;
    if (!(b <= cosine)) cosine = b, of_cosine = x;
  }
  void expect_below(double bound) const {
    EXPECT_LE(sine, bound) << "sin(" << of_sine << ")";
    EXPECT_LE(cosine, bound) << "cos(" << of_cosine << ")";
  }
};

TEST(CudaSine, RandomFloatsOfEveryExponentAreWithinTwoUnits) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::int32_t> bits(0, std::bit_cast<std::int32_t>(limit) - 1);
  std::uniform_real_distribution<float> usual(-8, 8), all(-limit, limit);
  Worst worst;
  for (int i = 0; i < 300000; ++i) {
    worst.look_at(std::bit_cast<float>(bits(random)));
    worst.look_at(-std::bit_cast<float>(bits(random)));
    worst.look_at(usual(random));
    worst.look_at(all(random));
  }
  worst.expect_below(2);
}

// Where the difference from a multiple of pi / 2 has few digits left.
TEST(CudaSine, NeighboursOfEveryZeroAreWithinTwoUnits) {
  Worst worst;
  for (int k = 1; k * pi / 2 < limit - 1; ++k) {
    float below = static_cast<float>(k * pi / 2), above = below;
    for (int step = 0; step < 3; ++step) {
      worst.look_at(below);
      worst.look_at(above);
      below = std::nextafter(below, 0.0F);
      above = std::nextafter(above, limit);
    }
  }
  worst.expect_below(2);
}

TEST(CudaSine, EdgesAreThoseOfC) {
  EXPECT_EQ(dialect_sin(0.0F), 0.0F);
  EXPECT_FALSE(std::signbit(dialect_sin(0.0F)));
  EXPECT_TRUE(std::signbit(dialect_sin(-0.0F)));
  EXPECT_EQ(dialect_cos(-0.0F), 1.0F);
  const float least = std::numeric_limits<float>::denorm_min(), infinite = std::numeric_limits<float>::infinity();
  EXPECT_EQ(dialect_sin(-least), -least);
  EXPECT_TRUE(std::isnan(dialect_sin(infinite)));
  EXPECT_TRUE(std::isnan(dialect_cos(-infinite)));
  EXPECT_TRUE(std::isnan(dialect_sin(std::nanf(""))));
  EXPECT_TRUE(std::isnan(dialect_cos(std::nanf(""))));
  for (const float far : {limit, -limit, 1e10F}) {
    EXPECT_EQ(dialect_sin(far), std::sin(far));
    EXPECT_EQ(dialect_cos(far), std::cos(far));
  }
  EXPECT_EQ(dialect_sin(1.0), std::sin(1.0)) << "of a double";
  EXPECT_EQ(dialect_cos(1), std::cos(1.0)) << "of a whole number, as CUDA's";
}

TEST(CudaDivision, IsRoundedAsDivisionIsForAllExponents) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::uint32_t> all, usual(0x3f000000, 0x41000000);
  const auto expect_same = [](float a, float b) {
    const float got = dialect_divide(a, b), truth = a / b;
    const bool are_same = std::bit_cast<std::uint32_t>(got) == std::bit_cast<std::uint32_t>(truth);
    EXPECT_TRUE(std::isnan(truth) ? std::isnan(got) : are_same)
        << a << " / " << b << " is " << truth << ", not " << got;
  };
  for (int i = 0; i < 1000000; ++i) {
    expect_same(std::bit_cast<float>(all(random)), std::bit_cast<float>(all(random)));
    expect_same(std::bit_cast<float>(usual(random)), -std::bit_cast<float>(usual(random)));
  }
  const float infinite = std::numeric_limits<float>::infinity(), least = std::numeric_limits<float>::denorm_min();
  const float ends[] = {0,       -0.0F,          1, -1, 3, least, -least, infinite, -infinite, std::nanf(""), 0x1p-60F,
                        0x1p60F, 0x1.fffffep127F};
  for (const float a : ends) {
    for (const float b : ends) expect_same(a, b);
  }
}

}  // namespace
}  // namespace overtake
