// SPDX-License-Identifier: MIT
// Files in parts give what they give as a whole: tables, encodings, answers, scores, notes and errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data_support.hpp"
#include "overtake/forest.hpp"
#include "overtake/model.hpp"

namespace overtake {
namespace {

using test::expect_error;
using test::TempFolder;

constexpr std::uint64_t row_by_row = 1;  // parts of so few bytes have one row each

/// A forest that knows a number, a text and a day.
TableModel trained(const TempFolder& folder, Task task) {
  std::string text = "number,word,day,other,y\n";
  for (int i = 0; i < 60; ++i) {
    text += std::to_string(i % 9) + "," + (i % 2 == 0 ? "even" : "odd") + ",2024-01-" + std::to_string(10 + i % 20) +
            ",x," +
            (task == Task::regression ? std::to_string(i % 7) + ".5"
             : i % 9 < 4              ? "low"
                                      : "high") +
            "\n";
  }
  TableOptions reading;
  reading.ignored = {"other"};
  const ColumnRoles roles{.target = "y"};
  roles.apply_to(reading, task);
  PreprocessingOptions options = PreprocessingOptions::for_forests();
  options.ignore = {"other"};
  options.task = task;
  const PreparedData data = prepare(read_table(folder.file("train.csv", text), reading), roles, options);
  ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, task);
  parameters.n_estimators = 5;
  return {std::make_shared<ForestModel>(train_forest(parameters, data.training)), data.preprocessing};
}

/// All that a user sees of a prediction.
struct Seen {
  std::string answers, error;
  std::optional<double> score;
  TransformReport report;
};

Seen as_a_whole(const TableModel& model, const std::filesystem::path& data, const TableOptions& reading,
                const std::filesystem::path& out) {
  Seen seen;
  try {
    const Table table = read_table(data, reading);
    const Table answers = predict(model, table, {.leaves = true}, &seen.report);
    seen.score = score_of(model, answers, table);
    write_table(out, answers);
    seen.answers = test::read_bytes(out);
  } catch (const Error& error) {
    seen.error = std::string(error.what()) + " | " + error.hint();
  }
  return seen;
}

Seen in_parts(const TableModel& model, const std::filesystem::path& data, const TableOptions& reading,
              const std::filesystem::path& out, std::int64_t& parts) {
  Seen seen;
  try {
    FilePredictor predictor(model, data, reading, {.leaves = true}, row_by_row);
    TableWriter writer(out);
    for (parts = 0; const std::optional<Table> answers = predictor.next(); ++parts) writer.add(*answers);
    writer.commit();
    seen.answers = test::read_bytes(out);
    seen.score = predictor.score();
    seen.report = predictor.report();
  } catch (const Error& error) {
    seen.error = std::string(error.what()) + " | " + error.hint();
  }
  return seen;
}

/// Compares both ways and returns what was seen.
Seen same_both_ways(const TempFolder& folder, const TableModel& model, const std::string& text,
                    const TableOptions& reading) {
  const auto data = folder.file("new.csv", text);
  std::int64_t parts = 0;
  Seen whole = as_a_whole(model, data, reading, folder / "whole.csv");
  const Seen now = in_parts(model, data, reading, folder / "parts.csv", parts);
  EXPECT_EQ(now.answers, whole.answers) << text;
  EXPECT_EQ(now.error, whole.error) << text;
  EXPECT_EQ(now.score.has_value(), whole.score.has_value()) << text;
  if (now.score && whole.score) {
    EXPECT_NEAR(*now.score, *whole.score, 1e-12 * (1 + std::abs(*whole.score))) << text;
  }
  EXPECT_EQ(now.report.notes, whole.report.notes) << text;
  EXPECT_EQ(now.report.unseen.size(), whole.report.unseen.size()) << text;
  for (std::size_t i = 0; i < std::min(now.report.unseen.size(), whole.report.unseen.size()); ++i) {
    EXPECT_EQ(now.report.unseen[i].cells, whole.report.unseen[i].cells) << text;
    EXPECT_EQ(now.report.unseen[i].present, whole.report.unseen[i].present) << text;
    EXPECT_EQ(now.report.unseen[i].example, whole.report.unseen[i].example) << text;
  }
  if (whole.error.empty()) {
    EXPECT_GT(parts, 1) << text;
  }
  return whole;
}

Seen same_both_ways(const TempFolder& folder, const TableModel& model, const std::string& text) {
  return same_both_ways(folder, model, text, model.preprocessing.table_options());
}

TEST(TableParts, AnswersScoresAndNotesAreThoseOfTheWhole) {
  const TempFolder folder;
  const TableModel model = trained(folder, Task::classification);
  const Seen all =
      same_both_ways(folder, model,
                     "y,word,number,other,day\r\n\r\nlow,even,1,\"a\nb\",2024-01-11\r\n"
                     "high,\"odd\",8,5 kg,2024-01-12\n\nlow,strange,NA,23:59,2024-01-13\nhigh,,7,,2024-01-14");
  EXPECT_TRUE(all.score);
  EXPECT_EQ(all.report.unseen.size(), 1U);
  // One missing target: no score, and no word on a class that nobody knows.
  EXPECT_FALSE(same_both_ways(folder, model,
                              "number,word,day,y\n1,odd,2024-01-11,low\n2,odd,2024-01-12,\n"
                              "3,odd,2024-01-12,unknown\n")
                   .score);
  EXPECT_FALSE(same_both_ways(folder, model, "number,word,day\n1,odd,2024-01-11\n2,odd,2024-01-12\n").score);
  EXPECT_EQ(same_both_ways(folder, model, "number,word,day\n1e6,odd,2024-01-11\n2e6,odd,2024-01-12\n3,,2024-01-12\n")
                .report.notes.size(),
            1U);
}

TEST(TableParts, NumbersScoreAsTheWhole) {
  const TempFolder folder;
  const TableModel model = trained(folder, Task::regression);
  std::string text = "number,word,day,y\n";
  for (int i = 0; i < 500; ++i) {
    text +=
        std::to_string(i % 9) + ",odd,2024-01-11," + std::to_string(1000 + i % 13) + "." + std::to_string(i % 7) + "\n";
  }
  EXPECT_TRUE(same_both_ways(folder, model, text).score);
  const std::string constant = "number,word,day,y\n1,odd,2024-01-11,0.1\n2,odd,2024-01-11,0.1\n3,odd,2024-01-11,0.1\n";
  EXPECT_EQ(same_both_ways(folder, model, constant).score, 0.0);
}

TEST(TableParts, ErrorsAreThoseOfTheWhole) {
  const TempFolder folder;
  const TableModel model = trained(folder, Task::classification);
  const std::string head = "number,word,day,y\n1,odd,2024-01-11,low\n";
  const std::vector<std::string> wrong = {
      "",
      "number,word,day,y\n",
      head + "2,odd,2024-01-11\n",
      "number,word,day,y\n1,odd,2024-01-11,low,5\n",
      head + "2,\"odd,2024-01-11,low\n",
      head + "two,odd,2024-01-11,low\n",
      head + "\"1,5\",odd,2024-01-11,low\n",
      head + "1e39,odd,2024-01-11,low\n",
      head + "2,odd,7,low\n",
      head + "2,odd,23:59,low\n",
      head + "2,odd,2024-01-11,middle\n",
      "number,word,day,y\n1,new,2024-01-11,low\n1,newer,2024-01-11,low\n",
      "number,word,y\n1,odd,low\n2,odd,low\n",
      head + "2,odd,2024-01-11,\xff\n",
  };
  for (const std::string& text : wrong) EXPECT_NE(same_both_ways(folder, model, text).error, "") << text;
  TableModel strict = model;
  strict.preprocessing.unseen = UnseenRule::error;
  EXPECT_NE(same_both_ways(folder, strict, head + "2,new,2024-01-11,low\n").error, "");
  EXPECT_NE(same_both_ways(folder, strict, "number,word,day\n1,new,2024-01-11\n2,newer,2024-01-11\n").error, "");
  // A column that position alone identifies.
  TableModel headless = model;
  headless.preprocessing.reading.has_header = false;
  EXPECT_NE(
      same_both_ways(folder, headless, "1e6,odd,2024-01-11,x,low\n2e6,odd,2024-01-12,x,low\n1,odd,2024-01-12,x,low\n")
          .error,
      "");
}

TEST(TableParts, WhatOnlyAllRowsTellIsJudgedAtTheEnd) {
  const TempFolder folder;
  const TableModel numbers = trained(folder, Task::regression);
  const auto rows = [](const std::vector<std::string>& targets) {
    std::string text = "number,word,day,y\n";
    for (const std::string& target : targets) text += "1,odd,2024-01-11," + target + "\n";
    return text;
  };
  // A target of dates is one of numbers; beside numbers they are words, whichever comes first.
  EXPECT_TRUE(same_both_ways(folder, numbers, rows({"2024-01-11", "2024-01-12"})).score);
  EXPECT_THAT(same_both_ways(folder, numbers, rows({"2024-01-11", "5", "6"})).error,
              ::testing::HasSubstr("2024-01-11"));
  EXPECT_THAT(same_both_ways(folder, numbers, rows({"5", "2024-01-11", "6"})).error,
              ::testing::HasSubstr("2024-01-11"));
  EXPECT_THAT(same_both_ways(folder, numbers, rows({"5", "word", "6"})).error, ::testing::HasSubstr("word"));
  EXPECT_NE(same_both_ways(folder, numbers, rows({"2024-01-11", "23:59"})).error, "");
  // Units: of numbers an error, of words nothing.
  TableOptions units = numbers.preprocessing.table_options();
  units.notation.units = {"kg", "m"};
  const std::string head = "number,word,day\n";
  EXPECT_NE(same_both_ways(folder, numbers, head + "1,5 kg,2024-01-11\n1,odd,2024-01-11\n", units).answers, "");
  TableModel missing = numbers;
  missing.preprocessing.unseen = UnseenRule::missing;
  EXPECT_NE(
      same_both_ways(folder, missing, head + "1,5 kg,2024-01-11\n1,6 m,2024-01-11\n1,odd,2024-01-11\n", units).answers,
      "");
  EXPECT_NE(same_both_ways(folder, missing, head + "1,5 kg,2024-01-11\n1,6 m,2024-01-11\n", units).error, "");
  EXPECT_NE(same_both_ways(folder, missing, head + "1 kg,odd,2024-01-11\n2 m,odd,2024-01-11\n", units).error, "");
}

TEST(TableParts, PartsAreLargeAndOneBehindTheOther) {
  const TempFolder folder;
  std::string text = "a,b,c\n";
  for (int i = 0; i < 10'000; ++i) text += std::to_string(i) + ",\"w" + std::to_string(i % 3) + "\",unread\n";
  TableOptions options;
  options.header = true;
  options.numeric = {"a"};
  options.names = {"b"};
  options.others_ignored = true;
  const auto path = folder.file("t.csv", text);
  TableReader reader(path, options, {.bytes = std::uint64_t{100} << 10});
  std::vector<std::int64_t> sizes;
  std::int64_t row = 0;
  while (const std::optional<Table> part = reader.next()) {
    sizes.push_back(part->rows);
    EXPECT_EQ(part->line_of_row.front(), row + 2);
    for (std::int64_t i = 0; i < part->rows; ++i, ++row) {
      ASSERT_EQ(part->columns[0].numbers[static_cast<std::size_t>(i)], static_cast<double>(row));
      const Column& words = part->columns[1];
      ASSERT_EQ(words.categories[static_cast<std::size_t>(words.codes[static_cast<std::size_t>(i)])],
                "w" + std::to_string(row % 3));
      ASSERT_EQ(part->columns[2].codes[static_cast<std::size_t>(i)], -1);
    }
  }
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{4096, 4096, 1808}));
  EXPECT_TRUE(reader.at_end());
  // Whether 20240105 is a date all cells say together.
  options.notation.date_format = "%Y%m%d";
  TableReader together(path, options, {.bytes = 1});
  EXPECT_EQ(together.next()->rows, 10'000);
  expect_error<UsageError>([&] { TableReader judged(path, {}); }, {"in parts", "what each column is"});
  options.memory_limit = 1000;
  EXPECT_THROW((void)TableReader(path, options).next(), DeviceError);
}

TEST(TableParts, DamagedFilesEndAlikeBothWays) {
  const TempFolder folder;
  const TableModel classes = trained(folder, Task::classification);
  const TableModel numbers = trained(folder, Task::regression);
  const std::string good =
      "number,word,day,other,y\r\n1.5,odd,2024-01-11,\"a\nb\",2.5\n2,\"even\",2024-01-12,,3.5\n\n"
      ",odd,2024-01-13,5 kg,4.5\n-7e3,new,,\"\"\"q\"\"\",1.5\n3,odd,2024-01-14T10:00,x,2024-01-02\n";
  const std::string_view bytes = "\",\n\r;15a-.:e% NA\t";
  std::uint32_t state = 7;
  const auto draw = [&](std::size_t below) { return ((state = state * 1664525U + 1013904223U) >> 8U) % below; };
  for (int round = 0; round < 400; ++round) {
    std::string text = good;
    for (std::size_t changes = 1 + draw(3); changes > 0; --changes) {
      const std::size_t at = draw(text.size());
      const char byte = bytes[draw(bytes.size())];
      if (draw(3) == 0) {
        text.erase(at, 1 + draw(4));
      } else if (draw(2) == 0) {
        text[at] = byte;
      } else {
        text.insert(at, 1, byte);
      }
    }
    for (const TableModel* model : {&classes, &numbers}) {
      const auto data = folder.file("damaged.csv", text);
      const TableOptions reading = model->preprocessing.table_options();
      std::int64_t parts = 0;
      const Seen whole = as_a_whole(*model, data, reading, folder / "whole.csv");
      const Seen now = in_parts(*model, data, reading, folder / "parts.csv", parts);
      ASSERT_EQ(now.error.empty(), whole.error.empty()) << text << whole.error << now.error;
      ASSERT_EQ(now.answers, whole.answers) << text;
      ASSERT_EQ(now.score.has_value(), whole.score.has_value()) << text;
    }
  }
}

TEST(TableParts, NobodyLooksAtIgnoredColumns) {
  const TempFolder folder;
  TableOptions options;
  options.ignored = {"b"};
  const Table table = read_table(folder.file("t.csv", "a,b\n1,2024-01-11\n2,23:59\n"), options);
  EXPECT_EQ(table.rows, 2);
}

}  // namespace
}  // namespace overtake
