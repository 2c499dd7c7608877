// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/shallow_json.hpp"
#include "data/table/message.hpp"
#include "data/table/reading_json.hpp"
#include "data/text/cell.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

using Json = nlohmann::json;

constexpr const char* schema_name = "overtake.preprocessing/2";
constexpr const char* earlier_schema = "overtake.preprocessing/1";  // without the way of reading

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

  /// A key of a newer version must not be dropped in silence: it may change what the model sees.
  void allow_only(std::initializer_list<const char*> keys) const {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        fail(fmt::format("the key {} is not known", data::quote(key)));
      }
    }
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

  /// 0 where the key is missing.
  [[nodiscard]] double number_if_present(const char* key) const { return object_.contains(key) ? number(key) : 0.0; }

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
    return {{"name", feature.name},
            {"kind", "text"},
            {"declared_text", feature.declared_text},
            {"categories", feature.categories}};
  }
  return {{"name", feature.name},   {"kind", "numeric"},        {"days", feature.days},      {"mean", feature.mean},
          {"scale", feature.scale}, {"lowest", feature.lowest}, {"highest", feature.highest}};
}

Feature feature_from(const Json& value, std::string_view source) {
  const Reader reader(value, source);
  reader.allow_only({"name", "kind", "days", "mean", "scale", "lowest", "highest", "declared_text", "categories"});
  Feature feature;
  feature.name = reader.text("name");
  const std::string kind = reader.text("kind");
  if (kind == "numeric") {
    feature.days = reader.flag_if_present("days");
    feature.mean = reader.number("mean");
    feature.scale = reader.scale("scale");
    feature.lowest = reader.number_if_present("lowest");
    feature.highest = reader.number_if_present("highest");
    return feature;
  }
  if (kind != "text") reader.fail(fmt::format("the kind of a feature is {}", data::quote(kind)));
  feature.kind = ColumnKind::text;
  feature.declared_text = reader.flag_if_present("declared_text");
  feature.categories = reader.texts("categories");
  const std::set<std::string_view> distinct(feature.categories.begin(), feature.categories.end());
  if (distinct.size() != feature.categories.size()) reader.fail("a category of a feature comes twice");
  return feature;
}

constexpr std::array<std::pair<UnseenRule, const char*>, 3> unseen_rules = {
    {{UnseenRule::automatic, "automatic"}, {UnseenRule::error, "error"}, {UnseenRule::missing, "missing"}}};

const char* unseen_name(UnseenRule wanted) {
  for (const auto& [rule, name] : unseen_rules) {
    if (rule == wanted) return name;
  }
  return "automatic";
}

bool all_numbers(const std::vector<std::string>& classes) {
  double value = 0.0;
  return std::all_of(classes.begin(), classes.end(),
                     [&](const std::string& name) { return data::parse_number(name, value); });
}

UnseenRule unseen_from(const Reader& reader) {
  const std::string text = reader.text("unseen");
  for (const auto& [rule, name] : unseen_rules) {
    if (text == name) return rule;
  }
  reader.fail(fmt::format("unseen is {}", data::quote(text)));
}

/// What files of before did not say is left as it stands.
void read_reading(const Json& json, const Reader& reader, std::string_view source, Preprocessing& result) {
  result.reading_known = reader.text("schema") == schema_name;
  if (!result.reading_known) {
    result.reading.has_header = reader.flag("has_header");
    result.unseen = reader.flag("refuse_unseen") ? UnseenRule::error : UnseenRule::automatic;
    return;
  }
  const auto reading = json.find("reading");
  result.reading = data::reading_from_json(reading == json.end() ? "{}" : reading->dump(), source);
  result.columns = reader.texts("columns");
  result.unseen = unseen_from(reader);
  result.target_declared_text = reader.flag("target_declared_text");
}

}  // namespace

std::string Preprocessing::to_json() const {
  const bool classifies = task == Task::classification;
  Json json = {{"schema", schema_name},
               {"task", classifies ? "classification" : "regression"},
               {"target", target},
               {"standardise", standardise},
               {"unseen", unseen_name(unseen)},
               {"keep_missing", keep_missing},
               {"text_as_codes", text_as_codes},
               {"reading", Json::parse(shallow_json(data::reading_to_json(reading)))},
               {"columns", columns},
               {"target_declared_text", target_declared_text},
               {"features", Json::array()}};
  for (const Feature& feature : features) json["features"].push_back(to_json_value(feature));
  if (classifies) {
    json["classes"] = classes;
    json["numeric_classes"] = numeric_classes;
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
  const Json json = Json::parse(shallow_json(text), nullptr, false);
  const Reader reader(json, source);
  if (reader.text("schema") != schema_name && reader.text("schema") != earlier_schema) {
    reader.fail(fmt::format("its schema is {}, expected {}", data::quote(reader.text("schema")), schema_name));
  }
  reader.allow_only({"schema", "task", "target", "standardise", "unseen", "keep_missing", "text_as_codes", "reading",
                     "columns", "target_declared_text", "features", "classes", "numeric_classes", "target_mean",
                     "target_scale", "has_header", "refuse_unseen"});
  Preprocessing result;
  const std::string task = reader.text("task");
  if (task != "classification" && task != "regression") reader.fail(fmt::format("the task is {}", data::quote(task)));
  result.task = task == "classification" ? Task::classification : Task::regression;
  result.target = reader.text("target");
  result.standardise = reader.flag("standardise");
  read_reading(json, reader, source, result);
  result.keep_missing = reader.flag_if_present("keep_missing");
  result.text_as_codes = reader.flag_if_present("text_as_codes");
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
    result.numeric_classes = result.reading_known ? reader.flag("numeric_classes") : all_numbers(result.classes);
  } else {
    result.target_mean = reader.number("target_mean");
    result.target_scale = reader.scale("target_scale");
  }
  return result;
}

}  // namespace overtake
