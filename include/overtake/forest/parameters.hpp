// SPDX-License-Identifier: MIT
// The parameters of random forests and extra trees.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "overtake/data/dataset.hpp"
#include "overtake/parameters.hpp"

namespace overtake {

/// How the quality of a split is measured. The first two are for classes, the others for numbers.
enum class Criterion : std::uint8_t { gini, entropy, squared_error, friedman_mse, poisson };

/// "gini", "entropy", ...
[[nodiscard]] std::string_view name_of(Criterion criterion) noexcept;

/// A number of things, or a share of all there are.
struct CountOrFraction {
  bool is_fraction = false;
  double value = 0;

  friend bool operator==(const CountOrFraction&, const CountOrFraction&) = default;
};

/// How many features a node looks at.
struct MaxFeatures {
  enum class Kind : std::uint8_t { sqrt, log2, all, count, fraction } kind = Kind::sqrt;
  double value = 0;  ///< of count and fraction

  friend bool operator==(const MaxFeatures&, const MaxFeatures&) = default;
};

/// How classes are weighed.
struct ClassWeight {
  enum class Kind : std::uint8_t { equal, balanced, balanced_subsample, given } kind = Kind::equal;
  std::map<std::string, double> given;  ///< class name -> weight; classes not named weigh 1

  friend bool operator==(const ClassWeight&, const ClassWeight&) = default;
};

/// Which rule draws rows and thresholds.
enum class ForestKind : std::uint8_t { random_forest, extra_trees };

/// "random-forest", "extra-trees".
[[nodiscard]] std::string_view name_of(ForestKind kind) noexcept;

/// scikit-learn's names, meanings and defaults (RandomForestClassifier, RandomForestRegressor, ExtraTrees...).
struct ForestParameters {
  ForestKind kind = ForestKind::random_forest;
  Task task = Task::classification;

  int n_estimators = 100;
  Criterion criterion = Criterion::gini;
  std::optional<int> max_depth;
  CountOrFraction min_samples_split{false, 2};
  CountOrFraction min_samples_leaf{false, 1};
  double min_weight_fraction_leaf = 0;
  MaxFeatures max_features;
  std::optional<int> max_leaf_nodes;
  double min_impurity_decrease = 0;
  bool bootstrap = true;
  bool oob_score = false;
  std::uint64_t random_state = 0;
  bool warm_start = false;
  ClassWeight class_weight;
  double ccp_alpha = 0;
  std::optional<CountOrFraction> max_samples;

  /// Ours: most bins of a feature. A feature with at most this many distinct values is split exactly as scikit-learn
  /// would; one with more is cut into quantile bins. 2 to 65,535.
  int max_bins = 256;

  /// The defaults of a kind and task: max_features sqrt for classes, all (1.0) for numbers; criterion gini or
  /// squared_error; extra trees draw no bootstrap samples.
  [[nodiscard]] static ForestParameters defaults(ForestKind kind, Task task);

  /// Sets one parameter by name. Throws UsageError for an unknown name (naming the nearest), a value of the wrong kind
  /// or out of range (naming the accepted ones), and what Overtake has not ("absolute_error").
  void set(std::string_view name, const ParameterValue& value);
  void set(const Parameters& parameters);

  /// Every parameter with its value, in the order above, for tables, JSON and model files.
  [[nodiscard]] Parameters all() const;
  /// The names set() accepts.
  [[nodiscard]] static std::span<const std::string> names();

  /// Throws UsageError for values that do not go together: oob_score or max_samples without bootstrap, a criterion of
  /// the other task, class_weight in regression.
  void check() const;

  friend bool operator==(const ForestParameters&, const ForestParameters&) = default;
};

}  // namespace overtake
