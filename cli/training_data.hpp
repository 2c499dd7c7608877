// SPDX-License-Identifier: MIT
// A CSV file as training takes it, for train and search, and what is said of it.
#pragma once

#include <string>

#include "flags/common_options.hpp"
#include "flags/reading_options.hpp"
#include "overtake/data/description.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/placement.hpp"

namespace cli {

/// The rows, and what reading them decided.
struct TrainingData : overtake::PreparedData {
  overtake::TableDescription description;
  std::string decisions, notes;  ///< for people, a line each
};

/// For networks: standardised, text one-hot, with a share of the rows set aside. Throws overtake::UsageError for
/// unknown columns, DataError with the place for cells that cannot be used.
[[nodiscard]] TrainingData read_network_data(const DataFlags& flags, const ComputeFlags& compute, double validation);
/// For forests: numbers as they are, missing cells marked, text as codes. With `known`, read and encoded as that
/// model's data was, not anew.
[[nodiscard]] TrainingData read_forest_data(const DataFlags& flags, const ComputeFlags& compute,
                                            const overtake::Preprocessing* known = nullptr);

/// Prints what will be trained on, as far as standard output is for people: the data, what reading decided, `more`
/// lines and the device, with --describe the columns; and notes on standard error.
void print_head(const DataFlags& flags, const TrainingData& data, const overtake::Placement& device, bool describe,
                bool quiet, const std::string& more = {});

/// A table of the columns, with the notes below it.
[[nodiscard]] std::string description_text(const overtake::TableDescription& description);
/// What transforming a table met, a line each.
[[nodiscard]] std::string notes_text(const overtake::TransformReport& report);

}  // namespace cli
