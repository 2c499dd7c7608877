// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "data/message.hpp"
#include "overtake/data_preprocessing.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

using Json = nlohmann::json;

constexpr const char* schema_name = "overtake.preprocessing/1";

/// Takes checked values out of a JSON object.
class Reader {
 public:
  Reader(const Json& object, std::string_view source) : object_(object), source_(source) {
    if (!object_.is_object()) fail("expected an object");
  }

  [[noreturn]] void fail(const std::string& problem) const {
    throw DataError(fmt::format("{}: the stored preprocessing is not valid: {}", source_, problem),
                    "Save the model again with the program that trained it.");
  }

  [[nodiscard]] std::string text(const char* key) const {
    const Json& value = member(key);
    if (!value.is_string()) fail(fmt::format("{} should be a text", key));
    return value.get<std::string>();
  }

  [[nodiscard]] bool flag(const char* key) const {
    const Json& value = member(key);
    if (!value.is_boolean()) fail(fmt::format("{} should be true or false", key));
    return value.get<bool>();
  }

  /// False where the key is missing: files of before the option existed do not have it.
  [[nodiscard]] bool flag_if_present(const char* key) const { return object_.contains(key) && flag(key); }

  [[nodiscard]] double number(const char* key) const {
    const Json& value = member(key);
    if (!value.is_number() || !std::isfinite(value.get<double>())) fail(fmt::format("{} should be a number", key));
    return value.get<double>();
  }

  /// A number to divide by.
  [[nodiscard]] double scale(const char* key) const {
    const double value = number(key);
    if (!(value > 0.0)) fail(fmt::format("{} should be above zero", key));
    return value;
  }

  [[nodiscard]] const Json& list(const char* key) const {
    const Json& value = member(key);
    if (!value.is_array()) fail(fmt::format("{} should be a list", key));
    return value;
  }

  /// Different texts, at least one.
  [[nodiscard]] std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> result;
    std::set<std::string> seen;
    for (const Json& value : list(key)) {
      if (!value.is_string() || !seen.insert(value.get<std::string>()).second) {
        fail(fmt::format("{} should be a list of different texts", key));
      }
      result.push_back(value.get<std::string>());
    }
    if (result.empty()) fail(fmt::format("{} should not be empty", key));
    return result;
  }

 private:
  [[nodiscard]] const Json& member(const char* key) const {
    const auto it = object_.find(key);
    if (it == object_.end()) fail(fmt::format("{} is missing", key));
    return *it;
  }

  const Json& object_;
  std::string_view source_;
};

Json to_json_value(const Feature& feature) {
  if (feature.kind == ColumnKind::text) {
    return {{"name", feature.name}, {"kind", "text"}, {"categories", feature.categories}};
  }
  return {{"name", feature.name}, {"kind", "numeric"}, {"mean", feature.mean}, {"scale", feature.scale}};
}

Feature feature_from(const Json& value, std::string_view source) {
  const Reader reader(value, source);
  Feature feature;
  feature.name = reader.text("name");
  const std::string kind = reader.text("kind");
  if (kind == "numeric") {
    feature.mean = reader.number("mean");
    feature.scale = reader.scale("scale");
    return feature;
  }
  if (kind != "text") reader.fail(fmt::format("the kind of a feature is {}", data::quote(kind)));
  feature.kind = ColumnKind::text;
  feature.categories = reader.texts("categories");
  if (!std::is_sorted(feature.categories.begin(), feature.categories.end())) {
    reader.fail("the categories of a feature are not sorted");
  }
  return feature;
}

}  // namespace

std::string Preprocessing::to_json() const {
  const bool classifies = task == Task::classification;
  Json json = {{"schema", schema_name},
               {"task", classifies ? "classification" : "regression"},
               {"target", target},
               {"standardise", standardise},
               {"refuse_unseen", refuse_unseen},
               {"keep_missing", keep_missing},
               {"text_as_codes", text_as_codes},
               {"has_header", has_header},
               {"features", Json::array()}};
  for (const Feature& feature : features) json["features"].push_back(to_json_value(feature));
  if (classifies) {
    json["classes"] = classes;
  } else {
    json["target_mean"] = target_mean;
    json["target_scale"] = target_scale;
  }
  try {
    return json.dump();
  } catch (const Json::type_error&) {
    throw DataError("a column name or category is not valid UTF-8", "Convert the table to UTF-8.");
  }
}

Preprocessing Preprocessing::from_json(std::string_view text, std::string_view source) {
  const Json json = Json::parse(text, nullptr, false);
  const Reader reader(json, source);
  if (reader.text("schema") != schema_name) {
    reader.fail(fmt::format("its schema is {}, expected {}", data::quote(reader.text("schema")), schema_name));
  }
  Preprocessing result;
  const std::string task = reader.text("task");
  if (task != "classification" && task != "regression") reader.fail(fmt::format("the task is {}", data::quote(task)));
  result.task = task == "classification" ? Task::classification : Task::regression;
  result.target = reader.text("target");
  result.standardise = reader.flag("standardise");
  result.refuse_unseen = reader.flag("refuse_unseen");
  result.keep_missing = reader.flag_if_present("keep_missing");
  result.text_as_codes = reader.flag_if_present("text_as_codes");
  result.has_header = reader.flag("has_header");
  std::set<std::string> names{result.target};
  for (const Json& value : reader.list("features")) {
    result.features.push_back(feature_from(value, source));
    if (!names.insert(result.features.back().name).second) {
      reader.fail(fmt::format("the column {} occurs twice", data::quote(result.features.back().name)));
    }
  }
  if (result.features.empty()) reader.fail("it has no features");
  if (result.task == Task::classification) {
    result.classes = reader.texts("classes");
  } else {
    result.target_mean = reader.number("target_mean");
    result.target_scale = reader.scale("target_scale");
  }
  return result;
}

}  // namespace overtake
