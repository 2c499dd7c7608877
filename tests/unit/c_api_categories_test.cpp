// SPDX-License-Identifier: MIT
// Columns of categories through the C interface: the forest of a table with a text column, and its model file.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "overtake/c_api.h"
#include "overtake/data/preprocessing.hpp"
#include "overtake/forest.hpp"
#include "overtake/model.hpp"
#include "unit/c_api_support.hpp"

namespace overtake::test {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// Eight rows of a colour and a number; "unused" has no row.
struct Colours {
  std::vector<std::string> texts = {"red", "blue", "", "green", "blue", "red", "green", "blue"};
  std::vector<double> inputs = {0, 1, 3, 2, missing, 3, 2, 4, 3, 5, 0, 6, 2, 7, 3, 8};
  std::vector<std::int32_t> labels = {1, 0, 0, 1, 0, 1, 1, 0};
  const char* names = R"(["red", "unused", "green", "blue"])";

  [[nodiscard]] overtake_matrix matrix() const { return {inputs.data(), OVERTAKE_FLOAT64, 8, 2, 16, 8}; }
  [[nodiscard]] DataHandle data(int ordered) const {
    const overtake_matrix all = matrix();
    DataHandle handle = made<DataHandle>([&](auto** made) { return overtake_data_new(&all, made); });
    EXPECT_EQ(overtake_data_set_labels(handle.get(), labels.data(), 8, 2), OVERTAKE_OK);
    EXPECT_EQ(overtake_data_set_feature_names(handle.get(), R"(["color", "size"])"), OVERTAKE_OK);
    EXPECT_EQ(overtake_data_set_categories(handle.get(), 0, names, ordered), OVERTAKE_OK);
    return handle;
  }
  [[nodiscard]] Table table() const {
    Table table;
    table.rows = 8;
    table.columns.push_back(text_column("color", {0, 1, -1, 2, 1, 0, 2, 1}, {"red", "blue", "green"}));
    Column size;
    size.name = "size";
    size.numbers = {1, 2, 3, 4, 5, 6, 7, 8};
    table.columns.push_back(std::move(size));
    table.columns.push_back(text_column("answer", labels, {"0", "1"}));
    return table;
  }
};

std::string text_of(const overtake_data* data) {
  overtake_text* text = nullptr;
  EXPECT_EQ(overtake_data_categories(data, &text), OVERTAKE_OK);
  const std::string result = overtake_text_data(text);
  overtake_text_free(text);
  return result;
}

TEST(CApiCategories, ArePlacesAmongTheSortedTextsAsOfATable) {
  const Colours colours;
  const DataHandle data = colours.data(0);
  EXPECT_EQ(text_of(data.get()), R"([["blue","green","red"],null])");
  const ModelHandle model = trained(data.get());

  const Table table = colours.table();
  const Preprocessing how = Preprocessing::fit(table, "answer", PreprocessingOptions::for_forests());
  const Dataset rows = how.transform(table);
  ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  parameters.n_estimators = 7;
  const Forest expected = train_forest(parameters, rows);
  // The C interface takes places of the model.
  std::vector<double> places(rows.inputs.begin(), rows.inputs.end());
  const overtake_matrix asked = {places.data(), OVERTAKE_FLOAT64, 8, 2, 16, 8};
  EXPECT_EQ(predicted(model.get(), asked, 2), expected.predict_proba(rows.inputs));

  const std::filesystem::path path = std::filesystem::temp_directory_path() / "overtake_c_api_categories.model";
  ASSERT_EQ(overtake_model_save(model.get(), path.c_str()), OVERTAKE_OK) << overtake_error_message();
  const TableModel loaded = read_model(path, Device());
  std::filesystem::remove(path);
  EXPECT_EQ(loaded.preprocessing.transform_features(table).inputs.size(), rows.inputs.size());
  EXPECT_EQ(loaded.model->predict(loaded.preprocessing.transform_features(table).inputs),
            expected.predict_proba(rows.inputs));
}

TEST(CApiCategories, AnOrderThatIsGivenIsKeptInTheFile) {
  const Colours colours;
  const DataHandle data = colours.data(1);
  EXPECT_EQ(text_of(data.get()), R"([["red","unused","green","blue"],null])");
  const ModelHandle model = trained(data.get());
  const overtake_matrix asked = colours.matrix();
  const std::vector<double> expected = predicted(model.get(), asked, 2);
  overtake_text* bytes = nullptr;
  ASSERT_EQ(overtake_model_to_bytes(model.get(), &bytes), OVERTAKE_OK) << overtake_error_message();
  const TableModel loaded = parse_model({overtake_text_data(bytes), overtake_text_size(bytes)}, "bytes");
  overtake_text_free(bytes);
  EXPECT_EQ(loaded.model->predict(loaded.preprocessing.transform_features(colours.table()).inputs), expected);
}

TEST(CApiCategories, WhatCannotBeIsRefused) {
  const Colours colours;
  const overtake_matrix all = colours.matrix();
  const DataHandle data = made<DataHandle>([&](auto** made) { return overtake_data_new(&all, made); });
  overtake_data* handle = data.get();
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_categories(handle, 2, "[]", 0), "feature 2 does not exist");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_categories(handle, -1, "[]", 0), "feature -1 does not exist");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_categories(handle, 0, nullptr, 0), "names is NULL");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_categories(handle, 0, R"(["a", "b", "a", "c"])", 0), "twice");
  expect_status(OVERTAKE_DATA_ERROR, overtake_data_set_categories(handle, 0, R"(["a", "b", "c"])", 0),
                "row 1 of feature 0 holds 3, expected a place among its 3 categories or NaN");
  EXPECT_EQ(overtake_data_set_categories(handle, 0, colours.names, 0), OVERTAKE_OK);
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_categories(handle, 0, colours.names, 0), "already");
}

}  // namespace
}  // namespace overtake::test
