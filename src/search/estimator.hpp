// SPDX-License-Identifier: MIT
// What the search knows of an estimator: how to check candidates, plan jobs, run a batch of them, refit the winner.
// An estimator is a folder of its own that includes this header and registers itself (docs/adding-an-estimator.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/memory.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "overtake/search.hpp"

namespace overtake::search_detail {

/// What is searched; all of it outlives the search.
struct SearchInput {
  const Dataset& data;
  const std::vector<Parameters>& candidates;
  const std::vector<Fold>& folds;
  const SearchOptions& options;
};

/// The unit of a search.
struct Job {
  std::int32_t candidate = 0;
  std::int32_t fold = 0;
  friend bool operator==(const Job&, const Job&) = default;
};

/// Jobs that run together on the device.
struct Batch {
  std::vector<Job> jobs;
  std::int64_t models = 0;  ///< really trained: jobs that share work count once
  std::uint64_t bytes = 0;  ///< planned device memory
  double work = 0;          ///< what it takes, in units of the estimator's own
  std::size_t kind = 0;     ///< batches of one kind may be joined
};

/// The devices of a search: SearchOptions::device is number 0, its helper number 1.
inline constexpr std::size_t main_device = 0, helper_device = 1;

/// What running cost so far.
struct EstimatorStats {
  std::int64_t launches = 0;
  std::uint64_t peak_bytes = 0;
  SearchTiming timing;  ///< refit and wall are the search's own
};

class Estimator {
 public:
  virtual ~Estimator() = default;
  /// One text a candidate: empty, or why it cannot be trained (a value that does not fit the data).
  [[nodiscard]] virtual std::vector<std::string> check() = 0;
  /// Groups `jobs` into batches that fit in memory; jobs that share work are in one batch. Every job appears once. With
  /// a helper batches are as small as can be: devices join those that they take.
  [[nodiscard]] virtual std::vector<Batch> plan(std::span<const Job> jobs) = 0;
  /// Units of Batch::work a second, roughly; asked for where there is a helper.
  [[nodiscard]] virtual double pace(std::size_t /*device*/) const { return 1; }
  /// What running `batches`, one after the other, and the refit take of the computer's memory, beside what is held
  /// already: where they take most.
  [[nodiscard]] virtual MemoryPlan host_memory(std::span<const Batch> /*batches*/) { return {}; }
  /// Trains and scores; one outcome a job, in order. Nothing when `stop` (may be null) said so before all were scored:
  /// what is half done is no outcome. Two threads may call it at once, for two devices.
  [[nodiscard]] virtual std::optional<std::vector<FoldOutcome>> run(const Batch& batch, bool probabilities,
                                                                    const StopToken* stop, std::size_t device) = 0;
  /// Trains a candidate on all rows. Null when `stop` (may be null) said so before it was whole.
  [[nodiscard]] virtual std::shared_ptr<const Model> refit(std::int32_t candidate, const StopToken* stop,
                                                           std::size_t device) = 0;
  /// What the reader should know of how the data were taken, one sentence each.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
  /// Of one device.
  [[nodiscard]] virtual EstimatorStats stats(std::size_t device) const = 0;
};

/// The folds of a search: those given, else by SearchOptions::folds. Throws what sorted_folds() and make_folds() do.
[[nodiscard]] std::vector<Fold> folds_of(const Dataset& data, const SearchOptions& options,
                                         std::string* warning = nullptr);

/// The folds of a search, as far as its work depends on them.
struct SearchSize {
  std::int64_t folds = 0;
  std::int64_t test_rows = 0;  ///< of each, the mean
  bool refit = true;
  bool invalid_candidates_fail = false;  ///< SearchOptions::invalid_candidates_fail: they are no work
  std::span<const std::string> class_names{};
};

/// The work of a search, told in seconds and bytes of any device.
class Forecast {
 public:
  virtual ~Forecast() = default;
  [[nodiscard]] virtual Prediction on(const DeviceInfo& device, const MemoryLimits& limits = {}) const = 0;
  /// Models that are trained for all candidates and folds.
  [[nodiscard]] virtual std::int64_t models() const = 0;
  /// Why a candidate will fail, as far as its values and the classes tell: "" for one that will not. Empty: none does.
  [[nodiscard]] virtual std::vector<std::string> problems() const { return {}; }
  /// The counts behind it.
  [[nodiscard]] virtual report::Json counts() const = 0;
};

/// A kind of estimator, by the name that users give it. Each object registers itself for find_estimator() when it is
/// made: one static object for each, which lives as long as the process.
class EstimatorType {
 public:
  EstimatorType();
  virtual ~EstimatorType() = default;
  EstimatorType(const EstimatorType&) = delete;
  EstimatorType& operator=(const EstimatorType&) = delete;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;  ///< "random-forest"
  /// What candidates may set.
  [[nodiscard]] virtual std::span<const std::string> parameter_names() const = 0;
  /// Names and values, before there are data. Throws UsageError for those that are never valid.
  virtual void check(const Parameters& parameters) const = 0;
  /// Counts what a search takes, before anything is prepared; work that candidates share counts once.
  [[nodiscard]] virtual std::unique_ptr<Forecast> forecast(const Dataset& data,
                                                           const std::vector<Parameters>& candidates,
                                                           const SearchSize& size) const = 0;
  /// Prepares the data of every fold. Throws UsageError as check() does, DataError, DeviceError.
  [[nodiscard]] virtual std::unique_ptr<Estimator> make(const SearchInput& input) const = 0;
};

/// Null for a name that nobody registered.
[[nodiscard]] const EstimatorType* find_estimator(std::string_view name);
/// Throws UsageError naming the nearest name.
[[nodiscard]] const EstimatorType& estimator_named(std::string_view name);
/// A name that comes twice; null: none does.
[[nodiscard]] const std::string* repeated_name(const Parameters& parameters);
/// Throws UsageError for such a name: what both the table and the model say must be one value.
void check_given_once(const Parameters& parameters);
/// A candidate with what all candidates share; its own values win.
[[nodiscard]] Parameters with_fixed(const Parameters& fixed, const Parameters& candidate);

}  // namespace overtake::search_detail
