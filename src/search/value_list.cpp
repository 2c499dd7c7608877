// SPDX-License-Identifier: MIT
#include "search/value_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/shallow_json.hpp"
#include "overtake/error.hpp"

namespace overtake::search_detail {

namespace {

using Json = nlohmann::ordered_json;

ParameterValue value_of(const std::string& name, const Json& json) {
  const auto refusal = [&](const char* what) {
    return UsageError(
        fmt::format("{}: {} is {}", name, json.dump(), what),
        "A value is null, true, false, a number, a word in double quotes, or an object of class weights.");
  };
  if (json.is_null()) return std::monostate();
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    throw refusal("larger than the largest whole number, 9223372036854775807");
  }
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  throw refusal("a list, not one value");
}

std::vector<ParameterValue> parse_json(const std::string& name, std::string_view text, const char* form) {
  const Json json = Json::parse(shallow_json(text), nullptr, false);
  if (!json.is_array()) {
    throw UsageError(fmt::format("the values of {}, {}, are no JSON list", name, text),
                     fmt::format("Expected [value, value, ...] with words in double quotes, or the form {}.", form));
  }
  std::vector<ParameterValue> values;
  if (!json.empty()) {
    // Objects stay the text they are: of a name that comes twice the parser would keep the last.
    for (const std::string_view part : split(text.substr(1, text.size() - 2))) {
      values.push_back(parse_json_value(name, part));
    }
  }
  if (values.empty()) throw UsageError(fmt::format("{} has no values, expected the form {}", name, form));
  return values;
}

std::vector<ParameterValue> parse_words(const std::string& name, std::string_view text, const char* form) {
  std::vector<ParameterValue> values;
  for (const std::string_view part : split(text)) {
    if (part.empty()) {
      throw UsageError(fmt::format("an empty value for {} in \"{}\", expected the form {}", name, text, form));
    }
    values.push_back(parse_parameter_value(part));
  }
  return values;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

ParameterValue parse_json_value(const std::string& name, std::string_view text) {
  if (text.starts_with('{')) return std::string(text);
  return value_of(name, Json::parse(shallow_json(text)));
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  char quote = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(' || c == '{' || c == '[') {
      ++depth;
    } else if (c == ')' || c == '}' || c == ']') {
      --depth;
    } else if (c == ',' && depth <= 0) {
      parts.push_back(trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  parts.push_back(trimmed(text.substr(begin)));
  return parts;
}

std::vector<ParameterValue> parse_value_list(const std::string& name, std::string_view text, const char* form) {
  const std::string_view list = trimmed(text);
  std::vector<ParameterValue> values =
      list.starts_with('[') ? parse_json(name, list, form) : parse_words(name, list, form);
  for (auto value = values.begin(); value != values.end(); ++value) {
    if (std::find(values.begin(), value, *value) == value) continue;
    throw UsageError(fmt::format("{} lists the value {} twice", name, to_text(*value)), "Name each value once.");
  }
  return values;
}

}  // namespace overtake::search_detail
