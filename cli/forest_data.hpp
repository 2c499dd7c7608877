// SPDX-License-Identifier: MIT
// A CSV file as forests take it: numbers as they are, missing cells marked, text columns as codes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flags/reading_options.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/data/table.hpp"

namespace cli {

/// How the file is read, and which columns have a meaning of their own; those are no features. "" is none.
struct ForestDataFlags : ReadingFlags {
  std::string target;
  std::string sample_weight;       ///< column of numbers of at least 0
  std::string group;               ///< column whose equal cells stay in one fold
  std::string fold;                ///< column of each row's fold, -1: always training
  std::uint64_t memory_limit = 0;  ///< bytes; 0: what there is
};

/// A data set with everything that training and search want to know of it.
struct ForestData {
  overtake::Preprocessing preprocessing;
  overtake::Dataset rows;
  std::vector<float> weights;        ///< empty, or one a row
  std::vector<std::int32_t> groups;  ///< of `group` or `fold`: empty, or one a row
  std::vector<std::string> feature_names, class_names;
  overtake::TableDescription description;  ///< of the file
  std::string decisions;                   ///< what reading decided, a line each
  std::string notes;                       ///< what the user should know of the columns, a line each
};

/// Throws overtake::UsageError for unknown columns, DataError with the place for cells that cannot be used. With
/// `known`, the file is read and encoded as that model's data was, not anew.
[[nodiscard]] ForestData read_forest_data(const ForestDataFlags& flags, const overtake::Preprocessing* known = nullptr);

/// "150 rows, 4 features, 3 classes of species"
[[nodiscard]] std::string data_text(const ForestData& data);

}  // namespace cli
