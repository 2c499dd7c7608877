// SPDX-License-Identifier: MIT
// How much work forests are, counted before any is done.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "overtake/data/dataset.hpp"
#include "overtake/forest/parameters.hpp"
#include "overtake/report.hpp"

namespace overtake {

/// What growing and scoring forests takes, in counts that a device's rates turn into seconds (docs/placement.md). Trees
/// that several candidates share count once. Split nodes are counted by pilot trees on a sample.
struct ForestWork {
  double cells = 0;          ///< to bin: rows x features, for each number of bins anew
  std::int64_t forests = 0;  ///< that are grown to be scored, each fold's
  double trees = 0;          ///< of all forests, as are the next
  double nodes = 0;          ///< that are split or were tried to be
  double looks = 0;          ///< nodes x features looked at
  double visits = 0;         ///< rows of those nodes x features looked at
  double moves = 0;          ///< rows of those nodes

  double bin_looks = 0;         ///< looks x bins of a feature x sums of a bin
  double random_bin_looks = 0;  ///< those of them with thresholds at random (extra trees)

  // Of nodes of fewer than small_node_rows rows.
  double small_looks = 0, small_visits = 0;

  bool numbers = false;  ///< targets are numbers, not classes

  double chain_looks = 0;  ///< of one small tree, the most that one group of a device works on alone

  double scored = 0;      ///< steps of test rows down the trees, for each limit of a candidate anew
  double results = 0;     ///< test rows x candidates, for metrics
  double kept_nodes = 0;  ///< of the model that stays

  double tree_bytes = 0;  ///< that all trees may take on a device, were they grown together
  double data_bytes = 0;  ///< of the binned rows, targets and folds on a device

  // On the host, beside what the process holds: where threads grow the trees, and where a device does.
  double grown_bytes = 0;                        ///< of all trees that are only scored, before they are
  double host_bytes = 0, host_bytes_beside = 0;  ///< of the model that stays, its data in bins included

  ForestWork& operator+=(const ForestWork& more);
};

/// Nodes of more rows are grown level by level on devices, by many groups.
inline constexpr double large_node_rows = 4096;

/// Nodes of fewer rows have fewer rows than bins.
inline constexpr double small_node_rows = 128;

/// What is done with the forests.
struct ForestFits {
  std::int64_t folds = 0;      ///< 0: no search; each candidate is trained on all rows
  std::int64_t test_rows = 0;  ///< of each fold
  bool keeps_model = true;     ///< the best, or the only one, is trained on all rows and kept
};

/// For plans: throws what train_forest() throws for parameters that these data do not fit: UsageError where
/// class_weight names a class that is not there (naming the nearest), DataError where more rows or features are asked
/// for than there are. `rows`: trained on, 0: all. `class_names` as ForestOptions has them.
void check_fits(const ForestParameters& parameters, const Dataset& data, std::int64_t rows,
                std::span<const std::string> class_names);

/// By the names of its fields.
[[nodiscard]] report::Json to_json(const ForestWork& work);

/// Counts. Grows a few trees on a sample of the rows with this thread, for some milliseconds. Parameters that the data
/// refuses count nothing. Throws UsageError for work without end and DeviceError for trees that no memory here holds,
/// as train_forest() does. Determinism: exact.
[[nodiscard]] ForestWork forest_work(const Dataset& data, const std::vector<ForestParameters>& forests,
                                     const ForestFits& fits = {});

}  // namespace overtake
