// SPDX-License-Identifier: MIT
// The reader of numbers for standard libraries without one of their own, against the one of this standard library.
#include "platform/decimal.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "overtake/text.hpp"

namespace overtake::platform {
namespace {

struct Reading {
  double value = -77;
  std::ptrdiff_t length = 0;
  std::errc error{};
};

template <class Reader>
Reading read(const std::string& text, const Reader& reader) {
  Reading reading;
  const auto [end, error] = reader(text.data(), text.data() + text.size(), reading.value);
  reading.length = end - text.data();
  reading.error = error;
  return reading;
}

void expect_as_from_chars(const std::string& text) {
  const Reading expected = read(
      text, [](const char* first, const char* last, double& value) { return std::from_chars(first, last, value); });
  const Reading found = read(text, decimal_by_strtod);
  EXPECT_EQ(found.length, expected.length) << text;
  EXPECT_EQ(found.error, expected.error) << text;
  if (expected.error != std::errc()) return;
  if (std::isnan(expected.value)) {
    EXPECT_TRUE(std::isnan(found.value)) << text;
  } else {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(found.value), std::bit_cast<std::uint64_t>(expected.value)) << text;
  }
}

TEST(Decimal, ReadsAsFromChars) {
  for (const char* text : {"0",
                           "-0",
                           "1",
                           "-1.5",
                           ".5",
                           "5.",
                           ".",
                           "-",
                           "-.",
                           "",
                           "+1",
                           " 1",
                           "1 ",
                           "1e5",
                           "1E-5",
                           "1e+5",
                           "1e",
                           "1e+",
                           "1ex",
                           ".e5",
                           "1.5e3x",
                           "0x10",
                           "1e400",
                           "-1e400",
                           "1e-400",
                           "-1e-400",
                           "0e999",
                           "123456789012345678901234567890",
                           "9007199254740993",
                           "1.7976931348623157e308",
                           "2.2250738585072014e-308",
                           "inf",
                           "-INF",
                           "Infinity",
                           "infinit",
                           "in",
                           "nan",
                           "-NaN",
                           "na",
                           "nan(1_a)",
                           "nan(",
                           "nan(-)",
                           "1,5",
                           "1.5.5",
                           "--1"}) {
    expect_as_from_chars(text);
  }
}

TEST(Decimal, ReadsAsFromCharsWhateverTheDigits) {
  std::mt19937_64 random(7);
  const std::string alphabet = "0123456789012345678901234567890123456789.e-+E";
  for (int run = 0; run < 20000; ++run) {
    std::string text;
    for (std::uint64_t i = 0, length = 1 + random() % 24; i < length; ++i) text += alphabet[random() % alphabet.size()];
    const Reading found = read(text, decimal_by_strtod);
    // What vanishes, and what is left of digits, is told differently by the versions of standard libraries.
    if (found.error == std::errc() && found.value != 0 && std::abs(found.value) < 1e-300) continue;
    expect_as_from_chars(text);
  }
}

TEST(Decimal, OutOfRangeIsTheNearest) {
  for (const auto& reader : {decimal_from_chars, decimal_by_strtod}) {
    EXPECT_EQ(read("1e400", reader).value, std::numeric_limits<double>::infinity());
    EXPECT_EQ(read("-1e400", reader).value, -std::numeric_limits<double>::infinity());
    EXPECT_EQ(read("1e-400", reader).value, 0.0);
    EXPECT_EQ(read("1e-400", reader).error, std::errc::result_out_of_range);
    EXPECT_EQ(read("5e-324", reader).value, std::numeric_limits<double>::denorm_min());
  }
}

TEST(Decimal, ReadsUpToTheEndThatIsGiven) {
  const std::string text = "12345";
  double value = 0;
  const auto result = decimal_by_strtod(text.data(), text.data() + 3, value);
  EXPECT_EQ(result.ptr, text.data() + 3);
  EXPECT_EQ(value, 123.0);
}

TEST(Decimal, ANumberIsAllOfItsText) {
  EXPECT_EQ(text::number("1.5e3"), 1500.0);
  EXPECT_EQ(text::number("-inf"), -std::numeric_limits<double>::infinity());
  for (const char* other : {"", "1.5x", " 1", "1 ", "+1", "1,5", "1e400", "x"}) {
    EXPECT_FALSE(text::number(other)) << other;
  }
}

}  // namespace
}  // namespace overtake::platform
