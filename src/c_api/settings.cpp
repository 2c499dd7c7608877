// SPDX-License-Identifier: MIT
#include "c_api/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "c_api/call.hpp"
#include "core/nearest.hpp"
#include "core/shallow_json.hpp"
#include "core/whole_number.hpp"
#include "overtake/error.hpp"
#include "search/value_list.hpp"

namespace overtake::c_api {
namespace {

using Json = nlohmann::ordered_json;

/// Of a name that comes twice the parser would silently keep the last value.
class RepeatedNames {
 public:
  bool note(Json::parse_event_t event, const Json& parsed) {
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second && repeated.empty())
      repeated = parsed.get<std::string>();
    return true;
  }
  std::string repeated;

 private:
  std::vector<std::set<std::string>> open_;
};

/// What a call was given, as far as a message has room for it.
std::string excerpt(std::string_view text) {
  constexpr std::size_t most = 80;
  return text.size() <= most ? std::string(text) : std::string(text.substr(0, most)) + "...";
}

Json parse(std::string_view text, const std::string& argument, const char* expected, Json::value_t type) {
  RepeatedNames names;
  const auto note = [&](int, Json::parse_event_t event, Json& parsed) { return names.note(event, parsed); };
  Json json = Json::parse(shallow_json(text), note, false);
  if (json.type() != type) {
    throw UsageError(fmt::format("{} is no {}: {}", argument, expected, excerpt(text)),
                     "Numbers that are not finite (NaN, Infinity) and single quotes are no JSON.");
  }
  if (!names.repeated.empty()) {
    throw UsageError(fmt::format("{}: \"{}\" comes twice", argument, names.repeated), "Name each member once.");
  }
  return json;
}

Json parse_object(std::string_view text, const std::string& argument) {
  return parse(text.empty() ? "{}" : text, argument, "JSON object", Json::value_t::object);
}

std::string_view or_empty(const char* text) { return text != nullptr ? std::string_view(text) : std::string_view(); }

Parameters parameters_of(const Json& object) {
  Parameters parameters;
  for (const auto& [name, value] : object.items()) {
    parameters.emplace_back(name, search_detail::parse_json_value(name, value.dump()));
  }
  return parameters;
}

UsageError refusal(const std::string& name, const std::string& value, const std::string& expected) {
  return UsageError(fmt::format("{}: {} is not accepted; expected {}", name, excerpt(value), expected));
}

std::vector<std::string> texts_of(const Json& list, const std::string& name) {
  std::vector<std::string> texts;
  for (const Json& value : list) {
    if (!value.is_string()) throw refusal(name, value.dump(), "a text in a list of texts");
    texts.push_back(value.get<std::string>());
  }
  return texts;
}

}  // namespace

Parameters parse_parameters(const char* json, const char* argument) {
  return parameters_of(parse_object(or_empty(json), argument));
}

std::vector<Parameters> parse_candidates(const char* json, const char* argument) {
  std::vector<Parameters> candidates;
  for (const Json& one : parse(or_empty(json), argument, "JSON list of objects", Json::value_t::array)) {
    if (!one.is_object()) throw refusal(argument, one.dump(), "an object of parameters");
    candidates.push_back(parameters_of(one));
  }
  return candidates;
}

std::vector<std::string> parse_names(const char* json, const char* argument) {
  return texts_of(parse(or_empty(json), argument, "JSON list of names", Json::value_t::array), argument);
}

Settings::Settings(const char* json, std::initializer_list<const char*> known) {
  const std::vector<std::string> names(known.begin(), known.end());
  const Json object = parse_object(or_empty(json), "settings");
  for (const auto& [name, value] : object.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string near = nearest(name, names);
      throw UsageError(fmt::format("unknown setting '{}'", name),
                       fmt::format("{}The settings are: {}.",
                                   near.empty() ? "" : fmt::format("Did you mean {}? ", near), fmt::join(names, ", ")));
    }
    if (!value.is_null()) values_.emplace(name, value.dump());
  }
}

const std::string* Settings::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found != values_.end() ? &found->second : nullptr;
}

std::optional<std::string> Settings::text(const std::string& name) const {
  const std::string* value = find(name);
  if (value == nullptr) return std::nullopt;
  const Json json = Json::parse(shallow_json(*value));
  if (!json.is_string()) throw refusal(name, *value, "a text");
  return json.get<std::string>();
}

std::optional<bool> Settings::flag(const std::string& name) const {
  const std::string* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (*value != "true" && *value != "false") throw refusal(name, *value, "true or false");
  return *value == "true";
}

std::optional<double> Settings::number(const std::string& name) const {
  const std::string* value = find(name);
  if (value == nullptr) return std::nullopt;
  const Json json = Json::parse(shallow_json(*value));
  if (!json.is_number()) throw refusal(name, *value, "a number");
  return json.get<double>();
}

std::optional<std::int64_t> Settings::whole(const std::string& name, std::int64_t least, std::int64_t most) const {
  const std::string* value = find(name);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::int64_t> number = whole_number(Json::parse(shallow_json(*value)), least, most);
  if (!number) throw refusal(name, *value, fmt::format("a whole number from {} to {}", least, most));
  return number;
}

std::optional<std::vector<std::string>> Settings::texts(const std::string& name) const {
  const std::string* value = find(name);
  if (value == nullptr) return std::nullopt;
  const Json json = Json::parse(shallow_json(*value));
  if (!json.is_array()) throw refusal(name, *value, "a list of texts");
  return texts_of(json, name);
}

std::optional<std::vector<int>> Settings::wholes(const std::string& name) const {
  const std::string* value = find(name);
  if (value == nullptr) return std::nullopt;
  std::vector<int> numbers;
  const Json json = Json::parse(shallow_json(*value));
  if (!json.is_array()) throw refusal(name, *value, "a list of whole numbers");
  for (const Json& element : json) {
    const auto number = whole_number(element, 0, std::numeric_limits<int>::max());
    if (!number) throw refusal(name, element.dump(), "a whole number in a list of whole numbers");
    numbers.push_back(static_cast<int>(*number));
  }
  return numbers;
}

Parameters Settings::parameters(const std::string& name) const {
  const std::string* value = find(name);
  return value == nullptr ? Parameters() : parameters_of(parse_object(*value, name));
}

std::uint64_t Settings::bytes(const std::string& name) const {
  return static_cast<std::uint64_t>(whole(name, 0, std::numeric_limits<std::int64_t>::max()).value_or(0));
}

}  // namespace overtake::c_api
