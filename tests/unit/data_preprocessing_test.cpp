// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data_support.hpp"
#include "overtake/data/preprocessing.hpp"

namespace overtake {
namespace {

using test::expect_error;
using test::TempFolder;
using Texts = std::vector<std::string>;
using Ints = std::vector<std::int32_t>;
using Floats = std::vector<float>;

Table table_of(std::string_view content, const TableOptions& options = {}) {
  const TempFolder folder;
  return read_table(folder.file("t.csv", content), options);
}

Table iris() { return read_table(std::filesystem::path(OVERTAKE_TEST_DATA) / ".." / "datasets" / "iris.csv"); }

TEST(Preprocessing, StandardisesAsScikitLearn) {
  const Preprocessing fitted = Preprocessing::fit(iris(), "species");
  // Mean and standard deviation (ddof 0) of the four columns, from NumPy.
  const double means[] = {5.84333333, 3.05733333, 3.758, 1.19933333};
  const double deviations[] = {0.82530129, 0.43441097, 1.75940407, 0.75969263};
  ASSERT_EQ(fitted.features.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(fitted.features[i].mean, means[i], 1e-8);
    EXPECT_NEAR(fitted.features[i].scale, deviations[i], 1e-8);
  }
  EXPECT_EQ(fitted.task, Task::classification);
  EXPECT_EQ(fitted.classes, (Texts{"setosa", "versicolor", "virginica"}));
  EXPECT_EQ(fitted.inputs(), 4);
  EXPECT_EQ(fitted.outputs(), 3);
  const Dataset data = fitted.transform(iris());
  EXPECT_NEAR(data.inputs[0], (5.1 - means[0]) / deviations[0], 1e-6);
  EXPECT_EQ(data.labels[0], 0);
  EXPECT_EQ(data.labels[149], 2);
  EXPECT_EQ(data.classes, 3);
}

TEST(Preprocessing, ConstantAndMissingCells) {
  const Table table = table_of("x,c,y\n1,0.1,a\n,0.1,b\n3,0.1,a\n5,,b\n");
  const Preprocessing fitted = Preprocessing::fit(table, "y");
  EXPECT_DOUBLE_EQ(fitted.features[0].mean, 3.0);
  EXPECT_DOUBLE_EQ(fitted.features[0].scale, std::sqrt(8.0 / 3.0));
  EXPECT_DOUBLE_EQ(fitted.features[1].scale, 1.0);  // although the mean of three 0.1 is not exactly 0.1
  const Dataset data = fitted.transform(table);
  EXPECT_EQ(data.inputs[2], 0.0F);
  EXPECT_EQ(data.inputs[7], 0.0F);
  EXPECT_NEAR(data.inputs[1], 0.0F, 1e-7);
}

TEST(Preprocessing, OneHot) {
  const Table table = table_of("colour,x,y\nred,1,a\nblue,2,b\n?,3,a\nred,4,b\n");
  PreprocessingOptions options;
  options.standardise_features = false;
  const Preprocessing fitted = Preprocessing::fit(table, "y", options);
  EXPECT_EQ(fitted.features[0].categories, (Texts{"blue", "red"}));
  EXPECT_EQ(fitted.inputs(), 3);
  EXPECT_EQ(fitted.transform(table).inputs, (Floats{0, 1, 1, 1, 0, 2, 0, 0, 3, 0, 1, 4}));
}

TEST(Preprocessing, UnseenCategories) {
  const Table table = table_of("colour,y\nred,a\nblue,b\n");
  PreprocessingOptions options;
  const Table other = table_of("colour\ngreen\nred\n");
  EXPECT_EQ(Preprocessing::fit(table, "y", options).transform(other).inputs, (Floats{0, 0, 0, 1}));
  options.unseen = UnseenRule::error;
  expect_error<DataError>([&] { (void)Preprocessing::fit(table, "y", options).transform(other); },
                          {"t.csv, line 2, column 1 (colour)", "\"green\""});
  expect_error<DataError>([&] { (void)Preprocessing::fit(table, "y").transform(table_of("colour,y\nred,c\n")); },
                          {"line 2, column 2 (y)", "the class \"c\""});
}

TEST(Preprocessing, Regression) {
  const Table table = table_of("x,y\n1,10.5\n2,20.5\n3,30.5\n");
  const Preprocessing fitted = Preprocessing::fit(table, "y");
  EXPECT_EQ(fitted.task, Task::regression);
  EXPECT_EQ(fitted.outputs(), 1);
  const Dataset data = fitted.transform(table);
  ASSERT_EQ(data.targets.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(fitted.target_mean + fitted.target_scale * data.targets[i], 10.5 + 10.0 * static_cast<double>(i), 1e-5);
  }
  EXPECT_NEAR(data.targets[2], std::sqrt(1.5), 1e-6);
  PreprocessingOptions options;
  options.standardise_target = false;
  EXPECT_EQ(Preprocessing::fit(table, "y", options).transform(table).targets, (std::vector<double>{10.5, 20.5, 30.5}));
}

TEST(Preprocessing, NumericClassesSortByValue) {
  std::string content = "x,y\n";
  for (int i = 0; i < 40; ++i) content += std::to_string(i) + "," + std::to_string(i % 11) + "\n";
  const Preprocessing fitted = Preprocessing::fit(table_of(content), "y");
  EXPECT_EQ(fitted.task, Task::classification);
  ASSERT_EQ(fitted.classes.size(), 11U);
  EXPECT_EQ(fitted.classes[2], "2");
  EXPECT_EQ(fitted.classes[10], "10");
  EXPECT_EQ(fitted.transform(table_of("x,y\n1,10\n")).labels, (Ints{10}));
}

TEST(Preprocessing, TaskIsDetected) {
  const auto detect_column = [](Column column) {
    Table table;
    table.rows = static_cast<std::int64_t>(std::max(column.numbers.size(), column.codes.size()));
    table.columns.push_back(std::move(column));
    return detect_task(table, 0).task;
  };
  const auto detect = [&](std::vector<double> values) { return detect_column(numeric_column<double>("y", values)); };
  EXPECT_EQ(detect({0, 1, 0, 1, 0, 1}), Task::classification);
  EXPECT_EQ(detect({0, 1, 2, 3, 4, 5}), Task::regression);
  EXPECT_EQ(detect({0, 0.5, 0, 0.5, 0, 0.5}), Task::regression);
  EXPECT_EQ(detect_column(text_column("y", {0}, {"a"})), Task::classification);
  PreprocessingOptions options;
  options.task = Task::regression;
  EXPECT_EQ(Preprocessing::fit(table_of("x,y\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n"), "y", options).task, Task::regression);
  expect_error<DataError>([&] { (void)Preprocessing::fit(iris(), "species", options); },
                          {"iris.csv, line 2, column 5 (species)", "expected a number", "\"setosa\""});
}

TEST(Preprocessing, FeatureLists) {
  PreprocessingOptions options;
  options.features = {"petal_width", "sepal_length"};
  EXPECT_EQ(Preprocessing::fit(iris(), "species", options).features[0].name, "petal_width");
  options = {};
  options.ignore = {"sepal_length"};
  EXPECT_EQ(Preprocessing::fit(iris(), "species", options).features.size(), 3U);
  options.ignore = {"sepal_lenght"};
  expect_error<UsageError>([&] { (void)Preprocessing::fit(iris(), "species", options); },
                           {"\"sepal_lenght\"", "Did you mean sepal_length?"});
  expect_error<UsageError>([] { (void)Preprocessing::fit(iris(), "specis"); },
                           {"no column \"specis\" (target)", "Did you mean species?"});
  expect_error<UsageError>([] { (void)Preprocessing::fit(iris(), "zzz"); }, {"It has: sepal_length, sepal_width"});
  options = {};
  options.features = {"species"};
  EXPECT_THROW((void)Preprocessing::fit(iris(), "species", options), UsageError);
  expect_error<DataError>([] { (void)Preprocessing::fit(table_of("y\na\nb\n"), "y"); }, {"no column to learn from"});
}

TEST(Preprocessing, BadData) {
  const auto fit = [](std::string_view content) { (void)Preprocessing::fit(table_of(content), "y"); };
  expect_error<DataError>([&] { fit("x,y\n1,a\n2,\n"); }, {"line 3, column 2 (y)", "target is missing"});
  expect_error<DataError>([&] { fit("x,y\n1,a\ninf,b\n"); }, {"line 3, column 1 (x)", "finite"});
  expect_error<DataError>([&] { fit("x,y\n1,a\n1e39,b\n"); }, {"line 3, column 1 (x)", "float32"});
  expect_error<DataError>([&] { fit("x,y\n,a\n,b\n"); }, {"\"x\"", "no value"});
  std::string many = "id,y\n";
  for (int i = 0; i < 300; ++i) many += "name" + std::to_string(i) + ",a\n";
  expect_error<DataError>([&] { fit(many); }, {"\"id\"", "300 different values", "at most 256"});
}

TEST(Preprocessing, BadDataAtPrediction) {
  const Preprocessing fitted = Preprocessing::fit(iris(), "species");
  expect_error<DataError>(
      [&] { (void)fitted.transform(table_of("sepal_length,sepal_width,petal_lenght,petal_width\n1,2,3,4\n")); },
      {"t.csv has no column \"petal_length\", which the model needs", "Did you mean petal_lenght?"});
  const char* text_cells = "sepal_length,sepal_width,petal_length,petal_width\n1,2,3,4\n1,2,big,4\n";
  // With the model's table options already the reader refuses; with a table from elsewhere transform() does.
  expect_error<DataError>([&] { (void)table_of(text_cells, fitted.table_options()); },
                          {"line 3, column 3 (petal_length)", "expected a number", "\"big\""});
  TableOptions lenient;
  lenient.ignored = {"petal_length"};
  expect_error<DataError>([&] { (void)fitted.transform(table_of(text_cells, lenient)); },
                          {"line 3, column 3 (petal_length)", "expected a number", "\"big\""});
  expect_error<DataError>(
      [&] { (void)fitted.transform(table_of("sepal_length,sepal_width,petal_length,petal_width\n1,2,-inf,4\n")); },
      {"line 2, column 3 (petal_length)", "finite"});
}

TEST(Preprocessing, PredictionNeedsNoTargetAndToleratesOtherColumns) {
  const Preprocessing fitted = Preprocessing::fit(iris(), "species");
  const Table table = table_of(
      "note,petal_width,petal_length,sepal_width,sepal_length\n1,0.2,1.4,3.5,5.1\n2,0.2,1.4,3,4.9\nx,1,1,1,1\n",
      fitted.table_options());
  const Dataset data = fitted.transform(table);
  EXPECT_TRUE(data.labels.empty());
  const Dataset original = fitted.transform(iris());
  EXPECT_EQ(Floats(data.inputs.begin(), data.inputs.begin() + 8),
            Floats(original.inputs.begin(), original.inputs.begin() + 8));
}

TEST(Preprocessing, TextThatLooksNumericAtPrediction) {
  TableOptions as_text;
  as_text.text = {"code"};
  const Preprocessing fitted = Preprocessing::fit(table_of("code,y\n01,a\n2,b\n", as_text), "y");
  const Table exact = table_of("code\n01\n2\n", fitted.table_options());
  EXPECT_EQ(fitted.transform(exact).inputs, (Floats{1, 0, 0, 1}));
  // A column that was read as numbers has lost its spelling.
  expect_error<DataError>([&] { (void)fitted.transform(table_of("code\n3\n2.0\n")); }, {"holds numbers", "as text"});
}

TEST(Preprocessing, FilesWithoutHeaderMatchByPosition) {
  const Preprocessing fitted = Preprocessing::fit(table_of("a,1,10\nb,2,20\na,3,30\n"), "column_1");
  EXPECT_FALSE(fitted.reading.has_header);
  const Dataset with_target = fitted.transform(table_of("b,2,20\n"));
  EXPECT_EQ(with_target.labels, (Ints{1}));
  const Dataset without = fitted.transform(table_of("2,20\n", fitted.table_options()));
  EXPECT_TRUE(without.labels.empty());
  EXPECT_EQ(without.inputs, with_target.inputs);
}

TEST(Preprocessing, Prepare) {
  PreprocessingOptions options;
  const PreparedData prepared = prepare(iris(), "species", options, 0.2, 7);
  EXPECT_EQ(prepared.training.rows, 120);
  EXPECT_EQ(prepared.validation.rows, 30);
  Ints counts(3, 0);
  for (const std::int32_t label : prepared.validation.labels) ++counts[static_cast<std::size_t>(label)];
  EXPECT_EQ(counts, (Ints{10, 10, 10}));
  // Fitted on the training rows alone: their mean is zero, the validation rows' is not.
  double training = 0.0;
  double validation = 0.0;
  for (std::size_t row = 0; row < 120; ++row) training += prepared.training.inputs[row * 4];
  for (std::size_t row = 0; row < 30; ++row) validation += prepared.validation.inputs[row * 4];
  EXPECT_NEAR(training / 120, 0.0, 1e-6);
  EXPECT_GT(std::abs(validation / 30), 1e-4);
  EXPECT_EQ(prepare(iris(), "petal_width", options, 0.0, 7).validation.rows, 0);
}

/// What forests ask for: numbers as they are, missing cells marked, one input a column.
PreprocessingOptions forest_options() {
  PreprocessingOptions options;
  options.standardise_features = false;
  options.standardise_target = false;
  options.keep_missing = true;
  options.text_as_codes = true;
  return options;
}

void expect_same_inputs(const Dataset& data, const Floats& expected) {
  ASSERT_EQ(data.inputs.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(std::isnan(data.inputs[i]), std::isnan(expected[i])) << i;
    if (!std::isnan(expected[i])) {
      EXPECT_EQ(data.inputs[i], expected[i]) << i;
    }
  }
}

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

TEST(Preprocessing, CodesAndMissingCells) {
  const Table table = table_of("colour,x,y\nred,1,a\nblue,,b\n?,3,a\nred,4,b\ngreen,5,a\n");
  const Preprocessing fitted = Preprocessing::fit(table, "y", forest_options());
  EXPECT_EQ(fitted.features[0].categories, (Texts{"blue", "green", "red"}));
  EXPECT_EQ(fitted.inputs(), 2);
  expect_same_inputs(fitted.transform(table), {2, 1, 0, missing, missing, 3, 2, 4, 1, 5});
  const Table other = table_of("x,colour\n?,purple\n7,blue\n");
  const Preprocessing back = Preprocessing::from_json(fitted.to_json());
  expect_same_inputs(back.transform_features(other), {missing, missing, 0, 7});
}

TEST(Preprocessing, UnseenCodesCanBeRefused) {
  PreprocessingOptions options = forest_options();
  options.unseen = UnseenRule::error;
  const Preprocessing fitted = Preprocessing::fit(table_of("colour,y\nred,a\nblue,b\n"), "y", options);
  expect_error<DataError>([&] { (void)fitted.transform(table_of("colour\nblue\ngreen\n")); },
                          {"line 3, column 1 (colour)", "\"green\""});
}

TEST(Preprocessing, AColumnWithoutAnyValueIsKeptWhereMissingIsUnderstood) {
  const Table table = table_of("x,z,y\n,1,1.5\n,2,2.5\n");
  expect_error<DataError>([&] { (void)Preprocessing::fit(table, "y"); }, {"\"x\"", "no value"});
  const Preprocessing fitted = Preprocessing::fit(table, "y", forest_options());
  expect_same_inputs(fitted.transform(table), {missing, 1, missing, 2});
  EXPECT_EQ(fitted.transform(table).targets, (std::vector<double>{1.5, 2.5}));
  // Of the given rows only: the value of row 0 was not seen.
  const std::vector<std::int32_t> rows = {1};
  EXPECT_EQ(Preprocessing::fit(table_of("x,y\n5,a\n,b\n"), "y", forest_options(), rows).features[0].mean, 0.0);
}

TEST(Preprocessing, FilesOfBeforeAreRead) {
  // As version 0.1 wrote it before the way of reading was kept.
  const char* text = R"({"schema":"overtake.preprocessing/1","task":"classification","target":"y","standardise":true,)"
                     R"("refuse_unseen":false,"has_header":true,"classes":["1","2"],"features":[)"
                     R"({"name":"x","kind":"numeric","mean":1.5,"scale":0.5},)"
                     R"({"name":"c","kind":"text","categories":["r","s"]}]})";
  const Preprocessing back = Preprocessing::from_json(text);
  EXPECT_FALSE(back.reading_known);
  EXPECT_FALSE(back.table_options().delimiter.has_value());
  EXPECT_TRUE(back.numeric_classes);
  EXPECT_FALSE(back.keep_missing);
  const Dataset data = back.transform(table_of("x;c;y\n2;s;1\n1;r;2.0\n", back.table_options()));
  EXPECT_EQ(data.inputs, (Floats{1, 0, 1, -1, 1, 0}));
  EXPECT_EQ(data.labels, (Ints{0, 1}));
}

TEST(Preprocessing, JsonRoundTrip) {
  const Table table = table_of("x,colour,y\n0.1,r\xC3\xA4t,a\n0.7,\"b\"\"\n\",b\n");
  PreprocessingOptions options;
  options.unseen = UnseenRule::error;
  const Preprocessing fitted = Preprocessing::fit(table, "y", options);
  const Preprocessing back = Preprocessing::from_json(fitted.to_json());
  EXPECT_EQ(back.to_json(), fitted.to_json());
  EXPECT_EQ(back.features[0].mean, fitted.features[0].mean);
  EXPECT_EQ(back.features[0].scale, fitted.features[0].scale);
  EXPECT_EQ(back.unseen, UnseenRule::error);
  EXPECT_EQ(back.transform(table).inputs, fitted.transform(table).inputs);
  const Preprocessing regression = Preprocessing::fit(table_of("x,y\n1,0.1\n2,0.7\n"), "y");
  EXPECT_EQ(Preprocessing::from_json(regression.to_json()).target_scale, regression.target_scale);
}

TEST(Preprocessing, JsonIsChecked) {
  const std::string good = Preprocessing::fit(table_of("x,c,y\n1,r,a\n2,s,b\n"), "y").to_json();
  const auto refuse = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << good;
    text.replace(at, from.size(), to);
    expect_error<DataError>([&] { (void)Preprocessing::from_json(text, "iris.safetensors"); },
                            {"iris.safetensors", "not valid"});
  };
  refuse("{", "");
  refuse("preprocessing/2", "preprocessing/9");
  refuse("\"classification\"", "\"clustering\"");
  refuse("\"scale\":0.5", "\"scale\":0");
  refuse("\"scale\":0.5", "\"scale\":null");
  refuse("\"mean\":1.5", "\"mean\":1e999");
  refuse("[\"r\",\"s\"]", "[\"r\",\"r\"]");
  refuse("[\"r\",\"s\"]", "[]");
  refuse("[\"a\",\"b\"]", "[1,2]");
  refuse("\"name\":\"c\"", "\"name\":\"x\"");
  refuse("\"target\":\"y\"", "\"target\":5");
  refuse("\"kind\":\"text\"", "\"kind\":\"image\"");
  for (const char* text : {"", "[]", "null", "{}", "\"x\""})
    EXPECT_THROW((void)Preprocessing::from_json(text), DataError);
}

}  // namespace
}  // namespace overtake
