// SPDX-License-Identifier: MIT
// Cells that are names: compared, ordered and written back as the text they are.
#include <gtest/gtest.h>

#include "data_support.hpp"
#include "overtake/data/labels.hpp"
#include "overtake/data/preprocessing.hpp"

namespace overtake {
namespace {

using test::expect_error;
using test::TempFolder;
using Texts = std::vector<std::string>;
using Ints = std::vector<std::int32_t>;

Labels labels(std::string_view cells) {
  const TempFolder folder;
  TableOptions options;
  options.header = true;
  options.names = {"y"};
  return labels_of(read_table(folder.file("t.csv", "y\n" + std::string(cells)), options), 0);
}

TEST(Labels, EqualNumbersAreOneAndKeepTheFirstSpelling) {
  const Labels found = labels("10\n2\n2.0\n10.0\n-1\n");
  EXPECT_TRUE(found.numeric);
  EXPECT_EQ(found.names, (Texts{"-1", "2", "10"}));
  EXPECT_EQ(found.codes, (Ints{2, 1, 1, 2, 0}));
}

TEST(Labels, OneOddLabelMakesAllOfThemText) {
  for (const char* odd :
       {"007", "+7", "1e3", "9007199254740993", "12345678901234567", "0.1234567890123456", "-0", "seven"}) {
    const Labels found = labels("10\n9\n" + std::string(odd) + "\n");
    EXPECT_FALSE(found.numeric) << odd;
    EXPECT_EQ(found.names.size(), 3U) << odd;
    const bool whole =
        std::string(odd).find_first_not_of("-0123456789") == std::string::npos && std::string(odd) != "007";
    EXPECT_EQ(found.codes[0] < found.codes[1], !whole) << odd;  // by code point "10" comes before "9"
  }
  EXPECT_TRUE(labels("0\n9007199254740992\n0.5\n-3\n").numeric);
}

TEST(Labels, NineteenDigitsStayApart) {
  const Labels found = labels("1582218195625938944\n1582218195625938945\n");
  EXPECT_EQ(found.names, (Texts{"1582218195625938944", "1582218195625938945"}));
}

TEST(Labels, ModelsCompareClassesAsTheyWereRead) {
  const TempFolder folder;
  TableOptions options;
  options.spelled = {"y"};
  std::string content = "x,y\n";
  for (int i = 0; i < 20; ++i) content += std::to_string(i) + (i % 2 == 0 ? ",1\n" : ",2\n");
  const Preprocessing numeric = Preprocessing::fit(read_table(folder.file("n.csv", content), options), "y");
  EXPECT_TRUE(numeric.numeric_classes);
  const auto other = folder.file("o.csv", "x,y\n5,2.0\n6,1\n");
  EXPECT_EQ(numeric.transform(read_table(other, numeric.table_options())).labels, (Ints{1, 0}));
  content = "x,y\n";
  for (int i = 0; i < 20; ++i) content += std::to_string(i) + (i % 2 == 0 ? ",00501\n" : ",501\n");
  const Preprocessing text = Preprocessing::fit(read_table(folder.file("z.csv", content), options), "y");
  EXPECT_EQ(text.classes, (Texts{"00501", "501"}));
  const Preprocessing back = Preprocessing::from_json(text.to_json());
  const auto again = folder.file("a.csv", "x,y\n5,501\n6,00501\n");
  EXPECT_EQ(back.transform(read_table(again, back.table_options())).labels, (Ints{1, 0}));
}

TEST(Labels, ManyClassesOfFewRowsNeedAWord) {
  const TempFolder folder;
  std::string content = "x,y\n";
  for (int i = 0; i < 200; ++i) content += std::to_string(i) + ",id" + std::to_string(i % 60) + "\n";
  const Table table = read_table(folder.file("t.csv", content));
  expect_error<DataError>([&] { (void)Preprocessing::fit(table, "y"); }, {"60 classes out of 200 rows", "--task"});
  PreprocessingOptions options;
  options.task = Task::classification;
  EXPECT_EQ(Preprocessing::fit(table, "y", options).classes.size(), 60U);
}

TEST(Reading, TravelsWithTheModel) {
  const TempFolder folder;
  TableOptions options;
  options.notation.decimal = ',';
  options.notation.units = {"EUR"};
  options.notation.missing = Texts{"unk"};
  const Table table = read_table(
      folder.file("t.csv", "p;c;d;y\n1,5 EUR;NA;2024-01-01;a\nunk;b;2024-01-02;b\n2 EUR;b;2024-01-03;a\n"), options);
  const Preprocessing fitted = Preprocessing::fit(table, "y");
  const Preprocessing back = Preprocessing::from_json(fitted.to_json());
  EXPECT_EQ(back.reading, table.reading);
  EXPECT_EQ(back.to_json(), fitted.to_json());
  const Dataset again = back.transform(
      read_table(folder.file("t.csv", "p;c;d;y\n1,5 EUR;NA;2024-01-01;a\nunk;b;2024-01-02;b\n2 EUR;b;2024-01-03;a\n"),
                 back.table_options()));
  EXPECT_EQ(again.inputs, fitted.transform(table).inputs);
  // A number where training saw dates.
  expect_error<DataError>([&] { (void)read_table(folder.file("u.csv", "p;c;d\n1,5;b;7\n"), back.table_options()); },
                          {"column 3 (d)", "expected a date"});
}

TEST(Reading, ShiftedColumnsWithoutHeaderAreRefused) {
  const TempFolder folder;
  std::string content;
  for (int i = 0; i < 30; ++i)
    content += "0.0" + std::to_string(i) + "," + std::to_string(1000 + i) + ",b," + (i % 2 == 0 ? "p" : "q") + "\n";
  TableOptions options;
  options.header = false;
  const Preprocessing fitted = Preprocessing::fit(read_table(folder.file("t.csv", content), options), "column_4");
  const auto predict = [&](const char* rows) {
    return fitted.transform(read_table(folder.file("n.csv", rows), fitted.table_options()));
  };
  EXPECT_EQ(predict("0.01,1005,b,q\n").rows, 1);
  EXPECT_EQ(predict("0.01,1005,b\n").rows, 1);
  expect_error<DataError>([&] { (void)predict("1005,0.01,b\n"); }, {"column_1", "far outside"});
  expect_error<DataError>([&] { (void)predict("b,0.01,1005\n"); }, {"expected a number"});
  expect_error<DataError>([&] { (void)predict("0.01,1005\n"); }, {"2 columns, expected 4 or 3"});
}

TEST(Unseen, IsCountedAndAColumnOfNothingElseIsRefused) {
  const TempFolder folder;
  Preprocessing fitted = Preprocessing::fit(read_table(folder.file("t.csv", "c,y\nTrue,a\nFalse,b\n")), "y");
  const auto transform = [&](const char* cells, TransformReport* report) {
    return fitted.transform(read_table(folder.file("p.csv", cells), fitted.table_options()), report);
  };
  TransformReport report;
  (void)transform("c\nTrue\nTRUE\nNA\n", &report);
  ASSERT_EQ(report.unseen.size(), 1U);
  EXPECT_EQ(report.unseen[0].cells, 1);
  EXPECT_EQ(report.unseen[0].present, 2);
  EXPECT_EQ(report.unseen[0].example, "TRUE");
  expect_error<DataError>([&] { (void)transform("c\nTRUE\nFALSE\n", nullptr); },
                          {"(c)", "\"TRUE\"", "2 cells", "--unseen"});
  fitted.unseen = UnseenRule::missing;
  EXPECT_EQ(transform("c\nTRUE\nFALSE\n", nullptr).rows, 2);
  fitted.unseen = UnseenRule::error;
  expect_error<DataError>([&] { (void)transform("c\nTrue\nTRUE\n", nullptr); }, {"line 3"});
}

}  // namespace
}  // namespace overtake
