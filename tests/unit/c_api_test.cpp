// SPDX-License-Identifier: MIT
// The C interface gives what the C++ one gives, and turns every mistake into a code with words.
#include "overtake/c_api.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "c_api/call.hpp"
#include "c_api_support.hpp"
#include "data_support.hpp"
#include "overtake/forest.hpp"
#include "overtake/placement.hpp"
#include "overtake/version.hpp"

namespace overtake::test {
namespace {

using Json = nlohmann::json;

TEST(CApi, SaysItsVersion) {
  EXPECT_EQ(std::string(overtake_version()), version());
  EXPECT_EQ(overtake_api_version(), OVERTAKE_API_VERSION);
}

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

TEST(CApi, AForestIsThatOfTheCppInterface) {
  const Points points;
  const DataHandle data = points.classes();
  ASSERT_EQ(overtake_data_set_class_names(data.get(), R"(["red", "green", "blue"])"), OVERTAKE_OK);
  ASSERT_EQ(overtake_data_set_feature_names(data.get(), R"(["x", "y"])"), OVERTAKE_OK);
  const std::vector<float> weights(Points::rows, 0.5F);
  ASSERT_EQ(overtake_data_set_weights(data.get(), weights.data(), Points::rows), OVERTAKE_OK);
  const ModelHandle model =
      trained(data.get(), R"({"n_estimators": 9, "max_depth": 4, "class_weight": {"red": 2}, "oob_score": true})");

  Dataset plain;
  plain.rows = Points::rows;
  plain.features = Points::features;
  plain.classes = 3;
  plain.inputs.assign(points.inputs.begin(), points.inputs.end());
  plain.labels = points.labels;
  auto parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  parameters.n_estimators = 9;
  parameters.max_depth = 4;
  parameters.oob_score = true;
  parameters.class_weight = {{"red", 2}};
  ForestOptions options;
  options.class_names = {"red", "green", "blue"};
  const Forest forest = train_forest(parameters, plain, options, weights);

  EXPECT_EQ(predicted(model.get(), points.matrix(), 3), forest.predict_proba(plain.inputs));
  std::vector<std::int32_t> classes(Points::rows), leaves(Points::rows * 9);
  const overtake_matrix inputs = points.matrix();
  ASSERT_EQ(overtake_model_predict_classes(model.get(), &inputs, classes.data(), Points::rows), OVERTAKE_OK);
  EXPECT_EQ(classes, forest.predict(plain.inputs));
  ASSERT_EQ(overtake_model_apply(model.get(), &inputs, leaves.data(), Points::rows * 9), OVERTAKE_OK);
  EXPECT_EQ(leaves, forest.apply(plain.inputs));

  const double* values = nullptr;
  std::int64_t count = 0;
  ASSERT_EQ(overtake_forest_array(model.get(), "feature_importances", &values, &count), OVERTAKE_OK);
  EXPECT_EQ(std::vector(values, values + count), forest.feature_importances);
  ASSERT_EQ(overtake_forest_array(model.get(), "oob_prediction", &values, &count), OVERTAKE_OK);
  EXPECT_EQ(count, Points::rows * 3);
  overtake_tree tree{};
  ASSERT_EQ(overtake_forest_tree(model.get(), 8, &tree), OVERTAKE_OK);
  EXPECT_EQ(std::vector(tree.feature, tree.feature + tree.nodes), forest.trees[8].feature);
  EXPECT_EQ(std::vector(tree.value, tree.value + 3 * tree.nodes), forest.trees[8].value);
  EXPECT_EQ(text_made([&](auto** text) { return overtake_forest_export(model.get(), 0, "dot", text); }).substr(0, 7),
            "digraph");
  EXPECT_NE(text_made([&](auto** text) { return overtake_forest_export(model.get(), 0, "text", text); }).find("|---"),
            std::string::npos);

  const Json json = Json::parse(text_made([&](auto** text) { return overtake_model_describe(model.get(), text); }));
  EXPECT_EQ(json["kind"], "random-forest");
  EXPECT_EQ(json["trees"], 9);
  EXPECT_EQ(json["outputs"], 3);
  EXPECT_EQ(json["class_names"], Json({"red", "green", "blue"}));
  EXPECT_EQ(json["feature_names"], Json({"x", "y"}));
  EXPECT_EQ(json["parameters"]["max_depth"], 4);
  EXPECT_EQ(json["oob_score"], *forest.oob_score);
  EXPECT_EQ(json["oob_rows"], forest.oob_rows);
}

TEST(CApi, ARegressorPredictsNumbersAndNoClasses) {
  const Points points;
  const DataHandle data = points.numbers();
  const ModelHandle model = trained(data.get(), R"({"n_estimators": 20})", "extra-trees");
  const std::vector<double> answers = predicted(model.get(), points.matrix(), 1);
  for (std::size_t row = 0; row < answers.size(); ++row) EXPECT_NEAR(answers[row], points.targets[row], 1e-9);
  const overtake_matrix inputs = points.matrix();
  std::vector<std::int32_t> classes(Points::rows);
  expect_status(OVERTAKE_USAGE_ERROR,
                overtake_model_predict_classes(model.get(), &inputs, classes.data(), Points::rows), "regression");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_data_set_class_names(data.get(), R"(["a"])"), "no classes");
}

TEST(CApi, StridesOfEveryKindGiveTheSameAnswers) {
  const Points points;
  const DataHandle data = points.classes();
  const ModelHandle model = trained(data.get());
  const std::vector<double> expected = predicted(model.get(), points.matrix(), 3);
  std::vector<double> columns(points.inputs.size());
  std::vector<float> narrow(points.inputs.begin(), points.inputs.end());
  for (std::int64_t row = 0; row < Points::rows; ++row) {
    for (std::int64_t c = 0; c < 2; ++c) columns[c * Points::rows + row] = points.inputs[row * 2 + c];
  }
  EXPECT_EQ(predicted(model.get(), {columns.data(), OVERTAKE_FLOAT64, Points::rows, 2, 8, Points::rows * 8}, 3),
            expected);
  EXPECT_EQ(predicted(model.get(), {narrow.data(), OVERTAKE_FLOAT32, Points::rows, 2, 8, 4}, 3), expected);
  // From the last row to the first.
  const double* last = points.inputs.data() + (Points::rows - 1) * 2;
  const std::vector<double> backwards = predicted(model.get(), {last, OVERTAKE_FLOAT64, Points::rows, 2, -16, 8}, 3);
  EXPECT_EQ(std::vector(backwards.end() - 3, backwards.end()), std::vector(expected.begin(), expected.begin() + 3));
  // One row again and again, not aligned.
  std::vector<char> bytes(17);
  std::copy_n(reinterpret_cast<const char*>(points.inputs.data()), 16, bytes.data() + 1);
  const std::vector<double> alike = predicted(model.get(), {bytes.data() + 1, OVERTAKE_FLOAT64, 3, 2, 0, 8}, 3);
  EXPECT_EQ(std::vector(alike.begin() + 6, alike.end()), std::vector(expected.begin(), expected.begin() + 3));
  EXPECT_TRUE(predicted(model.get(), {nullptr, OVERTAKE_FLOAT64, 0, 2, 16, 8}, 3).empty());
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

TEST(CApi, ParametersComeBackWithTheirDefaults) {
  const auto parameters = [](const char* task, const char* given) {
    return Json::parse(
        text_made([&](auto** text) { return overtake_forest_parameters("extra-trees", task, given, text); }));
  };
  EXPECT_EQ(parameters("classification", nullptr)["max_features"], "sqrt");
  EXPECT_EQ(parameters("regression", R"({"max_depth": 3})")["max_depth"], 3);
  EXPECT_TRUE(parameters("regression", "")["max_depth"].is_null());
  overtake_text* text = nullptr;
  expect_status(OVERTAKE_USAGE_ERROR, overtake_forest_parameters("extra-tree", "regression", nullptr, &text),
                "extra-tree");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_forest_parameters("extra-trees", "ranking", nullptr, &text), "ranking");
}

TEST(CApi, TheDeviceIsChosenAndTheReportSaysWhy) {
  const Points points;
  const DataHandle data = points.classes();
  ModelHandle model;
  const Json report = Json::parse(text_made([&](auto** text) {
    overtake_model* handle = nullptr;
    const overtake_status status =
        overtake_forest_train("random-forest", nullptr, data.get(), nullptr, nullptr, nullptr, &handle, text);
    model.reset(handle);
    return status;
  }));
  EXPECT_EQ(report["schema"], "overtake.train-forest/1");
  EXPECT_FALSE(report["device"].get<std::string>().empty());
  EXPECT_FALSE(report["device_reason"].get<std::string>().empty());
  EXPECT_TRUE(report["prediction"].is_null());  // too little work to predict it
  EXPECT_TRUE(report["feature_importances"].contains("feature_1"));
}

TEST(CApi, WarmStartAddsTreesToTheForestOfTheSameData) {
  const Points points;
  const DataHandle data = points.classes();
  const ModelHandle five = trained(data.get(), R"({"n_estimators": 5})");
  const ModelHandle nine = trained(data.get(), R"({"n_estimators": 9})");
  const ModelHandle more = made<ModelHandle>([&](auto** model) {
    return overtake_forest_train("random-forest", R"({"n_estimators": 9, "warm_start": true})", data.get(),
                                 R"({"device": "cpu"})", five.get(), nullptr, model, nullptr);
  });
  EXPECT_EQ(predicted(more.get(), points.matrix(), 3), predicted(nine.get(), points.matrix(), 3));
}

TEST(CApi, WatchersAreToldAndStopsHeeded) {
  const Points points;
  const DataHandle data = points.classes();
  const StopHandle stop = made<StopHandle>([](auto** handle) { return overtake_stop_new(handle); });
  struct Seen {
    overtake_stop* stop;
    std::int64_t done = 0;
  } seen{stop.get()};
  const overtake_watch watch{stop.get(),
                             [](void* context, const overtake_progress* now) {
                               auto& told = *static_cast<Seen*>(context);
                               EXPECT_EQ(now->total, 5000);
                               EXPECT_TRUE(std::isnan(now->best_score));
                               EXPECT_STREQ(now->what, "");
                               told.done = now->done;
                               if (now->done == 40) overtake_stop_request(told.stop);
                             },
                             &seen};
  const auto train = [&](auto** model) {
    return overtake_forest_train("random-forest", R"({"n_estimators": 5000})", data.get(), R"({"device": "cpu"})",
                                 nullptr, &watch, model, nullptr);
  };
  const ModelHandle model = made<ModelHandle>(train);
  const Json json = Json::parse(text_made([&](auto** text) { return overtake_model_describe(model.get(), text); }));
  EXPECT_GE(json["trees"], 40);
  EXPECT_LT(json["trees"], 5000);
  overtake_model* none = nullptr;
  expect_status(OVERTAKE_USAGE_ERROR, train(&none), "before the first tree");
}

TEST(CApi, FilesAndBytesHoldTheForest) {
  const Points points;
  const DataHandle data = points.classes();
  const ModelHandle model = trained(data.get());
  const TempFolder folder;
  const std::string path = (folder / "m.overtake").string(), again = (folder / "n.overtake").string();
  ASSERT_EQ(overtake_model_save(model.get(), path.c_str()), OVERTAKE_OK) << overtake_error_message();
  const ModelHandle loaded =
      made<ModelHandle>([&](auto** handle) { return overtake_model_load(path.c_str(), nullptr, handle); });
  EXPECT_EQ(predicted(loaded.get(), points.matrix(), 3), predicted(model.get(), points.matrix(), 3));
  ASSERT_EQ(overtake_model_save(loaded.get(), again.c_str()), OVERTAKE_OK);
  EXPECT_EQ(read_bytes(again), read_bytes(path));
  const std::string bytes = text_made([&](auto** text) { return overtake_model_to_bytes(model.get(), text); });
  EXPECT_EQ(bytes, read_bytes(path));
  const ModelHandle parsed =
      made<ModelHandle>([&](auto** handle) { return overtake_model_from_bytes(bytes.data(), bytes.size(), handle); });
  EXPECT_EQ(predicted(parsed.get(), points.matrix(), 3), predicted(model.get(), points.matrix(), 3));

  overtake_model* none = nullptr;
  std::string altered = bytes;
  altered[altered.size() - 3] = static_cast<char>(altered[altered.size() - 3] ^ 1);
  expect_status(OVERTAKE_DATA_ERROR, overtake_model_from_bytes(altered.data(), altered.size(), &none), "the bytes");
  expect_status(OVERTAKE_DATA_ERROR, overtake_model_from_bytes(bytes.data(), bytes.size() / 2, &none), "the bytes");
  expect_status(OVERTAKE_DATA_ERROR, overtake_model_from_bytes(bytes.data(), 0, &none), "the bytes");
  expect_status(OVERTAKE_DATA_ERROR, overtake_model_load((folder / "gone").c_str(), nullptr, &none), "no such file");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_model_load(path.c_str(), "nothing", &none), "unknown device");
  expect_status(OVERTAKE_DATA_ERROR, overtake_model_save(model.get(), (folder / "no" / "m").c_str()), "cannot write");
  EXPECT_EQ(none, nullptr);
}

