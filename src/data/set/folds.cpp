// SPDX-License-Identifier: MIT
// How rows are split. The unshuffled splits are scikit-learn's (sklearn.model_selection): the same rows in each fold.
#include "data/set/folds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "core/philox.hpp"
#include "overtake/error.hpp"
#include "platform/host_limits.hpp"

namespace overtake {

namespace {

using Rows = std::vector<std::int32_t>;

/// Random streams of this file; the values are part of what a seed means.
constexpr std::uint32_t shuffle_stream = 0x464F'4C44;  // "FOLD"
constexpr std::uint32_t repeat_stream = 0x464F'5245;   // "FORE"

/// Folds from the number of the fold that scores each row; -1: always training.
std::vector<Fold> folds_of(const Rows& fold_of_row, int count) {
  std::vector<Fold> folds(static_cast<std::size_t>(count));
  for (std::size_t row = 0; row < fold_of_row.size(); ++row) {
    for (int f = 0; f < count; ++f) {
      Fold& fold = folds[static_cast<std::size_t>(f)];
      (fold_of_row[row] == f ? fold.test : fold.train).push_back(static_cast<std::int32_t>(row));
    }
  }
  return folds;
}

/// The first rows % splits folds hold one row more than the others.
std::vector<Fold> k_fold(std::int32_t rows, int splits, const Rows& order) {
  Rows fold_of_row(static_cast<std::size_t>(rows));
  std::size_t next = 0;
  for (int f = 0; f < splits; ++f) {
    const int size = rows / splits + (f < rows % splits ? 1 : 0);
    for (int i = 0; i < size; ++i) fold_of_row[static_cast<std::size_t>(order[next++])] = f;
  }
  return folds_of(fold_of_row, splits);
}

std::vector<std::int64_t> class_sizes(const Dataset& data) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(data.classes));
  for (const std::int32_t label : data.labels) {
    if (label < 0 || label >= data.classes) {
      throw UsageError(fmt::format("a label is {}, expected 0 to {}", label, data.classes - 1));
    }
    ++sizes[static_cast<std::size_t>(label)];
  }
  return sizes;
}

void check_class_sizes(const std::vector<std::int64_t>& sizes, int splits, std::string* warning) {
  std::size_t smallest = sizes.size();
  std::int64_t largest = 0;
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    if (sizes[c] == 0) continue;  // a class that only other data has
    largest = std::max(largest, sizes[c]);
    if (smallest == sizes.size() || sizes[c] < sizes[smallest]) smallest = c;
  }
  if (largest < splits) {
    throw DataError(fmt::format("every class has fewer rows than the {} folds; the largest has {}", splits, largest),
                    "Use fewer folds, or folds that do not keep the share of each class (k_fold).");
  }
  if (warning != nullptr && sizes[smallest] < splits) {
    *warning = fmt::format("class {} has {} row{}, fewer than the {} folds: some folds score without it", smallest,
                           sizes[smallest], sizes[smallest] == 1 ? "" : "s", splits);
  }
}

/// Classes in the order of their first rows: scikit-learn numbers them so before it deals them out.
Rows order_of_appearance(const Dataset& data) {
  Rows number(static_cast<std::size_t>(data.classes), -1);
  std::int32_t next = 0;
  for (const std::int32_t label : data.labels) {
    std::int32_t& n = number[static_cast<std::size_t>(label)];
    if (n < 0) n = next++;
  }
  return number;
}

/// The labels, sorted by class, are dealt to the folds in turn, which says how many rows of each class a fold gets;
/// they are then taken in blocks, in the order of the rows (shuffled: in a random order).
std::vector<Fold> stratified(const Dataset& data, int splits, bool shuffle, std::uint64_t seed, std::string* warning) {
  const std::vector<std::int64_t> sizes = class_sizes(data);
  check_class_sizes(sizes, splits, warning);
  const Rows number = order_of_appearance(data);
  std::vector<std::int64_t> sorted_sizes(sizes.size());
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    if (number[c] >= 0) sorted_sizes[static_cast<std::size_t>(number[c])] = sizes[c];
  }
  std::vector<Rows> folds_for_class(sizes.size());
  std::int64_t dealt = 0;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    std::vector<std::int64_t> share(static_cast<std::size_t>(splits));
    for (std::int64_t i = 0; i < sorted_sizes[k]; ++i) ++share[static_cast<std::size_t>(dealt++ % splits)];
    Rows& folds = folds_for_class[k];
    for (int f = 0; f < splits; ++f)
      folds.insert(folds.end(), static_cast<std::size_t>(share[static_cast<std::size_t>(f)]), f);
    if (shuffle) {
      const auto order = philox::permutation(static_cast<std::int32_t>(folds.size()), seed, shuffle_stream,
                                             static_cast<std::uint32_t>(k) + 1);
      Rows shuffled;
      for (const std::int32_t i : order) shuffled.push_back(folds[static_cast<std::size_t>(i)]);
      folds = std::move(shuffled);
    }
  }
  Rows fold_of_row;
  std::vector<std::size_t> taken(sizes.size());
  for (const std::int32_t label : data.labels) {
    const auto k = static_cast<std::size_t>(number[static_cast<std::size_t>(label)]);
    fold_of_row.push_back(folds_for_class[k][taken[k]++]);
  }
  return folds_of(fold_of_row, splits);
}

