// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "overtake/report.hpp"
#include "overtake/text.hpp"

namespace overtake::report {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

TEST(ReportFormat, SignificantDigits) {
  EXPECT_EQ(significant(0), "0");
  EXPECT_EQ(significant(1234.5), "1,230");
  EXPECT_EQ(significant(0.012345), "0.0123");
  EXPECT_EQ(significant(9.996), "10.0");
  EXPECT_EQ(significant(999.96), "1,000");
  EXPECT_EQ(significant(-1234567), "-1,230,000");
  EXPECT_EQ(significant(1e-7), "1.00e-07");
  EXPECT_EQ(significant(3.14159, 5), "3.1416");
  EXPECT_EQ(significant(nan_value), "-");
  EXPECT_EQ(significant(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(ReportFormat, Counts) {
  EXPECT_EQ(count(0), "0");
  EXPECT_EQ(count(999), "999");
  EXPECT_EQ(count(1000), "1,000");
  EXPECT_EQ(count(11201190), "11,201,190");
  EXPECT_EQ(count(-1000), "-1,000");
  EXPECT_EQ(count(-999), "-999");
}

TEST(ReportFormat, SecondsTakeTheUnitThatFits) {
  EXPECT_EQ(seconds(0), "0 s");
  EXPECT_EQ(seconds(1.234e-8), "12.3 ns");
  EXPECT_EQ(seconds(12.34e-6), "12.3 us");
  EXPECT_EQ(seconds(4.5678e-3), "4.57 ms");
  EXPECT_EQ(seconds(0.9999), "1.00 s");
  EXPECT_EQ(seconds(119), "119 s");
  EXPECT_EQ(seconds(123), "2 min 03 s");
  EXPECT_EQ(seconds(7260), "2 h 01 min");
  EXPECT_EQ(seconds(nan_value), "-");
}

TEST(ReportFormat, BytesAndRatios) {
  EXPECT_EQ(bytes(512), "512 B");
  EXPECT_EQ(bytes(1536), "1.50 KiB");
  EXPECT_EQ(bytes(std::uint64_t{139} << 30), "139 GiB");
  EXPECT_EQ(ratio(2.55), "2.5x");
  EXPECT_EQ(ratio(123.4), "123x");
  EXPECT_EQ(ratio(nan_value), "-");
}

TEST(ReportJson, KeepsOrderAndWritesWhatJsonCannotHoldAsNull) {
  Json json = Json::object();
  json.set("b", 1).set("a", true).set("n", nan_value).set("u", std::uint64_t{5}).set("t", "x\"y");
  json.set("list", Json::array().push(0.5).push(Json()));
  EXPECT_EQ(json.dump(-1), R"({"b":1,"a":true,"n":null,"u":5,"t":"x\"y","list":[0.5,null]})");
}

TEST(ReportJson, ReplacesBytesThatAreNotUtf8) { EXPECT_EQ(Json("a\xff").dump(-1), "\"a\xEF\xBF\xBD\""); }

TEST(ReportJson, CopiesAreIndependent) {
  Json first = Json::object();
  first.set("a", 1);
  Json second = first;
  second.set("a", 2);
  EXPECT_EQ(first.dump(-1), R"({"a":1})");
  EXPECT_EQ(second.dump(-1), R"({"a":2})");
}

TEST(ReportText, NearestName) {
  const std::vector<std::string> names = {"devices", "race", "train", "predict"};
  EXPECT_EQ(text::nearest("trian", names), "train");
  EXPECT_EQ(text::nearest("zzzzzz", names), "");
}

TEST(ReportFormat, WhatATerminalObeysIsSpeltOut) {
  using text::printable;
  EXPECT_EQ(printable("a\x1b[31mb\x07\r\x7f"), "a\\x1b[31mb\\x07\\x0d\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("two\nlines\tand a tab"), "two\nlines\tand a tab");
  EXPECT_EQ(text::printable_line("two\nlines\tand a tab"), "two\\nlines\\tand a tab");
  EXPECT_EQ(printable("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x8c\xb3"), "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x8c\xb3");
  EXPECT_EQ(printable("\xc2\x9b\x33\x31m"), "\\u009b31m") << "CSI of the second set";
  EXPECT_EQ(printable("\xe2\x80\xae\xe2\x80\xa8\xe2\x81\xa6"), "\\u202e\\u2028\\u2066");
  // No UTF-8: a byte alone, cut off, overlong (an escape in two bytes), a surrogate, beyond the last character.
  EXPECT_EQ(printable("\x9b\xe9"), "\\x9b\\xe9");
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");
  EXPECT_EQ(printable("\xc0\x9b"), "\\xc0\\x9b");
  EXPECT_EQ(printable("\xe0\x80\x9b"), "\\xe0\\x80\\x9b");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(printable(""), "");
}

TEST(ReportFormat, ALineEndInANameKeepsTheTableWhole) {
  Table table;
  table.columns = {{"a\nb", Align::left}, {"c"}};
  table.rows = {{"x\x1b[2J", "1"}};
  EXPECT_EQ(table_text(table), "a\\nb      c\n--------  -\nx\\x1b[2J  1\n");
}

}  // namespace
}  // namespace overtake::report
