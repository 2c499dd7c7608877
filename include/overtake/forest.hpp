// SPDX-License-Identifier: MIT
// Random forests and extra trees: parameters, trained model, training.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data_set.hpp"
#include "overtake/device.hpp"
#include "overtake/model.hpp"
#include "overtake/parameters.hpp"
#include "overtake/trainer.hpp"

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

/// One tree: node 0 is the root, nodes are in depth-first order with the left child first, as in scikit-learn.
struct Tree {
  std::vector<std::int32_t> feature;   ///< -1: a leaf
  std::vector<double> threshold;       ///< left if value <= threshold (NaN for leaves)
  std::vector<std::uint8_t> nan_left;  ///< where a missing value goes
  std::vector<std::int32_t> left;      ///< child, -1 for leaves
  std::vector<std::int32_t> right;
  std::vector<double> impurity;
  std::vector<std::int32_t> samples;     ///< distinct training rows
  std::vector<double> weighted_samples;  ///< with bootstrap counts and weights
  std::vector<double> value;             ///< node x outputs: share of each class, or the mean

  [[nodiscard]] std::int32_t nodes() const noexcept { return static_cast<std::int32_t>(feature.size()); }
  /// Bit for bit: the NaN of two leaves are equal.
  friend bool operator==(const Tree& a, const Tree& b);
};

/// A trained forest: plain data. Predictions are means over the trees in their order, in double: the same bits
/// everywhere.
struct Forest {
  ForestParameters parameters;
  std::int32_t features = 0;
  std::int32_t classes = 0;                ///< 0: regression
  std::vector<std::string> feature_names;  ///< empty, or one a feature
  std::vector<std::string> class_names;    ///< empty, or one a class
  std::vector<Tree> trees;
  std::vector<double> feature_importances;  ///< mean decrease in impurity, sums to 1 (or all 0)
  std::optional<double> oob_score;     ///< accuracy or r2 on the `oob_rows` rows that some tree did not see; empty: not
                                       ///< asked for, or not defined (no such row; r2 of a single one)
  std::int64_t oob_rows = 0;           ///< rows that oob_score judges: with few trees not all of the training rows
  std::vector<double> oob_prediction;  ///< rows x outputs, with parameters.oob_score: class shares or numbers; NaN:
                                       ///< the row was in the bag of every tree
  /// Names the data that the forest was grown from: sizes and hashes of inputs, targets and sample weights. What a warm
  /// start compares. Empty: not known (read from a file of an earlier version).
  std::string data_fingerprint;

  [[nodiscard]] std::int32_t outputs() const noexcept { return classes > 0 ? classes : 1; }

  /// Class shares, rows x classes. `inputs` is rows x features, row-major, NaN: missing. Throws UsageError for
  /// regression forests or a size that is no multiple of `features`.
  [[nodiscard]] std::vector<double> predict_proba(std::span<const float> inputs) const;
  /// The class with the largest share (the first of equals).
  [[nodiscard]] std::vector<std::int32_t> predict(std::span<const float> inputs) const;
  /// Regression.
  [[nodiscard]] std::vector<double> predict_values(std::span<const float> inputs) const;
  /// The leaf each row reaches in each tree: rows x trees.
  [[nodiscard]] std::vector<std::int32_t> apply(std::span<const float> inputs) const;
  /// The nodes that a row passes in tree `tree`, root first.
  [[nodiscard]] std::vector<std::int32_t> decision_path(std::span<const float> row, std::size_t tree) const;

  /// Bit for bit.
  friend bool operator==(const Forest& a, const Forest& b);
};

/// A tree as indented text (scikit-learn's export_text), "|--- petal_length <= 2.45". Numbers have as many digits as
/// reading the same double back takes, or `digits` after the decimal point. Throws UsageError for a tree that does not
/// exist and for `digits` beyond 0 to 17.
[[nodiscard]] std::string export_text(const Forest& forest, std::size_t tree, int max_depth = 10,
                                      std::optional<int> digits = {});
/// A tree in Graphviz' DOT language. `digits` and errors as in export_text.
[[nodiscard]] std::string export_dot(const Forest& forest, std::size_t tree, std::optional<int> digits = {});

/// What a fit did.
struct ForestReport {
  std::string device;
  std::int64_t trees = 0;
  std::int64_t nodes = 0;
  std::int64_t batches = 0;
  std::int64_t launches = 0;
  std::uint64_t peak_bytes = 0;    ///< device memory planned
  std::uint64_t binned_bytes = 0;  ///< the data set on the device
  struct {
    double prepare = 0;  ///< binning
    double upload = 0, compute = 0, finish = 0, wall = 0;
  } seconds;
  std::vector<std::string> notes;  ///< what the reader should know of the data and the fit, one sentence each
};

