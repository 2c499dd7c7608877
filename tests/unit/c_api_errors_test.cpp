// SPDX-License-Identifier: MIT
// The C interface turns every mistake into a code with words.
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "c_api/call.hpp"
#include "c_api_support.hpp"

namespace overtake::test {
namespace {

TEST(CApi, EveryKindOfExceptionIsACode) {
  const auto status_of = [](const auto& error) { return c_api::guarded([&] { throw error; }); };
  expect_status(OVERTAKE_USAGE_ERROR, status_of(UsageError("one", "do this")), "one");
  EXPECT_EQ(std::string(overtake_error_hint()), "do this");
  expect_status(OVERTAKE_DATA_ERROR, status_of(DataError("two")), "two");
  EXPECT_EQ(std::string(overtake_error_hint()), "");
  expect_status(OVERTAKE_DEVICE_ERROR, status_of(DeviceError("three")), "three");
  expect_status(OVERTAKE_INTERNAL_ERROR, status_of(InternalError("four")), "four");
  expect_status(OVERTAKE_DEVICE_ERROR, status_of(std::bad_alloc()), "memory");
  expect_status(OVERTAKE_DEVICE_ERROR, status_of(std::length_error("vector")), "memory");
  expect_status(OVERTAKE_DATA_ERROR, status_of(std::system_error(std::make_error_code(std::errc::io_error))), "error");
  expect_status(OVERTAKE_INTERNAL_ERROR, status_of(std::runtime_error("five")), "five");
  expect_status(OVERTAKE_DATA_ERROR, status_of(DataError("no \xff file \x1b[31m")), "no \\xff file \\x1b[31m");
  expect_status(OVERTAKE_INTERNAL_ERROR, status_of(6), "unknown kind");
  EXPECT_NE(std::string(overtake_error_hint()).find("report"), std::string::npos);
  expect_status(OVERTAKE_USAGE_ERROR, status_of(UsageError("seven")), "seven");  // memory's fixed text is gone
}

TEST(CApi, ErrorsBelongToTheirThread) {
  (void)c_api::guarded([] { throw UsageError("of the first thread"); });
  std::thread([] {
    EXPECT_EQ(std::string(overtake_error_message()), "");
    EXPECT_EQ(std::string(overtake_error_hint()), "");
    (void)c_api::guarded([] { throw UsageError("of the second thread"); });
  }).join();
  EXPECT_EQ(std::string(overtake_error_message()), "of the first thread");
}

TEST(CApi, NullIsFreedAndReadAsNothing) {
  overtake_text_free(nullptr);
  overtake_stop_free(nullptr);
  overtake_data_free(nullptr);
  overtake_model_free(nullptr);
  overtake_search_result_free(nullptr);
  overtake_stop_request(nullptr);
  EXPECT_EQ(std::string(overtake_text_data(nullptr)), "");
  EXPECT_EQ(overtake_text_size(nullptr), 0U);
}

TEST(CApi, NullWhereSomethingMustBeIsAUsageError) {
  const Points points;
  const DataHandle data = points.classes();
  const ModelHandle model = trained(data.get());
  const overtake_matrix inputs = points.matrix();
  overtake_model* made_model = nullptr;
  overtake_text* text = nullptr;
  overtake_data* made_data = nullptr;
  const double* values = nullptr;
  std::int64_t count = 0;
  const auto refused = [](overtake_status status, const char* argument) {
    expect_status(OVERTAKE_USAGE_ERROR, status, std::string(argument) + " is NULL");
  };
  refused(overtake_stop_new(nullptr), "stop");
  refused(overtake_devices(nullptr), "json");
  refused(overtake_data_new(nullptr, &made_data), "inputs");
  refused(overtake_data_new(&inputs, nullptr), "data");
  refused(overtake_data_set_labels(nullptr, nullptr, 0, 1), "data");
  refused(overtake_data_set_labels(data.get(), nullptr, Points::rows, 1), "labels");
  refused(overtake_data_set_targets(data.get(), nullptr, Points::rows), "targets");
  refused(overtake_data_set_weights(nullptr, nullptr, 0), "data");
  refused(overtake_data_set_feature_names(nullptr, "[]"), "data");
  refused(overtake_data_set_class_names(nullptr, "[]"), "data");
  refused(overtake_forest_train(nullptr, nullptr, data.get(), nullptr, nullptr, nullptr, &made_model, nullptr), "kind");
  refused(overtake_forest_train("random-forest", nullptr, nullptr, nullptr, nullptr, nullptr, &made_model, nullptr),
          "data");
  refused(overtake_forest_train("random-forest", nullptr, data.get(), nullptr, nullptr, nullptr, nullptr, nullptr),
          "model");
  refused(overtake_forest_parameters("random-forest", nullptr, nullptr, &text), "task");
  refused(overtake_model_describe(nullptr, &text), "model");
  refused(overtake_model_describe(model.get(), nullptr), "json");
  refused(overtake_model_predict(nullptr, &inputs, nullptr, 0), "model");
  refused(overtake_model_predict(model.get(), nullptr, nullptr, 0), "inputs");
  refused(overtake_model_predict(model.get(), &inputs, nullptr, Points::rows * 3), "answers");
  refused(overtake_forest_array(model.get(), "feature_importances", nullptr, &count), "values");
  refused(overtake_forest_array(model.get(), nullptr, &values, &count), "name");
  refused(overtake_forest_tree(model.get(), 0, nullptr), "tree");
  refused(overtake_forest_export(model.get(), 0, "text", nullptr), "text");
  refused(overtake_model_save(model.get(), nullptr), "path");
  refused(overtake_model_load(nullptr, nullptr, &made_model), "path");
  refused(overtake_model_to_bytes(nullptr, &text), "model");
  refused(overtake_model_from_bytes(nullptr, 0, &made_model), "bytes");
  EXPECT_EQ(made_model, nullptr);
  EXPECT_EQ(made_data, nullptr);
}

TEST(CApi, NumbersThatFloat32DoesNotHoldAreNamed) {
  Points points;
  overtake_data* data = nullptr;
  overtake_matrix inputs = points.matrix();
  for (const double bad : {1e39, -std::numeric_limits<double>::infinity(), 3.4028235677973366e38}) {
    points.inputs[7] = bad;
    expect_status(OVERTAKE_DATA_ERROR, overtake_data_new(&inputs, &data), "row 3, column 1");
  }
  std::vector<float> narrow(4, std::numeric_limits<float>::infinity());
  const overtake_matrix infinite{narrow.data(), OVERTAKE_FLOAT32, 2, 2, 8, 4};
  expect_status(OVERTAKE_DATA_ERROR, overtake_data_new(&infinite, &data), "row 0, column 0");
  EXPECT_EQ(data, nullptr);
  points.inputs[7] = 3.4028235677973362e38;  // rounds to the largest
  points.inputs[8] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(points.data(), nullptr);
}

TEST(CApi, ForgedShapesAreRefused) {
  const Points points;
  overtake_data* data = nullptr;
  const auto refused = [&](const overtake_matrix& matrix, const char* words) {
    expect_status(OVERTAKE_USAGE_ERROR, overtake_data_new(&matrix, &data), words);
  };
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  refused({points.inputs.data(), 2, 1, 1, 8, 8}, "unknown dtype 2");
  refused({points.inputs.data(), OVERTAKE_FLOAT64, -1, 1, 8, 8}, "-1 rows");
  refused({points.inputs.data(), OVERTAKE_FLOAT64, 1, -1, 8, 8}, "-1 columns");
  refused({points.inputs.data(), OVERTAKE_FLOAT64, huge, 3, 0, 0}, "too large");
  refused({points.inputs.data(), OVERTAKE_FLOAT64, huge, 1, 0, 0}, "too large");
  refused({nullptr, OVERTAKE_FLOAT64, 1, 1, 8, 8}, "data is NULL");
  EXPECT_EQ(data, nullptr);
}

TEST(CApi, AnswersOfDataThatDoNotFitAreRefused) {
  const Points points;
  const DataHandle data = points.data();
  const std::array<std::int32_t, 3> few{};
  overtake_model* model = nullptr;
  expect_status(OVERTAKE_USAGE_ERROR,
                overtake_forest_train("random-forest", nullptr, data.get(), nullptr, nullptr, nullptr, &model, nullptr),
                "neither labels nor targets");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_labels(data.get(), few.data(), 3, 2), "3 labels for 60 rows");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_labels(data.get(), points.labels.data(), Points::rows, 2),
                "expected 0 to 1");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_labels(data.get(), points.labels.data(), Points::rows, 0),
                "at least 1");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_targets(data.get(), points.targets.data(), -1), "-1 targets");
  const std::vector<float> negative(Points::rows, -1.0F);
  expect_status(OVERTAKE_DATA_ERROR, overtake_data_set_weights(data.get(), negative.data(), Points::rows), "row 0");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_feature_names(data.get(), R"(["x"])"), "1 names for 2");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_feature_names(data.get(), R"(["x", 3])"), "a text");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_feature_names(data.get(), "x,y"), "no JSON list");
}

