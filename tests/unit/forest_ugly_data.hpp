// SPDX-License-Identifier: MIT
// Data that breaks things.
#pragma once

#include "unit/forest_data.hpp"

namespace overtake::test {

inline constexpr float hole = std::numeric_limits<float>::quiet_NaN();

/// Rows by columns and their classes.
[[nodiscard]] inline Dataset table(std::int64_t features, std::vector<float> inputs, std::vector<std::int32_t> labels,
                                   std::int32_t classes) {
  Dataset data;
  data.rows = static_cast<std::int64_t>(labels.size());
  data.features = features;
  data.classes = classes;
  data.inputs = std::move(inputs);
  data.labels = std::move(labels);
  return data;
}

/// The same with numbers for classes.
[[nodiscard]] inline Dataset numbers(std::int64_t features, std::vector<float> inputs, std::vector<double> targets) {
  Dataset data;
  data.task = Task::regression;
  data.rows = static_cast<std::int64_t>(targets.size());
  data.features = features;
  data.inputs = std::move(inputs);
  data.targets = std::move(targets);
  return data;
}

/// `rows` rows of one column, by the row's number.
template <typename Cell>
[[nodiscard]] std::vector<float> column(std::int64_t rows, const Cell& cell) {
  std::vector<float> cells;
  for (std::int64_t row = 0; row < rows; ++row) cells.push_back(static_cast<float>(cell(row)));
  return cells;
}

/// Targets likewise.
template <typename Cell>
[[nodiscard]] std::vector<double> answers(std::int64_t rows, const Cell& cell) {
  std::vector<double> cells;
  for (std::int64_t row = 0; row < rows; ++row) cells.push_back(cell(row));
  return cells;
}

/// A hundred times the same three rows, which do not agree on their classes.
[[nodiscard]] inline Dataset duplicates() {
  std::vector<float> inputs;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 300; ++i) {
    for (const int cell : {i % 3, 7, (i + 1) % 3}) inputs.push_back(static_cast<float>(cell));
    labels.push_back(i % 3 == 0 ? (i / 3) % 2 : i % 3);
  }
  return table(3, std::move(inputs), std::move(labels), 3);
}

[[nodiscard]] inline Dataset thousand_classes() {
  Dataset data = table(2, {}, {}, 1000);
  for (std::int32_t row = 0; row < 2000; ++row) {
    const std::int32_t label = row * 7 % 1000;
    data.inputs.push_back(static_cast<float>(label % 40));
    data.inputs.push_back(static_cast<float>(label / 40));
    data.labels.push_back(label);
  }
  data.rows = 2000;
  return data;
}

/// Ten thousand columns of which number 6,789 tells the class.
[[nodiscard]] inline Dataset ten_thousand_columns() {
  Dataset data = table(10000, {}, {}, 2);
  std::mt19937 random(9);
  for (std::int32_t row = 0; row < 60; ++row) {
    for (std::int32_t f = 0; f < 10000; ++f) {
      data.inputs.push_back(f == 6789 ? static_cast<float>(row % 2 * 10) : static_cast<float>(random() % 4));
    }
    data.labels.push_back(row % 2);
  }
  data.rows = 60;
  return data;
}

/// One column of `rows` distinct values and a wave over them.
[[nodiscard]] inline Dataset wave(std::int64_t rows) {
  const auto angle = [&](std::int64_t row) { return static_cast<double>(row) * 12 / static_cast<double>(rows); };
  return numbers(1, column(rows, [](std::int64_t row) { return row * 3 - 5; }),
                 answers(rows, [&](std::int64_t row) { return std::sin(angle(row)); }));
}

/// Columns at both ends of float32's range: subnormal, largest, both signs, zeros of both signs.
[[nodiscard]] inline Dataset extremes() {
  const float most = std::numeric_limits<float>::max();
  const float least = std::numeric_limits<float>::denorm_min();
  const std::vector<float> cells = {-most, -1e30F, -1, -least, -0.0F, 0.0F, least, 2 * least, 1e-30F, 1, 1e38F, most};
  Dataset data = table(2, {}, {}, 2);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    data.inputs.push_back(cells[i]);
    data.inputs.push_back(i % 2 == 0 ? most : -most);
    data.labels.push_back(cells[i] > 0 ? 1 : 0);
  }
  data.rows = static_cast<std::int64_t>(cells.size());
  return data;
}

struct UglySet {
  std::string name;
  Dataset data;
};
/// Every kind that can be trained on.
[[nodiscard]] inline std::vector<UglySet> ugly_sets() {
  std::vector<UglySet> sets;
  sets.push_back({"one row", table(2, {1, 2}, {1}, 3)});
  sets.push_back({"one row, all missing", table(2, {hole, hole}, {0}, 2)});
  sets.push_back({"one number", numbers(1, {1}, {-3.5F})});
  sets.push_back(
      {"one class", table(1, column(50, [](auto row) { return row; }), std::vector<std::int32_t>(50, 0), 1)});
  sets.push_back(
      {"one class of three", table(1, column(50, [](auto row) { return row; }), std::vector<std::int32_t>(50, 2), 3)});
  sets.push_back({"constant columns", table(2, std::vector<float>(40, 5),
                                            {0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1}, 2)});
  sets.push_back(
      {"constant numbers", numbers(1, column(30, [](auto row) { return row; }), std::vector<double>(30, 0.1))});
  sets.push_back({"all missing", table(2, std::vector<float>(20, hole), {0, 1, 1, 0, 1, 1, 1, 0, 1, 1}, 2)});
  sets.push_back({"a column all missing", table(2, {hole, 1, hole, 2, hole, 3, hole, 4}, {0, 0, 1, 1}, 2)});
  sets.push_back({"duplicates", duplicates()});
  sets.push_back({"a thousand classes", thousand_classes()});
  sets.push_back({"ten thousand columns", ten_thousand_columns()});
  sets.push_back({"700 distinct values", wave(700)});
  sets.push_back({"extremes", extremes()});
  sets.push_back({"huge numbers", numbers(1, column(30, [](auto row) { return row; }),
                                          answers(30, [](auto row) { return row % 2 == 0 ? 3e38 : -3e38; }))});
  sets.push_back({"tiny numbers", numbers(1, column(30, [](auto row) { return row; }),
                                          answers(30, [](auto row) { return row % 2 == 0 ? 1e-38 : 3e-45; }))});
  return sets;
}

}  // namespace overtake::test