/// Told of the progress of a fit or a search's growth.
class ForestObserver {
 public:
  virtual ~ForestObserver() = default;
  virtual void on_trees(std::int64_t /*done*/, std::int64_t /*of*/) {}
};

/// What a fit may use.
struct ForestOptions {
  Device device;
  std::uint64_t memory_limit = 0;   ///< bytes on the device; 0: most of what is free
  const StopToken* stop = nullptr;  ///< asks to stop, within a tree too; the trees grown so far are the result
  ForestObserver* observer = nullptr;
  std::vector<std::string> feature_names;  ///< kept in the forest; empty, or one a feature
  std::vector<std::string> class_names;    ///< likewise; class_weight names classes by them ("0", "1", ... if empty)
};

/// Trains a forest. `data.inputs` may hold NaN (missing). `sample_weight`: empty, or one finite number >= 0 a row.
/// `earlier`: with parameters.warm_start, a forest of the same parameters and data that is to get more trees. Data are
/// the same when inputs, targets and sample weights are, row by row; whether they are is known by
/// Forest::data_fingerprint, and a note says so where the earlier forest has none.
/// Determinism: exact. The same data, parameters and seed give the same forest, bit for bit, on every device, with any
/// number of threads and any memory limit. Throws UsageError for parameters (check()) and for work without end (more
/// than 1e18 row visits), DataError for data that cannot be trained on (no rows, infinite values, negative targets for
/// poisson) and for a warm start with other data (naming what differs), DeviceError for memory: of the device, or of
/// the computer where the trees would not fit, naming need and limit, before trees are grown or as soon as the first
/// ones show it.
[[nodiscard]] Forest train_forest(const ForestParameters& parameters, const Dataset& data,
                                  const ForestOptions& options = {}, std::span<const float> sample_weight = {},
                                  const Forest* earlier = nullptr, ForestReport* report = nullptr);

/// How much work training these forests on `data` is, in row visits: trees x rows x features a node x levels, forests
/// that share their growth counted once, times `fits` (folds, say). Parameters that the data refuses count nothing.
[[nodiscard]] double forest_work(const Dataset& data, const std::vector<ForestParameters>& forests, std::int64_t fits);

/// scikit-learn's RandomForestClassifier in C++: parameters, fit, predict.
class ForestClassifier {
 public:
  explicit ForestClassifier(ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest,
                                                                                     Task::classification),
                            Device device = {});
  /// Throws what train_forest throws. Returns *this.
  ForestClassifier& fit(const Dataset& data, std::span<const float> sample_weight = {});
  /// Throw UsageError before fit().
  [[nodiscard]] std::vector<std::int32_t> predict(std::span<const float> inputs) const;
  [[nodiscard]] std::vector<double> predict_proba(std::span<const float> inputs) const;
  /// Accuracy.
  [[nodiscard]] double score(const Dataset& data) const;
  [[nodiscard]] const Forest& forest() const;
  ForestParameters parameters;

 private:
  Device device_;
  std::optional<Forest> forest_;
};

/// scikit-learn's RandomForestRegressor in C++.
class ForestRegressor {
 public:
  explicit ForestRegressor(ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest,
                                                                                    Task::regression),
                           Device device = {});
  ForestRegressor& fit(const Dataset& data, std::span<const float> sample_weight = {});
  [[nodiscard]] std::vector<double> predict(std::span<const float> inputs) const;
  /// r2.
  [[nodiscard]] double score(const Dataset& data) const;
  [[nodiscard]] const Forest& forest() const;
  ForestParameters parameters;

 private:
  Device device_;
  std::optional<Forest> forest_;
};

/// A forest as the model of a search.
class ForestModel final : public Model {
 public:
  explicit ForestModel(Forest forest);
  [[nodiscard]] const Forest& forest() const noexcept { return forest_; }
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] std::vector<double> predict(std::span<const float> inputs) const override;
  void save(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata = {}) const override;

 private:
  Forest forest_;
};

/// The forest of a search's model. Throws UsageError for null and for a model that is none.
[[nodiscard]] const Forest& forest_of(const Model* model);

/// A forest read from a file.
struct LoadedForest {
  Forest forest;
  std::map<std::string, std::string> metadata;  ///< what save_forest was given
};

/// Writes a forest as one file (safetensors with a checksum; parameters and names in its metadata). The file appears
/// complete or not at all. Throws UsageError for a forest without trees, a metadata key that begins with "overtake." or
/// names that are not UTF-8, DataError when the file cannot be written.
void save_forest(const std::filesystem::path& path, const Forest& forest,
                 const std::map<std::string, std::string>& metadata = {});
/// Throws DataError naming the file and what is wrong: missing, truncated, altered, no forest, inconsistent nodes.
[[nodiscard]] LoadedForest load_forest(const std::filesystem::path& path);

}  // namespace overtake