TEST(CApi, ColumnsOfAFileHaveTheNamesOfTheFeaturesWhereTheyDiffer) {
  Forest forest;
  forest.parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  forest.features = 2;
  forest.classes = 2;
  EXPECT_EQ(plain_columns(forest).feature_names(), (std::vector<std::string>{"feature_0", "feature_1"}));
  EXPECT_EQ(plain_columns(forest).classes, (std::vector<std::string>{"0", "1"}));
  forest.feature_names = {"same", "same"};
  EXPECT_EQ(plain_columns(forest).feature_names(), (std::vector<std::string>{"feature_0", "feature_1"}));
  forest.feature_names = {"target", "y"};
  forest.class_names = {"no", "yes"};
  const Preprocessing how = plain_columns(forest);
  EXPECT_EQ(how.target, "target_");
  EXPECT_EQ(Preprocessing::from_json(how.to_json()).classes, forest.class_names);
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

TEST(CApi, SeveralThreadsAskOneModel) {
  const Points points;
  const DataHandle data = points.classes();
  const ModelHandle model = trained(data.get());
  const ModelHandle other = trained(data.get());
  const std::vector<double> expected = predicted(other.get(), points.matrix(), 3);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) EXPECT_EQ(predicted(model.get(), points.matrix(), 3), expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(CApi, TheMachineIsDescribed) {
  const Json devices = Json::parse(text_made([](auto** text) { return overtake_devices(text); }));
  EXPECT_EQ(devices[0]["id"], "cpu");
  const int before = overtake_threads();
  ASSERT_EQ(overtake_set_threads(1), OVERTAKE_OK);
  EXPECT_EQ(overtake_threads(), 1);
  expect_status(OVERTAKE_USAGE_ERROR, overtake_set_threads(-1), "-1");
  ASSERT_EQ(overtake_set_threads(0), OVERTAKE_OK);
  EXPECT_EQ(overtake_threads(), before);
  ASSERT_EQ(overtake_set_threads_here(3), OVERTAKE_OK);
  EXPECT_EQ(overtake_threads(), 3);
  std::thread([&] { EXPECT_EQ(overtake_threads(), before); }).join();
  expect_status(OVERTAKE_USAGE_ERROR, overtake_set_threads_here(4097), "4097");
  ASSERT_EQ(overtake_set_threads_here(0), OVERTAKE_OK);
  EXPECT_EQ(overtake_threads(), before);
}

TEST(CApi, RacesAndCheckUpsComeAsJsonAndAsAPage) {
  overtake_text* html = nullptr;
  const Json race = Json::parse(text_made([&](auto** text) {
    return overtake_race(R"({"layers": [2], "epochs": 1, "samples": 100, "devices": ["cpu"], "repeat": 1})", nullptr,
                         text, &html);
  }));
  const TextHandle page(html);
  EXPECT_EQ(race["schema"], "overtake.race/1");
  EXPECT_NE(std::string(overtake_text_data(page.get())).find("<html"), std::string::npos);
  expect_status(OVERTAKE_USAGE_ERROR, overtake_race(R"({"layers": [99]})", nullptr, nullptr, nullptr), "layers");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_race(R"({"layers": "2"})", nullptr, nullptr, nullptr), "a list");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_doctor(R"({"devices": ["gpu"]})", nullptr, nullptr, nullptr), "gpu");
}

}  // namespace
}  // namespace overtake::test
