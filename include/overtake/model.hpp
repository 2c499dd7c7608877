// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace overtake {

/// What training gave, whichever estimator was trained: what a search hands out.
class Model {
 public:
  virtual ~Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  /// In one phrase: "random-forest of 100 trees for 4 features and 3 classes".
  [[nodiscard]] virtual std::string describe() const = 0;
  /// Rows x classes: the share of each class; of a regression rows x 1: the numbers. `inputs` is rows x features,
  /// row-major. Throws UsageError for a size that is no multiple of the features.
  [[nodiscard]] virtual std::vector<double> predict(std::span<const float> inputs) const = 0;
  /// Writes it as one file, which appears complete or not at all. Throws as save_forest() and its like do.
  virtual void save(const std::filesystem::path& path,
                    const std::map<std::string, std::string>& metadata = {}) const = 0;

 protected:
  Model() = default;
};

}  // namespace overtake