/// The distinct values of `groups`, ascending.
Rows distinct(std::span<const std::int32_t> groups) {
  Rows values(groups.begin(), groups.end());
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::size_t position(const Rows& sorted, std::int32_t value) {
  return static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
}

/// The largest group first, each into the fold with the fewest rows so far. Of groups of one size the last comes first,
/// of folds of one size the first is taken, as in scikit-learn.
std::vector<Fold> group_fold(std::span<const std::int32_t> groups, int splits) {
  const Rows names = distinct(groups);
  if (static_cast<int>(names.size()) < splits) {
    throw DataError(fmt::format("{} groups cannot be split into {} folds", names.size(), splits),
                    fmt::format("Use at most {} folds.", names.size()));
  }
  std::vector<std::int64_t> sizes(names.size());
  for (const std::int32_t group : groups) ++sizes[position(names, group)];
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sizes[a] < sizes[b]; });
  std::reverse(order.begin(), order.end());
  std::vector<std::int64_t> fold_size(static_cast<std::size_t>(splits));
  Rows fold_of_group(names.size());
  for (const std::size_t g : order) {
    const auto lightest = std::min_element(fold_size.begin(), fold_size.end());
    *lightest += sizes[g];
    fold_of_group[g] = static_cast<std::int32_t>(lightest - fold_size.begin());
  }
  Rows fold_of_row;
  for (const std::int32_t group : groups) fold_of_row.push_back(fold_of_group[position(names, group)]);
  return folds_of(fold_of_row, splits);
}

/// Fold i trains on everything before its test rows; the test rows of all folds follow one another up to the end.
std::vector<Fold> time_series(std::int32_t rows, int splits) {
  const std::int32_t size = rows / (splits + 1);
  if (size == 0) {
    throw DataError(fmt::format("{} rows are too few for a time series of {} folds", rows, splits),
                    fmt::format("At least {} rows are needed: use fewer folds.", splits + 1));
  }
  std::vector<Fold> folds;
  for (std::int32_t start = rows - splits * size; start < rows; start += size) {
    Fold fold;
    fold.train.resize(static_cast<std::size_t>(start));
    std::iota(fold.train.begin(), fold.train.end(), 0);
    fold.test.resize(static_cast<std::size_t>(size));
    std::iota(fold.test.begin(), fold.test.end(), start);
    folds.push_back(std::move(fold));
  }
  return folds;
}

std::vector<Fold> predefined(std::span<const std::int32_t> groups) {
  Rows names = distinct(groups);
  if (!names.empty() && names.front() < -1) {
    throw DataError(fmt::format("a row is in fold {}", names.front()),
                    "Number the folds from 0; -1 marks rows that are always trained on.");
  }
  if (!names.empty() && names.front() == -1) names.erase(names.begin());
  if (names.empty()) throw DataError("no row is in a fold: every one is marked -1, always training");
  Rows fold_of_row;
  for (const std::int32_t group : groups) {
    fold_of_row.push_back(group < 0 ? -1 : static_cast<std::int32_t>(position(names, group)));
  }
  std::vector<Fold> folds = folds_of(fold_of_row, static_cast<int>(names.size()));
  for (const Fold& fold : folds) {
    if (!fold.train.empty()) continue;
    throw DataError(fmt::format("every row is in fold {}, so that none is left to train on", names.front()),
                    "Name at least two folds, or mark rows that are only trained on with -1.");
  }
  return folds;
}

std::vector<Fold> hold_out(const Dataset& data, double test_size, std::uint64_t seed) {
  if (data.rows < 2) throw DataError(fmt::format("{} rows cannot be split into training and scoring", data.rows));
  Split split = data.task == Task::classification ? split_stratified(data.labels, data.classes, test_size, seed)
                                                  : split_rows(data.rows, test_size, seed);
  std::sort(split.training.begin(), split.training.end());
  std::sort(split.validation.begin(), split.validation.end());
  return {{std::move(split.training), std::move(split.validation)}};
}

