// SPDX-License-Identifier: MIT
#include "search/journal/parameters_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/shallow_json.hpp"
#include "overtake/error.hpp"

namespace overtake::search_detail {

namespace {

using Json = nlohmann::ordered_json;

ParameterValue value_of(const Json& json) {
  if (json.is_null()) return std::monostate();
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  throw DataError("a parameter is neither a number nor a word");
}

}  // namespace

std::string parameters_json(const Parameters& parameters) {
  Json json = Json::object();
  for (const auto& [name, value] : parameters) json[name] = json_of<Json>(value);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Parameters parse_parameters_json(std::string_view text) {
  const Json json = Json::parse(shallow_json(text), nullptr, false);
  if (!json.is_object()) throw DataError(fmt::format("no parameters: {}", text));
  Parameters parameters;
  for (const auto& [name, value] : json.items()) parameters.emplace_back(name, value_of(value));
  return parameters;
}

}  // namespace overtake::search_detail
