// SPDX-License-Identifier: MIT
// The same data, parameters and seed give the same file, whatever the threads, the memory, the batch and its order.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "backend/api/device.hpp"
#include "core/parallel.hpp"
#include "forest_data.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake::test {
namespace {

/// Sets the threads of the cpu; gives back all of them at its end.
class Threads {
 public:
  explicit Threads(int count) { set_thread_count(count); }
  ~Threads() { set_thread_count(0); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
};

TEST(ForestDeterminism, FitsOfTheseTestsDiffer) {
  std::set<std::string> files;
  for (const Fit& fit : many_fits()) files.insert(file_of(fit.train()));
  EXPECT_EQ(files.size(), many_fits().size());
}

TEST(ForestDeterminism, AnotherSeedIsAnotherForest) {
  Fit fit = many_fits()[0];
  const std::string file = file_of(fit.train());
  EXPECT_EQ(file_of(fit.train()), file);
  std::set<std::string> texts;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    fit.parameters.random_state = seed << 30;  // both halves of the seed count
    texts.insert(export_text(fit.train(), 0, 100));
  }
  EXPECT_EQ(texts.size(), 20U);
}

TEST(ForestDeterminism, ThreadsDoNotMatter) {
  for (const Fit& fit : many_fits()) {
    std::set<std::string> files;
    for (int threads = 1; threads <= 4; ++threads) {
      const Threads set(threads);
      files.insert(file_of(fit.train()));
    }
    EXPECT_EQ(files.size(), 1U) << fit.name;
  }
}

/// Calls check(limit) with more and more memory: refused while one tree does not fit, never again after it does.
template <typename Check>
void in_more_and_more_memory(const Check& check) {
  int refused = 0;
  int kept = 0;
  for (std::uint64_t limit = 1024; limit <= std::uint64_t{1} << 20; limit *= 2) {
    try {
      check(limit);
      ++kept;
    } catch (const DeviceError& error) {
      EXPECT_EQ(kept, 0) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(kept, 2);
}

TEST(ForestDeterminism, MemoryDoesNotMatter) {
  for (const Fit& fit : many_fits()) {
    const std::string file = file_of(fit.train());
    in_more_and_more_memory([&](std::uint64_t limit) {
      ForestOptions options;
      options.memory_limit = limit;
      EXPECT_EQ(file_of(fit.train(options)), file) << fit.name << " in " << limit << " bytes";
    });
  }
}

TEST(ForestDeterminism, TreesMayBeAddedLater) {
  for (Fit& fit : many_fits()) {
    fit.parameters.warm_start = true;
    const std::string file = file_of(fit.train());
    fit.parameters.n_estimators = 1;
    Forest forest = fit.train();
    for (const int trees : {5, 6, 12}) {
      fit.parameters.n_estimators = trees;
      forest = fit.train({}, &forest);
    }
    EXPECT_EQ(file_of(forest), file) << fit.name;
  }
}

TEST(ForestDeterminism, RowsThatWeighNothingMayStandAnywhereAmongTheOthersWithoutBootstrap) {
  const Dataset data = made_data({});
  ForestParameters parameters = ForestParameters::defaults(ForestKind::extra_trees, data.task);
  parameters.n_estimators = 5;
  const Forest plain = train_forest(parameters, data);
  Dataset padded = data;
  padded.rows += 10;
  std::vector<float> weights(static_cast<std::size_t>(padded.rows), 1.0F);
  for (std::int64_t row = data.rows; row < padded.rows; ++row) {
    for (std::int64_t f = 0; f < data.features; ++f) padded.inputs.push_back(data.inputs[row % 7 * data.features + f]);
    padded.labels.push_back(0);
    weights[row] = 0;
  }
  Forest grown = train_forest(parameters, padded, {}, weights);
  EXPECT_NE(grown.data_fingerprint, plain.data_fingerprint) << "it is other data";
  grown.data_fingerprint = plain.data_fingerprint;
  EXPECT_TRUE(grown == plain);
}

// -- searches ---------------------------------------------------------------------------------------------------------

/// What a search of this fit's data takes from it.
SearchOptions options_of(const Fit& fit) {
  SearchOptions options;
  options.estimator = name_of(fit.parameters.kind);
  options.sample_weight = fit.sample_weight;
  options.folds.n_splits = 3;
  options.seed = fit.parameters.random_state;
  return options;
}

/// Some that share a forest and some that do not, none of which two are likely to have the same score.
std::vector<Parameters> candidates_of(const Fit& fit) {
  std::vector<Parameters> candidates =
      made_grid({"n_estimators=5,12", "max_depth=3,none", "min_samples_leaf=1,4", "max_features=2,4"});
  for (Parameters& each : made_grid({"bootstrap=true", "max_samples=0.2,0.9", "n_estimators=6"})) {
    candidates.push_back(std::move(each));
  }
  Parameters own;
  for (const auto& [name, value] : fit.parameters.all()) {
    if (name != "random_state" && name != "oob_score") own.emplace_back(name, value);
  }
  candidates.push_back(own);
  return candidates;
}

ForestParameters parameters_of(const Fit& fit, const Parameters& candidate) {
  ForestParameters parameters = ForestParameters::defaults(fit.parameters.kind, fit.data.task);
  parameters.random_state = fit.parameters.random_state;
  parameters.set(candidate);
  return parameters;
}

TEST(ForestDeterminism, TheRefittedForestIsTheOneTrainedAlone) {
  for (const Fit& fit : many_fits()) {
    SCOPED_TRACE(fit.name);
    const std::vector<Parameters> candidates = candidates_of(fit);
    const SearchResult all = search(fit.data, candidates, options_of(fit));
    ASSERT_TRUE(all.best);
    const ForestParameters best = parameters_of(fit, candidates.at(static_cast<std::size_t>(all.best_index)));
    EXPECT_EQ(file_of(forest_of(all.best.get())), file_of(train_forest(best, fit.data, {}, fit.sample_weight)));
    // The fit's own candidate, beside others that need another fixed point.
    const SearchResult own = search(fit.data, {candidates.back()}, options_of(fit));
    const ForestParameters same = parameters_of(fit, candidates.back());
    EXPECT_EQ(file_of(forest_of(own.best.get())), file_of(train_forest(same, fit.data, {}, fit.sample_weight)));
  }
}

TEST(ForestDeterminism, NeitherOrderNorCompanyOfCandidatesMatters) {
  for (const Fit& fit : many_fits()) {
    SCOPED_TRACE(fit.name);
    const std::vector<Parameters> candidates = candidates_of(fit);
    SearchOptions options = options_of(fit);
    options.refit = false;
    const SearchResult expected = search(fit.data, candidates, options);
    std::vector<std::size_t> order(candidates.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::mt19937 random(3);
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t count : {order.size(), order.size() / 2, std::size_t{1}}) {
      std::vector<Parameters> some;
      for (std::size_t i = 0; i < count; ++i) some.push_back(candidates[order[i]]);
      const SearchResult result = search(fit.data, some, options);
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(result.rows[i].scores, expected.rows[order[i]].scores) << "candidate " << order[i];
        EXPECT_EQ(result.rows[i].failure, "");
      }
    }
  }
}

TEST(ForestDeterminism, ASearchInLittleMemoryGivesTheSameTable) {
  for (const Fit& fit : many_fits()) {
    SCOPED_TRACE(fit.name);
    SearchOptions options = options_of(fit);
    const std::vector<Parameters> candidates = candidates_of(fit);
    const SearchResult expected = search(fit.data, candidates, options);
    ASSERT_GT(expected.plan.peak_bytes, 0U);
    in_more_and_more_memory([&](std::uint64_t limit) {
      options.memory_limit = limit;
      const SearchResult result = search(fit.data, candidates, options);
      for (std::size_t i = 0; i < candidates.size(); ++i) EXPECT_EQ(result.rows[i].scores, expected.rows[i].scores);
      EXPECT_EQ(result.best_index, expected.best_index);
      EXPECT_EQ(file_of(forest_of(result.best.get())), file_of(forest_of(expected.best.get())));
    });
  }
}

TEST(ForestDeterminism, ThreadsDoNotMatterToASearch) {
  for (const Fit& fit : many_fits()) {
    SearchOptions options = options_of(fit);
    options.metrics = {fit.data.task == Task::classification ? Metric::neg_log_loss : Metric::r2};
    const SearchResult expected = search(fit.data, candidates_of(fit), options);
    for (int threads = 1; threads <= 4; ++threads) {
      const Threads set(threads);
      const SearchResult result = search(fit.data, candidates_of(fit), options);
      for (std::size_t i = 0; i < result.rows.size(); ++i) EXPECT_EQ(result.rows[i].scores, expected.rows[i].scores);
      EXPECT_EQ(file_of(forest_of(result.best.get())), file_of(forest_of(expected.best.get()))) << fit.name;
    }
  }
}

}  // namespace
}  // namespace overtake::test
