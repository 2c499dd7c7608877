// SPDX-License-Identifier: MIT
// What a trained model says of rows, whatever kind of model it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flags/reading_options.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/device.hpp"

namespace cli {

struct PredictFlags : ReadingFlags {
  std::string model;
  std::string out = "-";
  std::string device = "cpu";
  std::string unseen = "auto";  ///< auto, error, missing
  int threads = 0;              ///< of the CPU; 0: all
  bool probabilities = false, leaves = false;
};

struct Answers {
  std::int64_t rows = 0;
  std::vector<std::int32_t> labels;   ///< classification: one a row
  std::vector<double> probabilities;  ///< rows x classes, when asked for
  std::vector<double> numbers;        ///< regression: one a row, in the target's unit
  std::vector<std::int32_t> leaves;   ///< rows x trees, when asked for
};

/// A model file with its data: how it was read, and the answers.
struct Prediction {
  overtake::Preprocessing preprocessing;
  overtake::Table data;
  Answers answers;
  std::string notes;  ///< what the user should know of the rows, a line each
};

/// Reads model and data and predicts. Throws overtake::UsageError for flags that the model has no answer to, DataError
/// for files that cannot be used, DeviceError.
[[nodiscard]] Prediction predict_file(const PredictFlags& flags);

/// One column for the target, then each class's probability, then each tree's leaf.
[[nodiscard]] overtake::Table answer_table(const Prediction& prediction);

/// The true targets, where the file has them in every row. Throws DataError for a class that training did not see.
[[nodiscard]] std::optional<overtake::Dataset> truth_of(const Prediction& prediction);
/// How many of them the answers meet, for people.
[[nodiscard]] std::string score_text(const Prediction& prediction, const overtake::Dataset& truth);

}  // namespace cli
