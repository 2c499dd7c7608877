// SPDX-License-Identifier: MIT
// What the handles of the C interface hold.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "overtake/c_api.h"
#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"
#include "overtake/model.hpp"
#include "overtake/stop.hpp"

struct overtake_text {
  std::string text;
};

struct overtake_stop {
  overtake::StopToken token;
};

struct overtake_data {
  overtake::Dataset rows;
  bool has_answers = false;  ///< labels or targets
  std::vector<float> weights;
  std::vector<std::string> feature_names, class_names;
  std::map<std::int64_t, std::vector<std::string>> categories;  ///< by feature: what the codes in the inputs stand for
};

struct overtake_model {
  std::shared_ptr<const overtake::Model> model;
  /// Of a file, or of data with categories; null: plain columns of numbers.
  std::shared_ptr<const overtake::Preprocessing> preprocessing;
  mutable std::mutex networks_answer_one_at_a_time;
};

namespace overtake::c_api {

/// A text for the caller.
inline void hand_out(std::string text, overtake_text** result) {
  auto handle = std::make_unique<overtake_text>();
  handle->text = std::move(text);
  *result = handle.release();
}

/// How a table becomes the inputs of a forest whose features with `categories` are texts; null where there are none.
[[nodiscard]] std::shared_ptr<const overtake::Preprocessing> columns_of(
    const overtake::Model& model, const std::map<std::int64_t, std::vector<std::string>>& categories);

/// Throws UsageError for data without labels and targets.
inline void require_answers(const overtake_data& data) {
  if (data.has_answers) return;
  throw UsageError("the data have neither labels nor targets",
                   "Call overtake_data_set_labels() for classes or overtake_data_set_targets() for numbers.");
}

/// Two of them, both or none; the caller need not want either.
inline void hand_out_both(std::string first, overtake_text** first_result, std::string second,
                          overtake_text** second_result) {
  overtake_text* handle = nullptr;
  if (first_result != nullptr) hand_out(std::move(first), &handle);
  std::unique_ptr<overtake_text> kept(handle);
  if (second_result != nullptr) hand_out(std::move(second), second_result);
  if (first_result != nullptr) *first_result = kept.release();
}

}  // namespace overtake::c_api
