// SPDX-License-Identifier: MIT
// Training forests.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "overtake/data/dataset.hpp"
#include "overtake/device.hpp"
#include "overtake/forest/forest.hpp"
#include "overtake/progress.hpp"
#include "overtake/report.hpp"
#include "overtake/stop.hpp"

namespace overtake {

/// What a fit did.
struct ForestReport {
  std::string device;
  std::int64_t trees = 0;
  std::int64_t nodes = 0;
  std::int64_t batches = 0;
  std::int64_t launches = 0;
  std::uint64_t peak_bytes = 0;    ///< device memory planned
  std::uint64_t binned_bytes = 0;  ///< the data set on the device
  /// Of the computer's memory, the most that the whole process holds, predictions of the training rows included: as it
  /// was planned once the first trees told how large trees are, and as it was when training ended.
  std::uint64_t planned_host_bytes = 0, host_peak_bytes = 0;
  struct {
    double prepare = 0;  ///< binning
    double upload = 0, compute = 0, finish = 0, wall = 0;
  } seconds;
  std::vector<std::string> notes;  ///< what the reader should know of the data and the fit, one sentence each
};

/// What a fit may use.
struct ForestOptions {
  Device device;
  std::uint64_t memory_limit = 0;          ///< bytes on the device; 0: most of what is free
  std::uint64_t host_memory_limit = 0;     ///< bytes of the computer's memory for the whole process; 0: what there is
  const StopToken* stop = nullptr;         ///< asks to stop, within a tree too; the trees grown so far are the result
  ProgressObserver* observer = nullptr;    ///< told of trees
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

/// For plans: throws what train_forest() throws before it grows more than the first trees, which are grown where the
/// memory that there is may not hold the forest.
void check_training(const ForestParameters& parameters, const Dataset& data, const ForestOptions& options = {},
                    std::span<const float> sample_weight = {}, const Forest* earlier = nullptr);

/// Accuracy, or r2 (NaN for fewer than two rows). Throws DataError for rows without answers or of other features.
[[nodiscard]] double score_of(const Forest& forest, const Dataset& data);

/// The figures of the schema "overtake.train-forest/1" (docs/cli.md), without what only the caller knows: data, target,
/// rows, table, reason of the device, file of the model.
[[nodiscard]] report::Json to_json(const Forest& forest, const ForestReport& fit, double training_score);

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

}  // namespace overtake
