// SPDX-License-Identifier: MIT
#include "forest/model/forest_metadata.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/shallow_json.hpp"
#include "core/whole_number.hpp"
#include "data/table/message.hpp"
#include "overtake/error.hpp"
#include "overtake/forest/forest.hpp"

namespace overtake::forest {
namespace {

using Json = nlohmann::json;

constexpr const char* format_name = "overtake.forest/1";
constexpr std::array known_keys = {"format",  "kind",          "task",        "parameters", "features",
                                   "classes", "feature_names", "class_names", "oob_score",  "data_fingerprint"};

Json to_json(const ParameterValue& value) {
  struct Writer {
    Json operator()(std::monostate) const { return nullptr; }
    Json operator()(bool flag) const { return flag; }
    Json operator()(std::int64_t number) const { return number; }
    Json operator()(double number) const { return number; }
    Json operator()(const std::string& word) const { return word; }
  };
  return std::visit(Writer{}, value);
}

/// Takes checked values out of the metadata.
class Reader {
 public:
  Reader(std::string_view text, std::string context)
      : context_(std::move(context)), json_(Json::parse(shallow_json(text), nullptr, false)) {
    if (is_deep_json(text)) fail(fmt::format("it nests deeper than {} levels", deepest_json));
    if (!json_.is_object() || !json_.contains("format") || json_["format"] != format_name) {
      fail(fmt::format("expected the format {}", format_name));
    }
    // A key of a newer version must not be dropped in silence: it may change what the forest predicts.
    for (const auto& [key, value] : json_.items()) {
      if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end()) {
        fail(fmt::format("the key {} is not known", data::quote(key)));
      }
    }
  }

  [[nodiscard]] Forest read() const {
    Forest forest;
    forest.parameters = parameters();
    forest.features = size("features", 1);
    const bool for_classes = forest.parameters.task == Task::classification;
    forest.classes = size("classes", for_classes ? 1 : 0);
    if (!for_classes && forest.classes != 0) fail("a regression forest has no classes");
    forest.feature_names = names("feature_names", forest.features);
    forest.class_names = names("class_names", forest.classes);
    const Json& score = member("oob_score");
    if (score.is_number() && std::isfinite(score.get<double>())) {
      forest.oob_score = score.get<double>();
    } else if (!score.is_null()) {
      fail("oob_score is no number");
    }
    if (const auto found = json_.find("data_fingerprint"); found != json_.end()) {  // files saved earlier have none
      if (!found->is_string()) fail("data_fingerprint should be a text");
      forest.data_fingerprint = found->get<std::string>();
    }
    return forest;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(
        fmt::format("{}: its description of the forest is damaged or of another version: {}", context_, what),
        "Train and save the forest again.");
  }

  [[nodiscard]] const Json& member(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) fail(fmt::format("{} is missing", key));
    return *found;
  }

  [[nodiscard]] std::int32_t size(const char* key, std::int64_t least) const {
    const Json& value = member(key);
    const std::optional<std::int64_t> number = whole_number(value, least, std::numeric_limits<std::int32_t>::max());
    if (!number) fail(fmt::format("{} should be a whole number of at least {}", key, least));
    return static_cast<std::int32_t>(*number);
  }

  [[nodiscard]] std::vector<std::string> names(const char* key, std::int32_t expected) const {
    const Json& list = member(key);
    if (!list.is_array() || (!list.empty() && list.size() != static_cast<std::size_t>(expected))) {
      fail(fmt::format("{} should be a list of {} names", key, expected));
    }
    std::vector<std::string> result;
    for (const Json& name : list) {
      if (!name.is_string()) fail(fmt::format("{} should be texts", key));
      result.push_back(name.get<std::string>());
    }
    return result;
  }

  [[nodiscard]] ParameterValue value_of(const Json& json) const {
    if (json.is_null()) return std::monostate{};
    if (json.is_boolean()) return json.get<bool>();
    if (json.is_number_integer()) {
      constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
      const std::optional<std::int64_t> number = whole_number(json, -most - 1, most);
      if (!number) fail("a parameter is too large");
      return *number;
    }
    if (json.is_number_float()) return json.get<double>();
    if (json.is_string()) return json.get<std::string>();
    fail("a parameter is no plain value");
  }

  [[nodiscard]] ForestParameters parameters() const {
    const Json& kind = member("kind");
    const Json& task = member("task");
    const bool extra = kind == name_of(ForestKind::extra_trees);
    const bool numbers = task == "regression";
    if (!extra && kind != name_of(ForestKind::random_forest)) fail("kind should be random-forest or extra-trees");
    if (!numbers && task != "classification") fail("task should be classification or regression");
    // A parameter that the file lacks is newer than the file, which was made as its default says.
    ForestParameters result = ForestParameters::defaults(extra ? ForestKind::extra_trees : ForestKind::random_forest,
                                                         numbers ? Task::regression : Task::classification);
    const Json& values = member("parameters");
    if (!values.is_object()) fail("parameters should be an object");
    const auto known = ForestParameters::names();
    for (const auto& [name, value] : values.items()) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        fail(fmt::format("the parameter {} is not known", data::quote(name)));
      }
    }
    try {
      for (const auto& [name, value] : values.items()) result.set(name, value_of(value));
      result.check();
    } catch (const UsageError& error) {
      fail(error.what());
    }
    return result;
  }

  std::string context_;
  Json json_;
};

}  // namespace

std::string metadata_of(const Forest& forest) {
  Json parameters = Json::object();
  for (const auto& [name, value] : forest.parameters.all()) parameters[name] = to_json(value);
  Json json = {
      {"format", format_name},
      {"kind", name_of(forest.parameters.kind)},
      {"task", name_of(forest.parameters.task)},
      {"parameters", std::move(parameters)},
      {"features", forest.features},
      {"classes", forest.classes},
      {"feature_names", forest.feature_names},
      {"class_names", forest.class_names},
      {"oob_score", forest.oob_score ? Json(*forest.oob_score) : Json()},
  };
  if (!forest.data_fingerprint.empty()) json["data_fingerprint"] = forest.data_fingerprint;
  try {
    return json.dump();
  } catch (const Json::type_error&) {
    throw UsageError("a feature or class name is not UTF-8 text", "Rename it before saving the forest.");
  }
}

Forest forest_from_metadata(std::string_view text, const std::string& context) { return Reader(text, context).read(); }

}  // namespace overtake::forest
