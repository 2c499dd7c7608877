// SPDX-License-Identifier: MIT
// What the tests of the C interface share: handles that free themselves, small data, errors.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "overtake/c_api.h"

namespace overtake::test {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* handle) const noexcept {
    Free(handle);
  }
};
using DataHandle = std::unique_ptr<overtake_data, Freed<overtake_data_free>>;
using ModelHandle = std::unique_ptr<overtake_model, Freed<overtake_model_free>>;
using TextHandle = std::unique_ptr<overtake_text, Freed<overtake_text_free>>;
using StopHandle = std::unique_ptr<overtake_stop, Freed<overtake_stop_free>>;
using ResultHandle = std::unique_ptr<overtake_search_result, Freed<overtake_search_result_free>>;

/// What a call gives into its last argument, and that it succeeds.
template <typename Handle, typename Call>
[[nodiscard]] Handle made(const Call& call) {
  typename Handle::pointer handle = nullptr;
  EXPECT_EQ(call(&handle), OVERTAKE_OK) << overtake_error_message();
  EXPECT_NE(handle, nullptr);
  return Handle(handle);
}

template <typename Call>
[[nodiscard]] std::string text_made(const Call& call) {
  const auto text = made<TextHandle>(call);
  return {overtake_text_data(text.get()), overtake_text_size(text.get())};
}

/// That a call fails with a code, and what it says.
inline void expect_status(overtake_status expected, overtake_status got, const std::string& fragment) {
  EXPECT_EQ(got, expected);
  EXPECT_NE(std::string(overtake_error_message()).find(fragment), std::string::npos) << overtake_error_message();
}

/// 60 points of two features, with a class and a number each.
struct Points {
  std::vector<double> inputs;
  std::vector<std::int32_t> labels;
  std::vector<double> targets;
  static constexpr std::int64_t rows = 60, features = 2;

  Points() {
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto x = static_cast<double>(row * 7 % rows), y = static_cast<double>(row * 23 % rows);
      inputs.insert(inputs.end(), {x, y});
      labels.push_back(x + y < rows ? 0 : (x < y ? 1 : 2));
      targets.push_back(x - 0.5 * y);
    }
  }
  [[nodiscard]] overtake_matrix matrix() const {
    return {inputs.data(), OVERTAKE_FLOAT64, rows, features, features * 8, 8};
  }
  [[nodiscard]] DataHandle data() const {
    const overtake_matrix all = matrix();
    return made<DataHandle>([&](auto** handle) { return overtake_data_new(&all, handle); });
  }
  [[nodiscard]] DataHandle classes() const {
    DataHandle handle = data();
    EXPECT_EQ(overtake_data_set_labels(handle.get(), labels.data(), rows, 3), OVERTAKE_OK);
    return handle;
  }
  [[nodiscard]] DataHandle numbers() const {
    DataHandle handle = data();
    EXPECT_EQ(overtake_data_set_targets(handle.get(), targets.data(), rows), OVERTAKE_OK);
    return handle;
  }
};

[[nodiscard]] inline ModelHandle trained(const overtake_data* data, const char* parameters = R"({"n_estimators": 7})",
                                         const char* kind = "random-forest",
                                         const char* settings = R"({"device": "cpu"})") {
  return made<ModelHandle>([&](auto** model) {
    return overtake_forest_train(kind, parameters, data, settings, nullptr, nullptr, model, nullptr);
  });
}

[[nodiscard]] inline std::vector<double> predicted(const overtake_model* model, const overtake_matrix& inputs,
                                                   std::int64_t outputs) {
  std::vector<double> answers(static_cast<std::size_t>(inputs.rows * outputs));
  EXPECT_EQ(overtake_model_predict(model, &inputs, answers.data(), inputs.rows * outputs), OVERTAKE_OK)
      << overtake_error_message();
  return answers;
}

}  // namespace overtake::test
