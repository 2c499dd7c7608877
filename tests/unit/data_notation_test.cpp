// SPDX-License-Identifier: MIT
// How cells are written: notations, dates, words for missing cells, and what is refused instead of guessed.
#include <gtest/gtest.h>

#include <cmath>

#include "data/text/cell.hpp"
#include "data/text/date_text.hpp"
#include "data/text/lookalike.hpp"
#include "data_support.hpp"
#include "overtake/data/description.hpp"
#include "overtake/data/table.hpp"

namespace overtake {
namespace {

using data::Cell;
using data::CellKind;
using data::CellRules;
using test::expect_error;
using test::TempFolder;

Table read(std::string_view content, const TableOptions& options = {}) {
  const TempFolder folder;
  return read_table(folder.file("t.csv", content), options);
}

void expect_refused(std::string_view content, std::vector<std::string> fragments, const TableOptions& options = {}) {
  const TempFolder folder;
  const auto path = folder.file("t.csv", content);
  expect_error<DataError>([&] { (void)read_table(path, options); }, fragments);
}

double number(const CellRules& rules, std::string_view text) {
  const Cell cell = rules.parse(text, false);
  return cell.kind == CellKind::number ? cell.number : std::nan("");
}

TEST(Notation, ThousandsAndDecimals) {
  Notation notation;
  notation.thousands = ",";
  const CellRules comma(notation);
  EXPECT_EQ(number(comma, "1,234"), 1234);
  EXPECT_EQ(number(comma, "-12,345,678.5"), -12345678.5);
  EXPECT_EQ(number(comma, "1,234e2"), 123400);
  EXPECT_EQ(number(comma, "123"), 123);
  for (const char* wrong : {"1,23", "12,34,567", ",123", "1,2345", "1,234.5,6", "1,,234", "1,234,"}) {
    EXPECT_TRUE(std::isnan(number(comma, wrong))) << wrong;
  }
  notation = {};
  notation.decimal = ',';
  notation.thousands = ".";
  const CellRules german(notation);
  EXPECT_EQ(number(german, "1.234.567,25"), 1234567.25);
  EXPECT_EQ(number(german, "0,5"), 0.5);
  EXPECT_TRUE(std::isnan(number(german, "1.5")));
  notation.thousands = " ";
  EXPECT_EQ(number(CellRules(notation),
                   "1\xC2\xA0"
                   "234,5"),
            1234.5);
  EXPECT_EQ(number(CellRules(notation),
                   "1\xE2\x80\xAF"
                   "234"),
            1234);
  notation.decimal = '.';
  notation.thousands = "'";
  EXPECT_EQ(number(CellRules(notation),
                   "1\xE2\x80\x99"
                   "234'567.5"),
            1234567.5);
  notation.thousands = ".";
  EXPECT_THROW(CellRules{notation}, UsageError);
}

TEST(Notation, UnitsAndSigns) {
  Notation notation;
  notation.units = {"$", "%", "kg"};
  notation.thousands = ",";
  const CellRules rules(notation);
  EXPECT_EQ(number(rules, "$1,234.50"), 1234.5);
  EXPECT_EQ(number(rules, "-$5"), -5);
  EXPECT_EQ(number(rules, "$-5"), -5);
  EXPECT_EQ(number(rules, "12 %"), 12);
  EXPECT_EQ(number(rules, "70kg"), 70);
  EXPECT_EQ(number(rules, "7"), 7);
  EXPECT_TRUE(std::isnan(number(rules, "$")));
  // Without any notation: a Unicode minus and no-break spaces are what they are.
  const CellRules plain{Notation{}};
  EXPECT_EQ(number(plain,
                   "\xE2\x88\x92"
                   "5.5"),
            -5.5);
  EXPECT_EQ(number(plain,
                   "\xC2\xA0"
                   "7\xC2\xA0"),
            7);
}

TEST(Notation, IsoDatesAndTimes) {
  const auto day = [](std::string_view text, const Notation& notation = {}) {
    double days = std::nan("");
    return data::parse_day(text, notation, days) ? days : std::nan("");
  };
  EXPECT_EQ(day("1970-01-01"), 0);
  EXPECT_EQ(day("2024-02-29"), 19782);
  EXPECT_EQ(day("1969-12-31"), -1);
  EXPECT_EQ(day("2024-02-29T12:00:00Z"), 19782.5);
  EXPECT_EQ(day("2024-02-29 12:00"), 19782.5);
  EXPECT_EQ(day("2024-02-29T12:00:00+06:00"), 19782.25);
  EXPECT_NEAR(day("2024-02-29T00:00:00.5-0530"), 19782 + (5.5 * 3600 + 0.5) / 86400, 1e-9);
  EXPECT_EQ(day("2024-02"), 19754);
  EXPECT_EQ(day("18:00"), 0.75);
  for (const char* wrong :
       {"2023-02-29", "2024-13-01", "2024-2-1", "2024-01-01x", "2024-01-01T25:00", "12:60", "12:3", "24"}) {
    EXPECT_TRUE(std::isnan(day(wrong))) << wrong;
  }
  Notation european;
  european.dates = DateOrder::day_month_year;
  EXPECT_EQ(day("29.02.2024", european), 19782);
  EXPECT_EQ(day("3/4/2024", european), day("2024-04-03"));
  EXPECT_EQ(day("3/4/70", european), day("1970-04-03"));
  EXPECT_EQ(day("2024-04-03", european), day("2024-04-03"));
  Notation format;
  format.date_format = "%d %b %Y %H:%M";
  EXPECT_EQ(day("29 Feb 2024 06:00", format), 19782.25);
  EXPECT_EQ(data::day_text(19782.5), "2024-02-29T12:00:00");
  EXPECT_EQ(data::day_text(-1), "1969-12-31");
}

TEST(Notation, OtherNotationsAreRefusedAndNamed) {
  expect_refused("x;y\n1,5;a\n2,5;b\n", {"column 1 (x)", "\"1,5\"", "decimal comma", "--decimal ','"});
  expect_refused("x;y\n\"1,234\";a\n\"2,500\";b\n", {"\"1,234\"", "--decimal , or --thousands ,"});
  expect_refused("x;y\n1,234,567;a\n2;b\n", {"thousands separators", "--thousands ,"});
  expect_refused("x;y\n1.234,5;a\n2;b\n", {"--thousands . --decimal ,"});
  expect_refused("x,y\n$5,a\n$7.50,b\n", {"\"$5\"", "--units '$'"});
  expect_refused("x,y\n5 %,a\n7 %,b\n", {"--units '%'"});
  expect_refused("x,y\n70 kg,a\n65 kg,b\n", {"unit kg", "--units 'kg'"});
  expect_refused("x;y\n5,5 \xE2\x82\xAC;a\n", {"--decimal ','"});
  expect_refused("x,y\n31.12.2024,a\n", {"--dates dmy"});
  expect_refused("x,y\n03/04,a\n05/06,b\n", {"\"03/04\"", "--dates"});
  expect_refused("x,y\n5 Jan 2024,a\n", {"--dates"});
  expect_refused("x,y\n1 000,a\n2 500,b\n", {"--thousands ' '"});
  // Every column that needs a flag is named at once.
  expect_refused("x,z,y\n$5,$6,a\n", {"column 1 (x)", "Likewise the columns z"});
}

TEST(Notation, MixturesAreRefused) {
  expect_refused("x,y\n1,a\n2,b\nunk,c\n", {"\"1\" (2 cells)", "\"unk\" (1 cells)", "--missing unk", "--text x"});
  expect_refused("x,y\n2024-01-01,a\n5,b\n", {"dates", "\"2024-01-01\"", "numbers such as \"5\""});
  expect_refused("x,y\n1,a\nNa,b\n", {"\"Na\""});
  expect_refused("room\n12A\n7\n", {"--text room"});
  TableOptions options;
  options.notation.missing = std::vector<std::string>{"unk", "-999"};
  const Table table = read("x,y\n1,NA\n-999,b\n\"unk\",c\n", options);
  EXPECT_EQ(table.columns[0].numbers[0], 1);
  EXPECT_TRUE(std::isnan(table.columns[0].numbers[1]) && std::isnan(table.columns[0].numbers[2]));
  EXPECT_EQ(table.columns[1].categories, (std::vector<std::string>{"NA", "b", "c"}));
}

TEST(Notation, CodesThatAreNoNumbersStayText) {
  for (const char* content : {"c\nQ1\nQ2\nQ3\n", "c\n1A\n2B\n", "c\n5 m\n3 kg\n", "c\n1-2\n3-4\n", "c\n555-12-34\n",
                              "c\nMark 123\n", "c\n10+\n5-9\n", "c\nv1.2.3\n", "c\n0x1F\n", "c\n1st\n2nd\n"}) {
    EXPECT_EQ(read(content).columns[0].kind, ColumnKind::text) << content;
  }
  const Table mostly_words = read("c\nlow\nmiddle\nhigh\nother\n50%\n");
  EXPECT_EQ(mostly_words.columns[0].kind, ColumnKind::text);
  ASSERT_EQ(mostly_words.columns[0].notes.size(), 1U);
}

TEST(Notation, QuotedAndDeclaredWordsAreData) {
  const Table quoted = read("a,b\n\"NA\",1\nEU,2\nNA,3\n,4\n\"\",5\n");
  EXPECT_EQ(quoted.columns[0].categories, (std::vector<std::string>{"NA", "EU"}));
  EXPECT_EQ(quoted.columns[0].codes, (std::vector<std::int32_t>{0, 1, -1, -1, -1}));
  TableOptions options;
  options.text = {"a"};
  EXPECT_EQ(read("a,b\nNA,1\nnull,2\n,3\n", options).columns[0].codes, (std::vector<std::int32_t>{0, 1, -1}));
  EXPECT_EQ(read("a\nNa\nK\n").columns[0].codes, (std::vector<std::int32_t>{0, 1}));
}

TEST(Notation, QuotesOverLinesAreFollowed) {
  const Table table = read("a,b,c\n\"x\ny,z\",NA,\"NA\"\nu,\"NA\",v\nNA,w,\"a\"\"NA\"\n");
  EXPECT_EQ(table.columns[0].codes, (std::vector<std::int32_t>{0, 1, -1}));
  EXPECT_EQ(table.columns[1].categories, (std::vector<std::string>{"NA", "w"}));
  EXPECT_EQ(table.columns[1].codes, (std::vector<std::int32_t>{-1, 0, 1}));
  EXPECT_EQ(table.columns[2].codes, (std::vector<std::int32_t>{0, 1, 2}));
}

TEST(Header, MayBeDataOrNames) {
  expect_refused("0,1,2\n5,6,7\n", {"may be", "--header", "--no-header"});
  expect_refused("2019,2020,2021\n5,6,7\n", {"2019, 2020, 2021"});
  expect_refused("p,x\ne,b\np,x\n", {"again below", "--no-header"});
  expect_refused("p,x,p\ne,b,p\n", {"already that of column 1", "--no-header"});
  TableOptions options;
  options.header = true;
  EXPECT_EQ(read("0,1,2\n5,6,7\n", options).rows, 1);
  EXPECT_EQ(read("p,x\ne,b\np,x\n", options).rows, 2);
  EXPECT_EQ(read("city,kind\nRome,a\nOslo,b\n").rows, 2);
  // R's row names: the header is one cell short.
  expect_refused("x,y\na,1,2\nb,3,4\n", {"row names", "one name less"});
}

TEST(Header, TheColumnThatCountsRowsIsNoted) {
  const TableDescription description = describe(read(",x\n0,5\n1,5\n2,7\n"));
  ASSERT_EQ(description.columns[0].notes.size(), 1U);
  EXPECT_NE(description.columns[0].notes[0].find("counts the rows"), std::string::npos);
}

TEST(Description, KindsRangesGapsAndNotes) {
  const Table table =
      read("n,t,d,big,zip\n1,a,2024-01-02,9007199254740993,00501\n,b,2024-01-01,2,10001\n3.5,a,,3,10002\n");
  const TableDescription found = describe(table);
  EXPECT_EQ(summary_of(found), "5 columns: 3 numeric, 1 dates (d), 1 text (t); 2 of 3 rows have missing cells");
  EXPECT_EQ(found.columns[0].lowest, "1");
  EXPECT_EQ(found.columns[0].highest, "3.5");
  EXPECT_EQ(found.columns[0].missing, 1);
  EXPECT_EQ(found.columns[0].distinct, 2);
  EXPECT_EQ(found.columns[1].examples, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(found.columns[2].kind, "dates");
  EXPECT_EQ(found.columns[2].lowest, "2024-01-01");
  ASSERT_EQ(found.columns[3].notes.size(), 1U);
  EXPECT_NE(found.columns[3].notes[0].find("2^53"), std::string::npos);
  EXPECT_NE(found.columns[4].notes.at(0).find("--text zip"), std::string::npos);
  const TableDescription seconds = describe(read("t\n1700000155\n1700000088\n1700000172\n"));
  EXPECT_NE(seconds.columns[0].float32_note.find("float32"), std::string::npos);
  EXPECT_EQ(seconds.columns[0].distinct, 3);
}

}  // namespace
}  // namespace overtake
