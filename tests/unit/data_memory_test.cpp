// SPDX-License-Identifier: MIT
// Small files that become large ones: refused with need and limit before memory runs out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <limits>

#include "data/source/memory_meter.hpp"
#include "data_support.hpp"
#include "overtake/data.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake {
namespace {

using test::TempFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

/// gzip data of `head` and then `part`, `times` over.
std::string packed(const std::string& head, const std::string& part, int times) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string result;
  std::vector<char> capacity(1 << 16);
  const auto feed = [&](const std::string& text, int flush) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(capacity.data());
      stream.avail_out = static_cast<uInt>(capacity.size());
      (void)deflate(&stream, flush);
      result.append(capacity.data(), capacity.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  };
  feed(head, Z_NO_FLUSH);
  for (int i = 0; i < times; ++i) feed(part, Z_NO_FLUSH);
  feed("", Z_FINISH);
  deflateEnd(&stream);
  return result;
}

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

/// The message of the DeviceError; empty when there is none.
template <typename Action>
std::string refusal(const Action& action) {
  try {
    action();
  } catch (const DeviceError& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return {};
}

std::string reading(const std::filesystem::path& path, std::uint64_t limit) {
  TableOptions options;
  options.memory_limit = limit;
  return refusal([&] { (void)read_table(path, options); });
}

TEST(DataMemory, CompressedTablesStopAtTheLimit) {
  const TempFolder folder;
  const std::string rows = repeated("0,0\n", 100'000);
  const auto path = folder.file("bomb.csv.gz", packed("x,y\n", rows, 40));
  ASSERT_LT(std::filesystem::file_size(path), 100'000U);
  EXPECT_THAT(reading(path, 50 * mib), AllOf(HasSubstr("bomb.csv.gz"), HasSubstr("50.0 MiB may be used"),
                                             HasSubstr("Raise the memory limit (--memory-limit")));
  const auto small = folder.file("small.csv.gz", packed("x,y\n", rows, 1));
  EXPECT_EQ(reading(small, 50 * mib), "");
}

TEST(DataMemory, EveryShapeOfTableIsCounted) {
  const TempFolder folder;
  const auto one_column = folder.file("rows.csv.gz", packed("x\n", repeated("1\n", 100'000), 20));
  EXPECT_THAT(reading(one_column, 30 * mib), HasSubstr("rows.csv.gz"));
  const auto columns = folder.file("columns.csv.gz", packed("a", repeated(",", 100'000), 4));
  EXPECT_THAT(reading(columns, 60 * mib), HasSubstr("columns.csv.gz"));
  std::string words = "x\n";
  for (int i = 0; i < 200'000; ++i) words += "word" + std::to_string(i) + "\n";
  EXPECT_THAT(reading(folder.file("words.csv", words), 24 * mib), HasSubstr("words.csv"));
  EXPECT_EQ(reading(folder.file("words.csv", words), 60 * mib), "");
  // A line is held several times over: one that is too long for the limit is refused before the table counts it.
  const auto line = folder.file("line.csv.gz", packed("", std::string(1'000'000, 'a'), 20));
  TableOptions options;
  options.memory_limit = 32 * mib;
  EXPECT_THROW((void)read_table(line, options), DataError);
}

TEST(DataMemory, WithoutALimitItIsWhatTheProcessCanUse) {
  const data::MemoryMeter meter("it", 0);
  EXPECT_GT(meter.limit(), mib);
  EXPECT_LT(meter.limit(), std::uint64_t{1} << 50);
  EXPECT_THAT(refusal([&] { meter.pass(meter.limit() + 1); }),
              AllOf(HasSubstr("it: reading it needs at least"), HasSubstr("a computer with more memory")));
}

TEST(DataMemory, EncodingThatWouldNotFitIsRefused) {
  Preprocessing how;
  how.target = "y";
  how.classes = {"a"};
  Feature feature;
  feature.name = "x";
  feature.kind = ColumnKind::text;
  for (int i = 0; i < 60'000; ++i) feature.categories.push_back(std::to_string(1'000'000 + i));
  how.features = {feature};
  Table table;
  table.source = "t.csv";
  table.rows = std::numeric_limits<std::int32_t>::max();  // 500 TB of inputs; refused before any cell is looked at
  table.columns = {text_column("x", {}, {})};
  EXPECT_THAT(refusal([&] { (void)how.transform_features(table); }),
              AllOf(HasSubstr("t.csv: 2147483647 rows of 60000 inputs need"), HasSubstr("can be used")));
}

/// Rows of one feature with two classes, or numbers.
Dataset rows_of(std::int64_t rows, Task task) {
  Dataset data;
  data.task = task;
  data.rows = rows;
  data.features = 1;
  data.classes = task == Task::classification ? 2 : 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    data.inputs.push_back(static_cast<float>(i % 251));
    if (task == Task::classification) data.labels.push_back(static_cast<std::int32_t>(i / 3 % 2));
    if (task == Task::regression) data.targets.push_back(static_cast<double>(i % 17));
  }
  return data;
}

TEST(DataMemory, ForestsOnTheCpuKeepToTheLimit) {
  for (const Task task : {Task::classification, Task::regression}) {
    const Dataset data = rows_of(20'000, task);
    ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, task);
    parameters.n_estimators = 6;
    const auto grown = [&](std::uint64_t limit) {
      ForestOptions options;
      options.memory_limit = limit;
      return train_forest(parameters, data, options);
    };
    EXPECT_THAT(
        refusal([&] { (void)grown(mib / 2); }),
        AllOf(HasSubstr("one tree needs"), HasSubstr("the limit is 512 KiB"), HasSubstr("Raise --memory-limit")));
    EXPECT_EQ(grown(6 * mib), grown(0));  // one tree at a time, the same forest
  }
}

}  // namespace
}  // namespace overtake