TEST(CApi, ParametersAndSettingsAreChecked) {
  const Points points;
  const DataHandle data = points.classes();
  overtake_model* model = nullptr;
  const auto refused = [&](const char* parameters, const char* settings, const char* words) {
    expect_status(
        OVERTAKE_USAGE_ERROR,
        overtake_forest_train("random-forest", parameters, data.get(), settings, nullptr, nullptr, &model, nullptr),
        words);
  };
  refused(R"({"max_dept": 3})", nullptr, "max_dept");
  refused(R"({"max_depth": [3]})", nullptr, "a list, not one value");
  refused(R"({"max_depth": 0})", nullptr, "max_depth");
  refused(R"({"max_depth": 3, "max_depth": 4})", nullptr, "comes twice");
  refused(R"({"class_weight": {"a": 1, "a": 2}})", nullptr, "comes twice");
  refused("{'max_depth': 3}", nullptr, "no JSON object");
  refused("[]", nullptr, "no JSON object");
  refused((std::string(200, '[') + std::string(200, ']')).c_str(), nullptr, "no JSON object");
  refused(R"({"ccp_alpha": NaN})", nullptr, "no JSON object");
  refused(nullptr, R"({"devise": "cpu"})", "unknown setting 'devise'");
  EXPECT_NE(std::string(overtake_error_hint()).find("Did you mean device?"), std::string::npos);
  refused(nullptr, R"({"device": 1})", "device: 1 is not accepted");
  refused(nullptr, R"({"device": "gpu"})", "unknown device");
  refused(nullptr, R"({"memory_limit": -1})", "memory_limit: -1");
  refused(nullptr, R"({"memory_limit": 1.5})", "memory_limit: 1.5");
  EXPECT_EQ(model, nullptr);
  expect_status(OVERTAKE_DEVICE_ERROR,
                overtake_forest_train("random-forest", nullptr, data.get(), R"({"device": "null"})", nullptr, nullptr,
                                      &model, nullptr),
                "null device");
  EXPECT_NE(trained(data.get(), "", "random-forest", R"({"device": "cpu", "memory_limit": null})"), nullptr);
}

TEST(CApi, QuestionsThatAModelHasNoAnswerToAreRefused) {
  const Points points;
  const DataHandle data = points.classes();
  const ModelHandle model = trained(data.get());
  const overtake_matrix inputs = points.matrix();
  std::vector<double> answers(10);
  overtake_matrix narrow = inputs;
  narrow.columns = 1;
  const double* values = nullptr;
  std::int64_t count = -1;
  overtake_tree tree{};
  overtake_text* text = nullptr;
  expect_status(OVERTAKE_USAGE_ERROR, overtake_model_predict(model.get(), &inputs, answers.data(), 10),
                "room for 10 answers, and there are 180");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_model_predict(model.get(), &narrow, answers.data(), 10), "trained on 2");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_forest_array(model.get(), "importances", &values, &count),
                "importances");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_forest_tree(model.get(), 7, &tree), "tree 7 does not exist");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_forest_tree(model.get(), -1, &tree), "tree -1 does not exist");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_forest_export(model.get(), 0, "svg", &text), "svg");
  ASSERT_EQ(overtake_forest_array(model.get(), "oob_prediction", &values, &count), OVERTAKE_OK);
  EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace overtake::test
