// SPDX-License-Identifier: MIT
// What `overtake train` says of a trained network: figures of the weights it saves, as text and as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flags/train_options.hpp"
#include "overtake/data/description.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/trainer.hpp"

namespace cli {

/// The rows to train on, and what reading them decided.
struct NetworkData : overtake::PreparedData {
  overtake::TableDescription description;
  std::string decisions, notes;  ///< for people, a line each
};

/// What the network is worth on some rows.
struct Figures {
  std::int64_t rows = 0;
  double loss = 0;      ///< cross entropy in nats a row; for numbers the mean square of the standardised error
  double accuracy = 0;  ///< classification: share of right rows
  double r2 = 0;        ///< regression; NaN for fewer than two rows
  double root_mean_square_error = 0;  ///< regression, in the target's unit
};

struct TrainResult {
  const NetworkData& data;
  const overtake::FitReport& fit;
  std::optional<Figures> training, validation;
  std::string device_reason;
};

/// Figures of what the network predicts for these rows, as `overtake predict` would write it; `evaluation` has the
/// loss. Empty without rows.
[[nodiscard]] std::optional<Figures> figures_of(overtake::nn::Module& model, const overtake::Array& inputs,
                                                const overtake::Dataset& rows, const overtake::Preprocessing& how,
                                                const overtake::Evaluation& evaluation);

/// What a reader should know of the data before training: nothing to learn, hardly a row to validate on.
[[nodiscard]] std::vector<std::string> notes_of(const overtake::PreparedData& data);

/// The schema "overtake.train/1".
[[nodiscard]] std::string result_json(const TrainFlags& flags, const TrainResult& result);
[[nodiscard]] std::string result_text(const TrainFlags& flags, const TrainResult& result);

}  // namespace cli
