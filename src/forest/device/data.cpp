// SPDX-License-Identifier: MIT
#include "forest/device/data.hpp"

#include <algorithm>
#include <limits>

#include "backend/api/device.hpp"
#include "core/checked.hpp"
#include "forest/grow/sampling.hpp"

namespace overtake::forest {
namespace {

/// The place of each value among the sorted ones.
std::vector<std::int32_t> ranks_of(const std::vector<double>& values, const std::vector<double>& sorted) {
  std::vector<std::int32_t> ranks;
  ranks.reserve(values.size());
  for (const double value : values) {
    ranks.push_back(static_cast<std::int32_t>(std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin()));
  }
  return ranks;
}

}  // namespace

KernelData::KernelData(backend::Device& device, const Problem& problem) {
  const BinnedData& binned = problem.data;
  bins = binned.wide ? upload_vector(device, binned.words) : upload_vector(device, binned.bytes);
  first = upload_vector(device, binned.edges.first);
  lower = upload_vector(device, binned.edges.lower);
  upper = upload_vector(device, binned.edges.upper);
  labels = upload_vector(device, problem.targets.labels);
  values = upload_vector(device, problem.targets.values);
  std::vector<double> sorted = problem.targets.values;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  ranks = upload_vector(device, ranks_of(problem.targets.values, sorted));
  distinct = upload_vector(device, sorted);
  std::vector<std::int32_t> train_rows;
  std::vector<std::int32_t> test_rows;
  for (const Fold& fold : problem.folds) {
    train_first.push_back(narrow<std::int32_t>(train_rows.size(), "the number of training rows of all folds"));
    test_first.push_back(narrow<std::int32_t>(test_rows.size(), "the number of test rows of all folds"));
    train_rows.insert(train_rows.end(), fold.train.begin(), fold.train.end());
    test_rows.insert(test_rows.end(), fold.test.begin(), fold.test.end());
  }
  train = upload_vector(device, train_rows);
  test = upload_vector(device, test_rows);
  std::vector<double> all_units;
  for (const Weights& weights : problem.weights) {
    unit_of.push_back(weights.row.empty()
                          ? -1
                          : narrow<std::int32_t>(all_units.size() / weights.row.size(), "the number of weightings"));
    for (const double weight : weights.row) all_units.push_back(weight * 1.0 * weights.scale);
  }
  units = upload_vector(device, all_units);
  for (const BufferPtr* buffer :
       {&bins, &first, &lower, &upper, &labels, &values, &ranks, &distinct, &train, &test, &units}) {
    bytes += (*buffer)->bytes();
  }
}

JobRow device_job_row(const Problem& problem, const KernelData& data, const ForestJob& job) {
  JobRow row = job_row(problem, job);
  row.draws = narrow<std::int32_t>(job.draws, "the number of rows drawn for a tree");
  row.train_first = data.train_first[job.fold];
  row.train_rows = narrow<std::int32_t>(problem.folds[job.fold].train.size(), "the number of training rows");
  row.unit = data.unit_of[job.weights];
  row.preset = problem.weights[job.weights].balance_each_tree || may_draw_nothing(problem, job) ? 1 : 0;
  return row;
}

}  // namespace overtake::forest
