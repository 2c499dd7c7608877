// SPDX-License-Identifier: MIT
// The parameters of random forests and extra trees.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "overtake/data/dataset.hpp"
#include "overtake/parameters.hpp"

namespace overtake {

/// How the quality of a split is measured. The first two are for classes, the others for numbers.
enum class Criterion : std::uint8_t { gini, entropy, squared_error, friedman_mse, poisson };

/// "gini", "entropy", ...
[[nodiscard]] std::string_view name_of(Criterion criterion) noexcept;

/// A number of things, or a share of all there are: 2 or 0.1. A double is a share, as in scikit-learn, 1.0 too.
struct CountOrFraction {
  bool is_fraction = false;
  double value = 0;

  template <std::integral T>
  constexpr CountOrFraction(T count) noexcept : value(static_cast<double>(count)) {}     // NOLINT: plain values
  constexpr CountOrFraction(double share) noexcept : is_fraction(true), value(share) {}  // NOLINT: plain values

  friend bool operator==(const CountOrFraction&, const CountOrFraction&) = default;
};

/// How many features a node looks at: "sqrt", "log2", a count, a share (1.0: all), parameter::none (all).
struct MaxFeatures {
  enum class Kind : std::uint8_t { sqrt, log2, all, count, fraction } kind = Kind::sqrt;
  double value = 0;  ///< of count and fraction

  constexpr MaxFeatures() noexcept = default;
  constexpr MaxFeatures(std::monostate) noexcept : kind(Kind::all) {}  // NOLINT: plain values
  constexpr MaxFeatures(CountOrFraction wanted) noexcept               // NOLINT: plain values
      : kind(!wanted.is_fraction ? Kind::count : (wanted.value == 1 ? Kind::all : Kind::fraction)),
        value(kind == Kind::all ? 0 : wanted.value) {}
  template <typename T>
  requires std::is_arithmetic_v<T>
  constexpr MaxFeatures(T wanted) noexcept : MaxFeatures(CountOrFraction(wanted)) {}  // NOLINT: plain values
  /// Throws UsageError for another word.
  MaxFeatures(const char* word);  // NOLINT: plain values

  friend bool operator==(const MaxFeatures&, const MaxFeatures&) = default;
};

/// How classes are weighed: "balanced", "balanced_subsample", or weights by name, {{"rare", 10}}.
struct ClassWeight {
  enum class Kind : std::uint8_t { equal, balanced, balanced_subsample, given } kind = Kind::equal;
  std::map<std::string, double> given;  ///< class name -> weight; classes not named weigh 1

  ClassWeight() = default;
  ClassWeight(std::map<std::string, double> weights) : kind(Kind::given), given(std::move(weights)) {}  // NOLINT: plain
  ClassWeight(std::initializer_list<std::pair<const std::string, double>> weights)
      : ClassWeight(std::map<std::string, double>(weights)) {}
  /// Throws UsageError for another word.
  ClassWeight(const char* word);  // NOLINT: plain values

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
  CountOrFraction min_samples_split = 2;
  CountOrFraction min_samples_leaf = 1;
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
