// SPDX-License-Identifier: MIT
// The search itself.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/dataset.hpp"
#include "overtake/data/folds.hpp"
#include "overtake/device.hpp"
#include "overtake/metrics.hpp"
#include "overtake/model.hpp"
#include "overtake/parameters.hpp"
#include "overtake/placement.hpp"
#include "overtake/progress.hpp"
#include "overtake/report.hpp"
#include "overtake/stop.hpp"
#include "overtake/transfer.hpp"

namespace overtake {

/// The score; NaN where it is not defined (roc_auc with one class, r2 of fewer than two rows). `data` and `test` give
/// the true classes or numbers, `positive` the class that a metric of one class is about. Formulas:
/// overtake/metrics.hpp.
[[nodiscard]] double score_of(Metric metric, const FoldOutcome& outcome, const Dataset& data,
                              std::span<const std::int32_t> test, std::int32_t positive = 1);

/// What a device would have measured of these predictions for rows of `data`: rows x classes (shares; the class is the
/// first of the largest), or x 1. Throws UsageError for numbers of another count.
[[nodiscard]] FoldOutcome outcome_of(std::vector<double> predictions, const Dataset& data,
                                     std::span<const std::int32_t> rows);

/// What the plan of a search says before and after it ran.
struct SearchPlan {
  std::int64_t candidates = 0;
  std::int64_t folds = 0;
  std::int64_t jobs = 0;    ///< candidates x folds
  std::int64_t models = 0;  ///< really trained: candidates that share work count once (per fold)
  std::int64_t batches = 0;
  std::int64_t launches = 0;  ///< on the device, known after the run
  std::uint64_t peak_bytes = 0;
  /// Of the computer's memory, the most that the whole process holds: as planned before the run, and as it was at its
  /// end; 0: not known.
  std::uint64_t planned_host_bytes = 0, host_peak_bytes = 0;
};

struct SearchTiming {
  double startup = 0;  ///< opening the device, compiling kernels
  double upload = 0, compute = 0, scoring = 0, refit = 0, wall = 0;
};

/// One row of the table.
struct SearchRow {
  Parameters parameters;
  double mean_fit_seconds = 0;  ///< share of the batch's time
  double mean_score_seconds = 0;
  /// [metric][fold]; NaN where not run or failed.
  std::vector<std::vector<double>> scores;
  std::vector<double> mean, std;  ///< [metric], over folds, ddof 0
  /// With SearchOptions::train_scores: the same of the rows that were trained on; else empty.
  std::vector<std::vector<double>> train_scores;
  std::vector<double> train_mean, train_std;
  /// With SearchOptions::keep_predictions: [fold], of its test rows, rows x classes (shares) or x 1; empty where not
  /// run or failed. `train_predictions`: with train_scores, too, of the rows that were trained on.
  std::vector<std::vector<double>> predictions, train_predictions;
  /// [metric], 1 is best. Means within 1e-12 of each other, relative, tie and share the smallest rank; undefined ones
  /// and those that failed rank last.
  std::vector<int> rank;
  std::string failure;  ///< why it failed
  bool done = false;    ///< every fold has a score or a failure
};

/// What a device did of a search.
struct DeviceShare {
  std::string device{};
  std::int64_t jobs = 0;
  double seconds = 0;  ///< that it ran them
};

struct SearchResult {
  Task task = Task::classification;
  std::string estimator;
  std::vector<std::string> parameter_names;  ///< that vary or were given, sorted
  std::vector<Metric> metrics;
  std::vector<std::string> positive_classes;  ///< [metric]: the class that it is about; "" where it is about all
  std::size_t refit_metric = 0;
  std::vector<SearchRow> rows;  ///< in candidate order
  int best_index = -1;          ///< -1: no candidate has a score; of several that tie for the best the first
  int best_ties = 0;            ///< candidates that share the best rank, the best itself included
  SearchPlan plan;
  SearchTiming timing;
  std::string device;  ///< "cpu + cuda:0" of two
  std::string device_reason;
  Prediction prediction;              ///< SearchOptions::prediction
  bool interrupted = false;           ///< stopped before every candidate was done, or while the best was refitted
  std::int64_t resumed_jobs = 0;      ///< taken from the journal
  std::shared_ptr<const Model> best;  ///< refitted on all rows; null: not asked for, or `warnings` say why
  std::vector<std::string> warnings;
  TransferStats transfers;           ///< of the search
  std::vector<DeviceShare> devices;  ///< of this run; of a journal that was read: empty
};

/// Progress of a search, after each batch.
struct SearchProgress : Progress {
  double fits_per_second = 0;
  double best_score = 0;  ///< NaN: none yet
  Parameters best;
  std::string device;
};

class SearchObserver {
 public:
  virtual ~SearchObserver() = default;
  virtual void on_plan(const SearchPlan&) {}
  virtual void on_progress(const SearchProgress&) {}
};

inline constexpr const char* default_estimator = "random-forest";

struct SearchOptions {
  std::string estimator = default_estimator;  ///< one of estimator_names()
  Parameters fixed;                           ///< parameters that every candidate shares
  FoldOptions folds;
  std::vector<std::int32_t> groups;  ///< for FoldKind::group and predefined
  /// Instead of `folds`, where not empty. Rows may be in any order and are taken in ascending one; see sorted_folds().
  std::vector<Fold> given_folds;
  std::vector<Metric> metrics;   ///< empty: accuracy or r2
  std::string positive_class;    ///< by its name in class_names; empty: see positive_class()
  std::size_t refit_metric = 0;  ///< index into metrics
  bool refit = true;
  bool train_scores = false;      ///< score the training rows of every fold, too; takes no journal
  bool keep_predictions = false;  ///< of every candidate and fold; takes no journal
  /// What is never valid in a candidate's parameters is its failure, not the search's error.
  bool invalid_candidates_fail = false;
  bool refit_stopped = true;  ///< refit the best so far, too, where `stop` ended the search early
  std::uint64_t seed = 0;     ///< random_state of every candidate
  Device device;
  /// Takes a part of the candidates, beside `device`, which refits the best. One of the two is the CPU.
  std::optional<Device> helper;
  /// Seconds that `device` and `helper` are expected to take each for all candidates alone; 0: not known.
  std::array<double, 2> alone_seconds{};
  /// Of them, what each batch takes anew however small it is; 0: not known.
  std::array<double, 2> batch_seconds{};
  std::string device_reason;
  Prediction prediction;           ///< what the search is expected to take, for the result; no device: nobody asked
  std::uint64_t memory_limit = 0;  ///< bytes on the device; 0: most of what is free
  std::uint64_t host_memory_limit = 0;  ///< bytes of the computer's memory for the whole process; 0: what there is
  std::filesystem::path journal;        ///< empty: none
  std::string data_name;                ///< for the journal and messages: the file's name
  const StopToken* stop = nullptr;  ///< asks to stop, while a batch runs too: its unfinished jobs are as if never begun
  SearchObserver* observer = nullptr;
  std::vector<float> sample_weight;
  std::vector<std::string> feature_names;  ///< kept in the refitted model; empty, or one a feature
  std::vector<std::string> class_names;    ///< likewise
};

/// What SearchOptions::estimator may say, sorted.
[[nodiscard]] std::vector<std::string> estimator_names();

/// Names and values of candidates, for checks before large data are read; what depends on the data the search itself
/// checks. Throws UsageError for an unknown estimator or parameter (naming the nearest) and for values that are never
/// valid.
void check_candidates(const std::vector<Parameters>& candidates, const SearchOptions& options);

/// What a search is going to be, before anything of it runs.
struct SearchForecast {
  SearchPlan plan;  ///< candidates, folds, jobs and models
  Placement placement;
  std::vector<Prediction> elsewhere;  ///< of the devices asked for
  report::Json counts;                ///< of the work, that the predictions come from
  /// Why a candidate will fail, as far as its values and the classes tell: one a candidate, "" for those that will not.
  /// Empty: none does.
  std::vector<std::string> problems{};
};

/// Counts the work of the search on a few pilot trees, predicts it for devices and chooses. `options.device` has no
/// say; of all devices it and its helper are predicted together, too. Throws what search() throws before it begins.
[[nodiscard]] SearchForecast forecast_search(const Dataset& data, const std::vector<Parameters>& candidates,
                                             const SearchOptions& options, Candidates devices = Candidates::likely,
                                             const std::vector<DeviceInfo>& elsewhere = {});

/// predict_asked() for a search on devices that were asked for. Throws what forecast_search() does.
void predict_asked(Placement& asked, const Dataset& data, const std::vector<Parameters>& candidates,
                   const SearchOptions& options);

/// Has the search run where the placement says: sets device, helper, their seconds, the reason and the prediction.
/// Throws DeviceError as Device does.
void run_on(const Placement& placement, SearchOptions& options);

/// Runs every candidate on every fold as one batch of work (or as few as memory allows), ranks them and refits the best
/// on all rows. Two devices take them from one list. Determinism: exact; scores do not depend on the devices, batches,
/// the journal or interruption.
/// With a journal, jobs already recorded for the same data, candidates, folds and seed are not run again; one
/// of another search is refused with DataError naming the difference. A candidate that fails (a value that does not fit
/// the data) becomes a row that says why. Throws UsageError, DataError, DeviceError as documented there.
[[nodiscard]] SearchResult search(const Dataset& data, const std::vector<Parameters>& candidates,
                                  const SearchOptions& options = {});

/// For plans: throws what search() throws before it trains a candidate, by the same steps; a journal has no say. Gives
/// what it would take.
SearchPlan check_search(const Dataset& data, const std::vector<Parameters>& candidates, SearchOptions options);

/// The winner by result.refit_metric. Both throw UsageError where no candidate has a score.
[[nodiscard]] const Parameters& best_parameters(const SearchResult& result);
[[nodiscard]] double best_score(const SearchResult& result);

/// Chooses the best by another of the metrics that were scored: sets refit_metric, best_index and best_ties. Throws
/// UsageError for a number outside of result.metrics.
void rank_by(SearchResult& result, std::size_t metric);

}  // namespace overtake
