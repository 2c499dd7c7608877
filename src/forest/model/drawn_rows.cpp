// SPDX-License-Identifier: MIT
// Which rows a grown tree was grown from.
#include <fmt/format.h>

#include <limits>
#include <numeric>

#include "forest/grow/sampling.hpp"
#include "forest/model/resolve.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake {

namespace {

forest::ForestJob job_of(const Forest& grown, std::int64_t rows) {
  if (rows < 1 || rows > std::numeric_limits<std::int32_t>::max()) {
    throw UsageError(fmt::format("{} training rows, expected at least 1 and at most 2147483647", rows));
  }
  forest::Scope scope;
  scope.features = grown.features;
  scope.rows = rows;
  return resolve(grown.parameters, scope).job;
}

}  // namespace

std::vector<std::int32_t> drawn_rows(const Forest& forest, std::int64_t rows, std::size_t tree) {
  if (tree >= forest.trees.size()) {
    throw UsageError(fmt::format("tree {} does not exist; the forest has {} trees", tree, forest.trees.size()),
                     "Trees are numbered from 0.");
  }
  const forest::ForestJob job = job_of(forest, rows);
  if (job.bootstrap) return drawn_positions(job, rows, static_cast<std::int32_t>(tree));
  std::vector<std::int32_t> all(static_cast<std::size_t>(rows));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::int64_t draw_count(const Forest& forest, std::int64_t rows) { return job_of(forest, rows).draws; }

}  // namespace overtake
