// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <limits>

#include "data_support.hpp"
#include "overtake/data/table.hpp"

namespace overtake {
namespace {

using test::TempFolder;

Table read(std::string_view content, const TableOptions& options = {}) {
  const TempFolder folder;
  return read_table(folder.file("t.csv", content), options);
}

std::vector<std::string> texts(const Column& column) {
  std::vector<std::string> result;
  for (const auto code : column.codes) {
    result.push_back(code < 0 ? "(missing)" : column.categories[static_cast<std::size_t>(code)]);
  }
  return result;
}

using Texts = std::vector<std::string>;
using Numbers = std::vector<double>;

TEST(Csv, IrisAndDigits) {
  const std::filesystem::path folder = std::filesystem::path(OVERTAKE_TEST_DATA) / ".." / "datasets";
  const Table iris = read_table(folder / "iris.csv");
  EXPECT_TRUE(iris.reading.has_header);
  EXPECT_EQ(iris.rows, 150);
  ASSERT_EQ(iris.columns.size(), 5U);
  EXPECT_EQ(iris.names()[2], "petal_length");
  EXPECT_EQ(iris.columns[2].kind, ColumnKind::numeric);
  EXPECT_EQ(iris.columns[2].numbers[149], 5.1);
  EXPECT_EQ(iris.columns[4].kind, ColumnKind::text);
  EXPECT_EQ(iris.columns[4].categories, (Texts{"setosa", "versicolor", "virginica"}));
  EXPECT_EQ(iris.line_of_row[149], 151);
  const Table digits = read_table(folder / "digits.csv");
  EXPECT_EQ(digits.rows, 1797);
  EXPECT_EQ(digits.columns.size(), 65U);
}

TEST(Csv, QuotesEmbeddedDelimitersAndLineEnds) {
  const Table table = read("name,n\n\"a,b\",1\n\"say \"\"hi\"\"\",2\n\"two\nlines\",3\n\"\r\n\",4\n");
  EXPECT_EQ(texts(table.columns[0]), (Texts{"a,b", "say \"hi\"", "two\nlines", "\r\n"}));
  EXPECT_EQ(table.columns[1].numbers, (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(table.line_of_row, (std::vector<std::int64_t>{2, 3, 4, 6}));
}

TEST(Csv, LineEndsByteOrderMarkAndBlankLines) {
  for (const char* content : {"a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r",
                              "\xEF\xBB\xBF"
                              "a,b\n1,2\n3,4",
                              "\n\na,b\n1,2\n  \n3,4\n\n"}) {
    const Table table = read(content);
    EXPECT_EQ(table.names(), (Texts{"a", "b"}));
    EXPECT_EQ(table.columns[0].numbers, (Numbers{1, 3}));
    EXPECT_EQ(table.columns[1].numbers, (Numbers{2, 4}));
  }
  EXPECT_EQ(read("\n\na,b\n1,2\n  \n3,4\n\n").line_of_row, (std::vector<std::int64_t>{4, 6}));
  EXPECT_EQ(read("a,b\r1,2\r3,4\r").line_of_row, (std::vector<std::int64_t>{2, 3}));
}

TEST(Csv, MissingCells) {
  const Table table = read("x,t\n1,a\n,NA\nNaN,\nn/a,?\nnull,\"\"\n?,b\n-nan,NULL\n");
  const Column& x = table.columns[0];
  EXPECT_EQ(x.kind, ColumnKind::numeric);
  EXPECT_EQ(x.numbers[0], 1.0);
  for (std::size_t row = 1; row < 7; ++row) EXPECT_TRUE(std::isnan(x.numbers[row])) << row;
  EXPECT_EQ(texts(table.columns[1]),
            (Texts{"a", "(missing)", "(missing)", "(missing)", "(missing)", "b", "(missing)"}));
}

TEST(Csv, Numbers) {
  const Table table = read("x\n+1.5\n-2e3\n 7 \n\" 8\"\n.5\n1e-400\n1e400\n-inf\n5.\n");
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(table.columns[0].numbers, (Numbers{1.5, -2000, 7, 8, 0.5, 0, infinity, -infinity, 5}));
  for (const char* word : {"0x10", "--1", "+-1", "1e", "e5", "1 2", "+"}) {
    const Table other = read(std::string("x;y\n") + word + ";1\n");
    EXPECT_EQ(other.columns[0].kind, ColumnKind::text) << word;
  }
}

TEST(Csv, DecimalComma) {
  TableOptions options;
  options.notation.decimal = ',';
  const Table table = read("x;y\n1,5;2\n-0,25;3e-1\n", options);
  EXPECT_EQ(table.columns[0].numbers, (Numbers{1.5, -0.25}));
  EXPECT_EQ(table.columns[1].numbers, (Numbers{2, 0.3}));
}

TEST(Csv, DelimiterIsDetected) {
  EXPECT_EQ(read("a;b\n1;2\n").columns.size(), 2U);
  EXPECT_EQ(read("a\tb\tc\n1\t\t2\n").columns.size(), 3U);
  EXPECT_EQ(read("a,b\n\"x;y\",2\n").columns.size(), 2U);
  EXPECT_EQ(read("a\n1\n").columns.size(), 1U);
  TableOptions options;
  options.notation.decimal = ',';
  EXPECT_EQ(read("1,5;2,5\n3,5;4,5\n", options).columns.size(), 2U);
  options = {};
  options.delimiter = '|';
  EXPECT_EQ(read("a|b\n1|2\n", options).columns.size(), 2U);
}

TEST(Csv, HeaderIsDetected) {
  EXPECT_FALSE(read("1,2\n3,4\n").reading.has_header);
  EXPECT_EQ(read("1,2\n3,4\n").names(), (Texts{"column_1", "column_2"}));
  EXPECT_EQ(read("1,2\n3,4\n").rows, 2);
  EXPECT_FALSE(read("5.1,3.5,setosa\n4.9,3.0,setosa\n").reading.has_header);
  EXPECT_TRUE(read("id,2019,2020\n7,1,2\n").reading.has_header);
  EXPECT_TRUE(read("a,b\nx,y\n").reading.has_header);
  EXPECT_FALSE(read("1,2\n").reading.has_header);
  TableOptions options;
  options.header = false;
  EXPECT_EQ(read("a,b\nx,y\n", options).rows, 2);
  options.header = true;
  EXPECT_EQ(read("1,2\n3,4\n", options).names(), (Texts{"1", "2"}));
  EXPECT_EQ(read(",b\n3,4\n").names(), (Texts{"column_1", "b"}));
}

TEST(Csv, KindOfColumn) {
  EXPECT_EQ(texts(read("room\n12A\n12B\n").columns[0]), (Texts{"12A", "12B"}));
  TableOptions options;
  options.text = {"code"};
  EXPECT_EQ(texts(read("code\n007\n7\n", options).columns[0]), (Texts{"007", "7"}));
  options = {};
  options.names = {"x"};
  EXPECT_EQ(texts(read("x\n1\n2\nthree\n", options).columns[0]), (Texts{"1", "2", "three"}));
  // No value at all: numeric, all missing.
  EXPECT_EQ(read("x,y\n,1\n,2\n").columns[0].kind, ColumnKind::numeric);
}

TEST(Csv, Gzip) {
  const TempFolder folder;
  const std::string path = (folder / "t.csv.gz").string();
  std::string content = "a,b\n";
  for (int i = 0; i < 100000; ++i) content += std::to_string(i) + ",x\n";
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(gzwrite(file, content.data(), static_cast<unsigned>(content.size())), static_cast<int>(content.size()));
  gzclose(file);
  const Table table = read_table(path);
  EXPECT_EQ(table.rows, 100000);
  EXPECT_EQ(table.columns[0].numbers[99999], 99999.0);
  // The same file cut off, and with a damaged byte.
  const std::string packed = test::read_bytes(path);
  test::expect_error<DataError>(
      [&] { (void)read_table(folder.file("cut.csv.gz", packed.substr(0, packed.size() / 2))); },
      {"cut.csv.gz", "gzip"});
  std::string damaged = packed;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  EXPECT_THROW((void)read_table(folder.file("bad.csv.gz", damaged)), DataError);
}

TEST(Csv, LinesAcrossChunks) {
  // Lines that straddle the reader's buffers, CR LF pairs included.
  std::string content = "a,b\r\n";
  for (int i = 0; i < 300; ++i)
    content += std::string(static_cast<std::size_t>(9973 + i), 'x') + "," + std::to_string(i) + "\r\n";
  const Table table = read(content);
  EXPECT_EQ(table.rows, 300);
  for (std::size_t i = 0; i < 300; ++i) {
    EXPECT_EQ(table.columns[1].numbers[i], static_cast<double>(i));
    EXPECT_EQ(table.columns[0].categories[i].size(), 9973U + i);
    EXPECT_EQ(table.line_of_row[i], static_cast<std::int64_t>(i) + 2);
  }
}

TEST(Csv, WriteReadsBack) {
  Table table;
  table.rows = 3;
  table.columns.push_back(text_column("na\"me, x", {0, -1, 1}, {"a,\"b\"\nc", " edge"}));
  const std::vector<double> values = {0.1, std::nan(""), -1e300};
  table.columns.push_back(numeric_column<double>("v", values));
  const TempFolder folder;
  TableOptions options;
  options.text = {"na\"me, x"};
  write_table(folder / "out.csv", table);
  EXPECT_EQ(folder.count(), 1U);
  const Table back = read_table(folder / "out.csv", options);
  EXPECT_EQ(back.names(), table.names());
  EXPECT_EQ(texts(back.columns[0]), (Texts{"a,\"b\"\nc", "(missing)", " edge"}));
  EXPECT_EQ(back.columns[1].numbers[0], 0.1);
  EXPECT_TRUE(std::isnan(back.columns[1].numbers[1]));
  EXPECT_EQ(back.columns[1].numbers[2], -1e300);
}

TEST(Csv, WriteKeepsRowsOfOneMissingCell) {
  Table table;
  table.rows = 2;
  const std::vector<double> values = {std::nan(""), 1.0};
  table.columns.push_back(numeric_column<double>("v", values));
  const TempFolder folder;
  write_table(folder / "out.csv", table);
  EXPECT_EQ(read_table(folder / "out.csv").rows, 2);
}

TEST(Csv, WriteRefusesAnInconsistentTable) {
  const TempFolder folder;
  Table table;
  table.rows = 2;
  table.columns.push_back(text_column("t", {0, 1}, {"only"}));
  test::expect_error<UsageError>([&] { write_table(folder / "out.csv", table); }, {"code 1"});
  table.columns[0].codes = {0};
  test::expect_error<UsageError>([&] { write_table(folder / "out.csv", table); }, {"1 cells, expected 2"});
  EXPECT_EQ(folder.count(), 0U);
}

}  // namespace
}  // namespace overtake
