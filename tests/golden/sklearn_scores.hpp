// SPDX-License-Identifier: MIT
// sklearn_scores.json and the sets it speaks of, written by make_sklearn_scores.py.
#pragma once

#include <gtest/gtest.h>

#include <charconv>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "overtake/forest.hpp"

namespace overtake::test {

using Json = nlohmann::json;

[[nodiscard]] inline const Json& sklearn_scores() {
  static const Json content = [] {
    std::ifstream file(OVERTAKE_TEST_DATA "/golden/sklearn_scores.json");
    return Json::parse(file);
  }();
  return content;
}

/// The set of that name.
[[nodiscard]] inline Dataset sklearn_set(const std::string& name) {
  const bool bundled = name == "digits";
  std::ifstream file(bundled ? OVERTAKE_TEST_DATA "/../datasets/digits.csv"
                             : OVERTAKE_TEST_DATA "/golden/sets/" + name + ".csv");
  std::string line;
  if (bundled) std::getline(file, line);  // the names
  Dataset data;
  data.classes = sklearn_scores()["classes"][name];
  data.task = data.classes > 0 ? Task::classification : Task::regression;
  while (std::getline(file, line)) {
    const char* at = line.data();
    const char* end = line.data() + line.size();
    ++data.rows;
    data.features = 0;
    for (;;) {
      float cell = std::numeric_limits<float>::quiet_NaN();
      at = std::from_chars(at, end, cell).ptr;
      if (at == end) {  // the answer
        if (data.classes > 0) data.labels.push_back(static_cast<std::int32_t>(cell));
        if (data.classes == 0) data.targets.push_back(cell);
        break;
      }
      data.inputs.push_back(cell);
      ++data.features;
      ++at;  // the comma
    }
  }
  EXPECT_GT(data.rows, 0) << name;
  return data;
}

/// scikit-learn's parameters as Overtake takes them.
[[nodiscard]] inline Parameters parameters_of(const Json& json) {
  Parameters parameters;
  for (const auto& [name, value] : json.items()) {
    if (value.is_boolean()) parameters.emplace_back(name, value.get<bool>());
    if (value.is_string()) parameters.emplace_back(name, value.get<std::string>());
    if (value.is_number_float()) parameters.emplace_back(name, value.get<double>());
    if (value.is_number_integer()) parameters.emplace_back(name, value.get<std::int64_t>());
  }
  return parameters;
}

}  // namespace overtake::test
