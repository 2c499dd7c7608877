// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "data_support.hpp"
#include "forest_support.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The message of the DataError that load_forest throws; empty when it throws none.
std::string complaint_of(const std::filesystem::path& path) {
  try {
    (void)load_forest(path);
  } catch (const DataError& error) {
    return error.what();
  }
  return {};
}

/// Bit for bit, NaN included.
template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

void expect_same(const Forest& a, const Forest& b) {
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_EQ(a.features, b.features);
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_EQ(a.feature_names, b.feature_names);
  EXPECT_EQ(a.class_names, b.class_names);
  EXPECT_EQ(a.feature_importances, b.feature_importances);
  EXPECT_EQ(a.oob_score, b.oob_score);
  EXPECT_TRUE(same_bits(a.oob_prediction, b.oob_prediction));
  ASSERT_EQ(a.trees.size(), b.trees.size());
  for (std::size_t i = 0; i < a.trees.size(); ++i) {
    EXPECT_EQ(a.trees[i].feature, b.trees[i].feature);
    EXPECT_TRUE(same_bits(a.trees[i].threshold, b.trees[i].threshold));
    EXPECT_EQ(a.trees[i].nan_left, b.trees[i].nan_left);
    EXPECT_EQ(a.trees[i].left, b.trees[i].left);
    EXPECT_EQ(a.trees[i].right, b.trees[i].right);
    EXPECT_EQ(a.trees[i].impurity, b.trees[i].impurity);
    EXPECT_EQ(a.trees[i].samples, b.trees[i].samples);
    EXPECT_EQ(a.trees[i].weighted_samples, b.trees[i].weighted_samples);
    EXPECT_EQ(a.trees[i].value, b.trees[i].value);
  }
}

class ForestFile : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path scratch(const std::string& name) const { return folder_ / name; }

  /// Writes a file "changed" with a proper checksum whose content was changed.
  void write_changed(const std::function<void(TensorFile&)>& change) const {
    save_forest(scratch("good"), small_forest());
    TensorFile file = read_safetensors(scratch("good"));
    change(file);
    write_safetensors(scratch("changed"), file);
  }

 private:
  test::TempFolder folder_;
};

TEST_F(ForestFile, ReadsBackWhatWasWritten) {
  Forest forest = small_forest();
  forest.parameters.class_weight = ClassWeight({{"red", 0.1}, {"a:b,c", 2}});
  forest.parameters.max_features = 1.0 / 3;
  forest.parameters.max_samples = CountOrFraction(3);
  forest.parameters.max_depth = 7;
  forest.parameters.random_state = 1234567890123456789U;
  forest.parameters.oob_score = true;
  forest.oob_score = 2.0 / 3;
  forest.oob_prediction = {0.1, 0.2, 0.7, std::numeric_limits<double>::quiet_NaN(), 0, 0};
  forest.trees[0].threshold[2] = std::numeric_limits<double>::infinity();
  const auto path = scratch("classes");
  save_forest(path, forest, {{"note", "grown by hand"}});
  const LoadedForest loaded = load_forest(path);
  expect_same(loaded.forest, forest);
  EXPECT_EQ(loaded.metadata, (std::map<std::string, std::string>{{"note", "grown by hand"}}));

  save_forest(path, small_regression());
  expect_same(load_forest(path).forest, small_regression());
}

TEST_F(ForestFile, EqualForestsAreEqualFiles) {
  save_forest(scratch("a"), small_forest(), {{"b", "1"}, {"a", "2"}});
  save_forest(scratch("b"), small_forest(), {{"a", "2"}, {"b", "1"}});
  EXPECT_EQ(bytes_of(scratch("a")), bytes_of(scratch("b")));
  save_forest(scratch("c"), load_forest(scratch("a")).forest, {{"a", "2"}, {"b", "1"}});
  EXPECT_EQ(bytes_of(scratch("a")), bytes_of(scratch("c")));
}

