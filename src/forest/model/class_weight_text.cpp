// SPDX-License-Identifier: MIT
#include "forest/model/class_weight_text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "core/shallow_json.hpp"
#include "overtake/text.hpp"

namespace overtake::forest {
namespace {

/// A character and whether it was written after a backslash.
struct Mark {
  char character = 0;
  bool plain = false;
};

std::optional<std::vector<Mark>> marks_of(std::string_view text) {
  std::vector<Mark> marks;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      marks.push_back({text[i], false});
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    marks.push_back({text[i], true});
  }
  return marks;
}

std::optional<std::pair<std::string, double>> parse_part(const std::vector<Mark>& marks, std::size_t begin,
                                                         std::size_t end) {
  std::size_t separator = end;
  for (std::size_t i = begin; i < end; ++i) {
    if (!marks[i].plain && (marks[i].character == ':' || marks[i].character == '=')) separator = i;
  }
  if (separator == end || separator == begin) return std::nullopt;
  std::string name;
  std::string number;
  for (std::size_t i = begin; i < separator; ++i) name += marks[i].character;
  for (std::size_t i = separator + 1; i < end; ++i) number += marks[i].character;
  const std::optional<double> weight = text::number(number);
  if (!weight || !std::isfinite(*weight) || *weight < 0) return std::nullopt;
  return std::pair(name, *weight);
}

/// {"a": 1, "b": 2}; none for anything else.
std::optional<std::map<std::string, double>> parse_object(std::string_view text) {
  std::set<std::string> names;
  bool twice = false;
  const auto note = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    // A name that comes twice would silently keep its last weight.
    if (event == nlohmann::json::parse_event_t::key && depth == 1) {
      twice = twice || !names.insert(parsed.get<std::string>()).second;
    }
    return true;
  };
  const nlohmann::json json = nlohmann::json::parse(shallow_json(text), note, false);
  if (!json.is_object() || json.empty() || twice) return std::nullopt;
  std::map<std::string, double> weights;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_number()) return std::nullopt;
    const auto weight = value.get<double>();
    if (!std::isfinite(weight) || weight < 0) return std::nullopt;
    weights.emplace(name, weight);
  }
  return weights;
}

}  // namespace

std::optional<std::map<std::string, double>> parse_class_weights(std::string_view text) {
  if (text.starts_with('{') && text.ends_with('}')) return parse_object(text);
  const auto marks = marks_of(text);
  if (!marks) return std::nullopt;
  std::map<std::string, double> weights;
  std::size_t begin = 0;
  while (begin <= marks->size()) {
    std::size_t end = begin;
    while (end < marks->size() && ((*marks)[end].plain || (*marks)[end].character != ',')) ++end;
    const auto part = parse_part(*marks, begin, end);
    if (!part || !weights.insert(*part).second) return std::nullopt;
    begin = end + 1;
  }
  return weights;
}

std::string class_weights_text(const std::map<std::string, double>& weights) {
  std::string text;
  for (const auto& [name, weight] : weights) {
    if (!text.empty()) text += ',';
    for (const char c : name) {
      if (c == ',' || c == ':' || c == '=' || c == '\\') text += '\\';
      text += c;
    }
    text += fmt::format(":{}", weight);
  }
  return text;
}

}  // namespace overtake::forest
