// SPDX-License-Identifier: MIT
#include "data/reading_json.hpp"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "data/cell.hpp"
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
  throw UsageError("an unknown order of dates: " + wanted);
}

char only_character(const Json& value) {
  const auto text = value.get<std::string>();
  if (text.size() != 1) throw UsageError("expected one character, found " + text);
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
    const Json json = Json::parse(text);
    Reading reading;
    reading.has_header = json.at("has_header").get<bool>();
    reading.delimiter = only_character(json.at("delimiter"));
    reading.encoding = json.at("encoding").get<std::string>();
    reading.notation.decimal = only_character(json.at("decimal"));
    reading.notation.thousands = json.at("thousands").get<std::string>();
    reading.notation.units = json.at("units").get<std::vector<std::string>>();
    reading.notation.dates = order_of(json.at("dates").get<std::string>());
    reading.notation.date_format = json.at("date_format").get<std::string>();
    if (!json.at("missing").is_null()) reading.notation.missing = json.at("missing").get<std::vector<std::string>>();
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