void check_options(const Dataset& data, const FoldOptions& options, FoldKind kind) {
  const bool deals = kind != FoldKind::predefined && kind != FoldKind::holdout;
  if (deals && options.n_splits < 2) {
    throw UsageError(fmt::format("{} folds, expected at least 2", options.n_splits),
                     "Use a hold-out split to train each candidate once.");
  }
  if (options.n_repeats < 1) throw UsageError(fmt::format("{} repeats, expected at least 1", options.n_repeats));
  const bool random = kind == FoldKind::k_fold || kind == FoldKind::stratified || kind == FoldKind::holdout;
  if (!random && (options.n_repeats > 1 || options.shuffle)) {
    throw UsageError("folds by group, by time or by a column are not shuffled or repeated",
                     "Leave out shuffle and repeats, or use k_fold, stratified or holdout.");
  }
  if (kind == FoldKind::stratified && data.task != Task::classification) {
    throw UsageError("stratified folds need classes, and the target is a number", "Use k_fold.");
  }
  if (kind == FoldKind::holdout && !(options.test_size > 0 && options.test_size < 1)) {
    throw UsageError(fmt::format("the share held out is {}, expected more than 0 and less than 1", options.test_size));
  }
}

void check_data(const Dataset& data, const FoldOptions& options, FoldKind kind, std::span<const std::int32_t> groups) {
  if (data.rows > std::numeric_limits<std::int32_t>::max()) {
    throw DataError(fmt::format("{} rows, expected at most {}", data.rows, std::numeric_limits<std::int32_t>::max()));
  }
  const bool needs_labels =
      kind == FoldKind::stratified || (kind == FoldKind::holdout && data.task == Task::classification);
  if (needs_labels && static_cast<std::int64_t>(data.labels.size()) != data.rows) {
    throw DataError("the data has no labels", "A search needs the target of every row.");
  }
  if (kind == FoldKind::group || kind == FoldKind::predefined) {
    if (groups.empty() && data.rows > 0) {
      throw UsageError("folds by group or by a column need the group of every row", "Name the column.");
    }
    if (static_cast<std::int64_t>(groups.size()) != data.rows) {
      throw UsageError(fmt::format("{} groups for {} rows, expected one a row", groups.size(), data.rows));
    }
  }
  if (kind != FoldKind::predefined && kind != FoldKind::holdout && data.rows < options.n_splits) {
    throw DataError(fmt::format("{} rows cannot be split into {} folds", data.rows, options.n_splits),
                    "Use fewer folds.");
  }
}

/// The first repeat has the seed itself, so that one repeat is the plain shuffled split.
std::uint64_t repeat_seed(std::uint64_t seed, int repeat) {
  if (repeat == 0) return seed;
  const auto words = philox::block_at(seed, repeat_stream, static_cast<std::uint32_t>(repeat), 0);
  return (std::uint64_t{words[0]} << 32) | words[1];
}

/// Every fold names every row, and the search keeps two copies.
void check_memory(const Dataset& data, const FoldOptions& options, FoldKind kind) {
  const double splits = kind == FoldKind::holdout || kind == FoldKind::predefined ? 1 : options.n_splits;
  const double bytes = 2.0 * sizeof(std::int32_t) * static_cast<double>(data.rows) * splits * options.n_repeats;
  const auto usable = static_cast<double>(platform::usable_memory());
  if (bytes <= usable) return;
  throw DeviceError(
      fmt::format("{:.0f} splits of {} rows need {:.1f} GiB of the computer's memory, {:.1f} GiB can be used",
                  splits * options.n_repeats, data.rows, bytes / (1 << 30), usable / (1 << 30)),
      "Use fewer folds or repeats.");
}

}  // namespace

FoldKind resolved_kind(FoldKind kind, Task task) noexcept {
  if (kind != FoldKind::automatic) return kind;
  return task == Task::classification ? FoldKind::stratified : FoldKind::k_fold;
}

std::vector<Fold> make_folds(const Dataset& data, const FoldOptions& options, std::span<const std::int32_t> groups,
                             std::string* warning) {
  const FoldKind kind = resolved_kind(options.kind, data.task);
  check_options(data, options, kind);
  check_data(data, options, kind, groups);
  check_memory(data, options, kind);
  const auto rows = static_cast<std::int32_t>(data.rows);
  const bool shuffle = options.shuffle || options.n_repeats > 1;
  std::vector<Fold> all;
  for (int repeat = 0; repeat < options.n_repeats; ++repeat) {
    const std::uint64_t seed = repeat_seed(options.seed, repeat);
    std::vector<Fold> folds;
    switch (kind) {
      case FoldKind::k_fold: {
        Rows order(static_cast<std::size_t>(rows));
        std::iota(order.begin(), order.end(), 0);
        folds = k_fold(rows, options.n_splits, shuffle ? philox::permutation(rows, seed, shuffle_stream, 0) : order);
        break;
      }
      case FoldKind::stratified: folds = stratified(data, options.n_splits, shuffle, seed, warning); break;
      case FoldKind::group: folds = group_fold(groups, options.n_splits); break;
      case FoldKind::time_series: folds = time_series(rows, options.n_splits); break;
      case FoldKind::predefined: folds = predefined(groups); break;
      case FoldKind::holdout: folds = hold_out(data, options.test_size, seed); break;
      case FoldKind::automatic: throw InternalError("a kind of folds was not chosen");
    }
    std::move(folds.begin(), folds.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace overtake
