// SPDX-License-Identifier: MIT
#include "data/table/reading_json.hpp"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/shallow_json.hpp"
#include "data/source/decoded_source.hpp"
#include "data/table/message.hpp"
#include "data/text/cell.hpp"
#include "overtake/error.hpp"

namespace overtake::data {

namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<DateOrder, const char*>, 4> orders = {{{DateOrder::iso, "iso"},
                                                                      {DateOrder::year_month_day, "ymd"},
                                                                      {DateOrder::day_month_year, "dmy"},
                                                                      {DateOrder::month_day_year, "mdy"}}};

const char* name_of(DateOrder wanted) {
  for (const auto& [order, name] : orders) {
    if (order == wanted) return name;
  }
  return "iso";
}

DateOrder order_of(const std::string& wanted) {
  for (const auto& [order, name] : orders) {
    if (wanted == name) return order;
  }
  throw UsageError("an unknown order of dates: " + quote(wanted));
}

char only_character(const Json& value) {
  const auto text = value.get<std::string>();
  if (text.size() != 1) throw UsageError("expected one character, found " + quote(text));
  return text[0];
}

}  // namespace

std::string reading_to_json(const Reading& reading) {
  const Notation& notation = reading.notation;
  Json json = {{"has_header", reading.has_header}, {"delimiter", std::string(1, reading.delimiter)},
               {"encoding", reading.encoding},     {"decimal", std::string(1, notation.decimal)},
               {"thousands", notation.thousands},  {"units", notation.units},
               {"dates", name_of(notation.dates)}, {"date_format", notation.date_format}};
  json["missing"] = notation.missing ? Json(*notation.missing) : Json();
  return json.dump();
}

Reading reading_from_json(std::string_view text, std::string_view source) {
  try {
    const Json json = Json::parse(shallow_json(text));
    Reading reading;
    Notation& notation = reading.notation;
    const std::map<std::string, std::function<void(const Json&)>> takers = {
        {"has_header", [&](const Json& value) { value.get_to(reading.has_header); }},
        {"delimiter", [&](const Json& value) { reading.delimiter = only_character(value); }},
        {"encoding", [&](const Json& value) { value.get_to(reading.encoding); }},
        {"decimal", [&](const Json& value) { notation.decimal = only_character(value); }},
        {"thousands", [&](const Json& value) { value.get_to(notation.thousands); }},
        {"units", [&](const Json& value) { value.get_to(notation.units); }},
        {"dates", [&](const Json& value) { notation.dates = order_of(value.get<std::string>()); }},
        {"date_format", [&](const Json& value) { value.get_to(notation.date_format); }},
        {"missing", [&](const Json& value) {
           if (!value.is_null()) notation.missing = value.get<std::vector<std::string>>();
         }}};
    if (!json.is_object()) throw UsageError("expected an object");
    for (const auto& [key, value] : json.items()) {  // what is missing keeps its default
      const auto taker = takers.find(key);
      if (taker == takers.end()) throw UsageError("an unknown key: " + quote(key));
      taker->second(value);
    }
    static_cast<void>(parse_encoding(reading.encoding));
    static_cast<void>(CellRules(reading.notation));  // refuses a notation that contradicts itself
    return reading;
  } catch (const Json::exception& error) {
    throw DataError(fmt::format("{}: the stored way of reading is not valid: {}", source, error.what()),
                    "Save the model again with the program that trained it.");
  } catch (const UsageError& error) {
    throw DataError(fmt::format("{}: the stored way of reading is not valid: {}", source, error.what()),
                    "Save the model again with the program that trained it.");
  }
}

}  // namespace overtake::data