TEST_F(ForestFile, WhatCannotBeSaved) {
  EXPECT_THROW(save_forest(scratch("x"), Forest()), UsageError);
  EXPECT_THROW(save_forest(scratch("x"), small_forest(), {{"overtake.forest", "x"}}), UsageError);
  EXPECT_THROW(save_forest(scratch("no/such/folder"), small_forest()), DataError);
  Forest forest = small_forest();
  forest.class_names[0] = "\xff";
  EXPECT_THROW(save_forest(scratch("x"), forest), UsageError);
  EXPECT_FALSE(std::filesystem::exists(scratch("x")));
}

TEST_F(ForestFile, OtherFilesAreNoForests) {
  EXPECT_THAT(complaint_of(scratch("missing")), HasSubstr("missing"));
  write_safetensors(scratch("other"), TensorFile());
  EXPECT_THAT(complaint_of(scratch("other")), HasSubstr("no forest"));
  save_forest(scratch("whole"), small_forest());
  const std::string whole = bytes_of(scratch("whole"));
  std::ofstream(scratch("cut"), std::ios::binary) << whole.substr(0, whole.size() - 1);
  EXPECT_NE(complaint_of(scratch("cut")), "");
}

TEST_F(ForestFile, ChangedBytesAreNoticed) {
  save_forest(scratch("whole"), small_forest(), {{"key", "value"}});
  const std::string whole = bytes_of(scratch("whole"));
  for (std::size_t i = 0; i < whole.size(); i += 5) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    std::ofstream(scratch("damaged"), std::ios::binary) << damaged;
    try {
      // What is left unnoticed is the layout of the header, which the checksum does not cover.
      expect_same(load_forest(scratch("damaged")).forest, small_forest());
    } catch (const DataError&) {
    }
  }
}

template <typename T>
std::function<void(TensorFile&)> put(const std::string& tensor, std::size_t index, T value) {
  return [=](TensorFile& file) {
    for (NamedArray& named : file.tensors) {
      if (named.name != tensor) continue;
      ASSERT_LE((index + 1) * sizeof(T), named.array.bytes.size());
      std::memcpy(named.array.bytes.data() + index * sizeof(T), &value, sizeof(T));
    }
  };
}

TEST_F(ForestFile, InconsistentNodesAreRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<const char*, std::function<void(TensorFile&)>>> changes = {
      {"child before its parent", put("left", 2, std::int32_t{1})},
      {"child of itself", put("right", 0, std::int32_t{0})},
      {"child beyond the tree", put("right", 2, std::int32_t{5})},
      {"negative child", put("left", 0, std::int32_t{-1})},
      {"two parents", put("right", 2, std::int32_t{3})},
      {"leaf with a child", put("left", 1, std::int32_t{2})},
      {"feature that is not there", put("feature", 0, std::int32_t{2})},
      {"negative feature", put("feature", 0, std::int32_t{-2})},
      {"leaf in the middle", put("feature", 0, std::int32_t{-1})},
      {"threshold NaN", put("threshold", 0, nan)},
      {"threshold of a leaf", put("threshold", 1, 1.0)},
      {"direction 2", put("nan_left", 0, std::uint8_t{2})},
      {"share above 1", put("value", 0, 1.5)},
      {"share NaN", put("value", 3, nan)},
      {"impurity NaN", put("impurity", 0, nan)},
      {"weight NaN", put("weighted_samples", 0, nan)},
      {"negative samples", put("samples", 0, std::int32_t{-1})},
      {"importance NaN", put("feature_importances", 0, nan)},
      {"tree of no nodes", put("nodes", 1, std::int32_t{0})},
      {"sizes that do not add up", put("nodes", 0, std::int32_t{4})},
      {"huge size", put("nodes", 0, std::int32_t{2147483647})},
  };
  write_changed([](TensorFile&) {});
  ASSERT_EQ(complaint_of(scratch("changed")), "");
  for (const auto& [name, change] : changes) {
    write_changed(change);
    EXPECT_THAT(complaint_of(scratch("changed")), HasSubstr("changed:")) << "accepted: " << name;
  }
}

