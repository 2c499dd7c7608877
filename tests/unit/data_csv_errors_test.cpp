// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <zlib.h>

#include "data_support.hpp"
#include "overtake/data/table.hpp"

namespace overtake {
namespace {

using test::expect_error;
using test::TempFolder;

/// Reading `content` must fail with DataError and all fragments; the name of the file is always one of them.
void expect_refused(std::string_view content, std::vector<std::string> fragments, const TableOptions& options = {}) {
  const TempFolder folder;
  const auto path = folder.file("bad.csv", content);
  fragments.push_back("bad.csv");
  const std::string text = expect_error<DataError>([&] { (void)read_table(path, options); }, fragments);
  EXPECT_FALSE(text.empty() || text.back() == '\n') << "no hint: " << text;
}

TEST(CsvErrors, RaggedRecords) {
  expect_refused("a,b,c\n1,2,3\n4,5\n", {"line 3, column 3", "2 cells, expected 3 as in line 1"});
  expect_refused("a,b,c\n1,2,3\n4,5,6,7\n", {"line 3, column 4", "4 cells, expected 3"});
  expect_refused("a,b\n\"x\ny\",1\n1\n", {"line 4, column 2", "1 cells, expected 2"});
}

TEST(CsvErrors, TextInANumericColumn) {
  expect_refused("a,b\n1,2\n3,4\n5,oops\n7,8\n",
                 {"line 4, column 2 (b)", "mixes numbers such as \"2\" (3 cells) with words such as \"oops\" (1 cells)",
                  "--missing oops", "--text b"});
  TableOptions options;
  options.numeric = {"b"};
  expect_refused("a,b\n1,x\n2,y\n", {"line 2, column 2 (b)", "expected a number", "\"x\""}, options);
}

TEST(CsvErrors, NoData) {
  expect_refused("", {"line 1, column 1", "empty"});
  expect_refused("\n\n  \n", {"empty"});
  expect_refused("\xEF\xBB\xBF", {"empty"});
  expect_refused("a,b\n", {"line 1", "only a header"});
  TableOptions options;
  options.header = true;
  expect_refused("\n1,2\n", {"line 2", "only a header"}, options);
}

TEST(CsvErrors, LongLine) {
  TableOptions options;
  options.longest_line = 1000;
  expect_refused("a\n1\n" + std::string(1001, '2') + "\n", {"line 3, byte 1001", "longer than 1000 bytes"}, options);
  const TempFolder folder;
  EXPECT_EQ(read_table(folder.file("fits.csv", "a,b\n1," + std::string(998, '2') + "\r\n"), options).rows, 1);
  // A record over several lines has the same limit.
  std::string open = "a,b\n1,\"";
  for (int i = 0; i < 100; ++i) open += "some text\n";
  expect_refused(open + "more text\n", {"line 2, column 2", "record that begins at line 2", "never closed"}, options);
}

TEST(CsvErrors, LineOverTheDefaultLimit) {
  // 72 MiB of one digit in one line, packed: the default limit is 64 MiB.
  const TempFolder folder;
  const std::string path = (folder / "long.csv.gz").string();
  gzFile file = gzopen(path.c_str(), "wb1");
  ASSERT_NE(file, nullptr);
  const std::string block(std::size_t{1} << 22, '1');
  gzwrite(file, "a\n", 2);
  for (int i = 0; i < 18; ++i) gzwrite(file, block.data(), static_cast<unsigned>(block.size()));
  gzclose(file);
  expect_error<DataError>([&] { (void)read_table(path); }, {"long.csv.gz, line 2, byte 67108865"});
}

TEST(CsvErrors, Encoding) {
  expect_refused("a,b\n1,2\n3,caf\xE9\n", {"line 3, byte 6", "0xE9", "UTF-8"});
  expect_refused(std::string_view("a,b\n1,\0\n", 8), {"line 2, byte 3", "zero byte"});
  expect_refused(
      "\xFF\xFE"
      "a",
      {"UTF-16"});
  const TempFolder folder;
  const Table table = read_table(folder.file("good.csv", "n\xC3\xA4me,b\n\xE2\x82\xAC,1\n"));
  EXPECT_EQ(table.columns[0].name, "n\xC3\xA4me");
}

TEST(CsvErrors, Quotes) {
  expect_refused("a,b\n1,2\n3,\"open\n4,5\n", {"line 3, column 2", "never closed"});
  expect_refused("a,b\n\"open,2\n3,4\n", {"line 2, column 1", "never closed"});
  expect_refused("a,b\n1,x\"y\n", {"line 2, column 2, byte 4", "quote in the wrong place"});
  expect_refused("a,b\n\"x\"y,2\n", {"line 2, column 1, byte 4", "quote in the wrong place"});
}

TEST(CsvErrors, Names) {
  expect_refused("a,b,a\n1,2,3\n", {"line 1, column 3", "\"a\"", "column 1"});
  TableOptions options;
  options.text = {"speces"};
  const TempFolder folder;
  const auto path = folder.file("t.csv", "species,x\na,1\n");
  expect_error<UsageError>([&] { (void)read_table(path, options); }, {"no column \"speces\"", "Did you mean species?"});
  options.allow_absent = true;
  EXPECT_EQ(read_table(path, options).rows, 1);
}

TEST(CsvErrors, Files) {
  const TempFolder folder;
  (void)folder.file("iris.csv", "a\n1\n");
  expect_error<DataError>([&] { (void)read_table(folder / "irs.csv"); },
                          {"irs.csv", "no such file", "Did you mean", "iris.csv?"});
  expect_error<DataError>([&] { (void)read_table(folder.path()); }, {"folder"});
}

TEST(CsvErrors, Options) {
  const TempFolder folder;
  const auto path = folder.file("t.csv", "a\n1\n");
  TableOptions options;
  options.notation.decimal = '!';
  EXPECT_THROW((void)read_table(path, options), UsageError);
  options = {};
  options.delimiter = '"';
  EXPECT_THROW((void)read_table(path, options), UsageError);
  options = {};
  options.longest_line = 0;
  EXPECT_THROW((void)read_table(path, options), UsageError);
}

TEST(CsvErrors, LongCellsAreShortenedInMessages) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\xC3\xA4";
  expect_refused("x\n1\n2\n" + text + "\n", {"...\" (1 cells)"});
}

}  // namespace
}  // namespace overtake
