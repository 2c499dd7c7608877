// SPDX-License-Identifier: MIT
// The C interface gives what the C++ one gives.
#include "overtake/c_api.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "c_api_support.hpp"
#include "data_support.hpp"
#include "overtake/forest.hpp"
#include "overtake/version.hpp"

namespace overtake::test {
namespace {

using Json = nlohmann::json;

TEST(CApi, SaysItsVersion) {
  EXPECT_EQ(std::string(overtake_version()), version());
  EXPECT_EQ(overtake_api_version(), OVERTAKE_API_VERSION);
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