TEST_F(ForestFile, MissingForeignAndMisshapenTensorsAreRefused) {
  save_forest(scratch("good"), small_forest());
  const TensorFile good = read_safetensors(scratch("good"));
  for (std::size_t i = 0; i < good.tensors.size(); ++i) {
    write_changed([&](TensorFile& file) { file.tensors.erase(file.tensors.begin() + static_cast<std::ptrdiff_t>(i)); });
    EXPECT_NE(complaint_of(scratch("changed")), "") << "without " << good.tensors[i].name;
    write_changed(
        [&](TensorFile& file) { file.tensors[i].array.extents.insert(file.tensors[i].array.extents.begin(), 1); });
    EXPECT_NE(complaint_of(scratch("changed")), "") << "reshaped " << good.tensors[i].name;
  }
  write_changed([](TensorFile& file) { file.tensors.push_back({"more", host_array(std::vector<float>{1}, {1})}); });
  EXPECT_THAT(complaint_of(scratch("changed")), HasSubstr("belong to no forest"));
}

TEST_F(ForestFile, DamagedDescriptionsAreRefused) {
  const std::vector<std::function<void(Json&)>> changes = {
      [](Json& json) { json["format"] = "overtake.forest/2"; },
      [](Json& json) { json["features"] = 0; },
      [](Json& json) { json["features"] = 1e300; },
      [](Json& json) { json["features"] = 3; },
      [](Json& json) { json["classes"] = 2; },
      [](Json& json) { json["classes"] = -1; },
      [](Json& json) { json["classes"] = 18446744073709551615U; },
      [](Json& json) { json["task"] = "regression"; },
      [](Json& json) { json["task"] = "clustering"; },
      [](Json& json) { json["kind"] = 3; },
      [](Json& json) { json["feature_names"] = {"one"}; },
      [](Json& json) {
        json["class_names"] = {1, 2, 3};
      },
      [](Json& json) { json["oob_score"] = "high"; },
      [](Json& json) { json.erase("oob_score"); },
      [](Json& json) { json["parameters"] = 1; },
      [](Json& json) { json["parameters"]["max_depth"] = -1; },
      [](Json& json) { json["parameters"]["random_state"] = 18446744073709551615U; },
      [](Json& json) { json["parameters"]["criterion"] = "poisson"; },
      [](Json& json) { json["parameters"]["colour"] = "red"; },
      [](Json& json) { json["parameters"]["max_depth"] = Json::array({1}); },
      [](Json& json) { json = Json::array(); },
      [](Json& json) { json = "text"; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    write_changed([&](TensorFile& file) {
      Json json = Json::parse(file.metadata["overtake.forest"]);
      changes[i](json);
      file.metadata["overtake.forest"] = json.dump();
    });
    EXPECT_THAT(complaint_of(scratch("changed")), HasSubstr("changed:")) << "change " << i;
  }
  write_changed([&](TensorFile& file) { file.metadata["overtake.forest"] = "{"; });
  EXPECT_NE(complaint_of(scratch("changed")), "");
}

// The next parameter of forests must not make every saved forest unreadable.
TEST_F(ForestFile, AParameterThatIsMissingTakesItsDefault) {
  for (const bool extra : {false, true}) {
    Forest forest = small_forest();
    forest.parameters =
        ForestParameters::defaults(extra ? ForestKind::extra_trees : ForestKind::random_forest, Task::classification);
    save_forest(scratch("whole"), forest);
    for (const std::string& name : ForestParameters::names()) {
      TensorFile file = read_safetensors(scratch("whole"));
      Json json = Json::parse(file.metadata["overtake.forest"]);
      ASSERT_EQ(json["parameters"].erase(name), 1U);
      file.metadata["overtake.forest"] = json.dump();
      write_safetensors(scratch("without"), file);
      EXPECT_EQ(load_forest(scratch("without")).forest.parameters, forest.parameters) << name;
    }
  }
}

TEST_F(ForestFile, UnknownKeysAreRefusedByName) {
  const auto complaint_with = [&](const char* pointer) {
    write_changed([&](TensorFile& file) {
      Json json = Json::parse(file.metadata["overtake.forest"]);
      json[Json::json_pointer(pointer)] = 1;
      file.metadata["overtake.forest"] = json.dump();
    });
    return complaint_of(scratch("changed"));
  };
  EXPECT_THAT(complaint_with("/parameters/colour"), HasSubstr("colour"));
  EXPECT_THAT(complaint_with("/tempo"), HasSubstr("the key \"tempo\" is not known"));
}

}  // namespace
}  // namespace overtake::testing
