// SPDX-License-Identifier: MIT
// Every parameter with values at and beyond the ends of its range: taken as they are or refused, never wrapped and
// never replaced by others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "forest/grow/need.hpp"
#include "forest/grow/sampling.hpp"
#include "forest_data.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake::test {
namespace {

using ::testing::HasSubstr;

/// What training with a value ends in.
enum class End : std::uint8_t { trained, usage, data, device };

struct Extreme {
  const char* name;
  End end;
  std::vector<const char*> values;  ///< as a user writes them
};

const std::vector<Extreme>& extremes() {
  // 4294967297 is 2^32 + 1: wrapped to 32 bits it would be a fine 1.
  static const std::vector<Extreme> list = {
      {"n_estimators", End::trained, {"1", "3"}},
      {"n_estimators", End::device, {"1073741824"}},
      {"n_estimators", End::usage, {"0", "-1", "2000000000", "2147483648", "4294967297", "1e20", "nan", "none", "2.0"}},
      {"criterion", End::trained, {"gini", "entropy", "log_loss"}},
      {"criterion", End::usage, {"squared_error", "friedman_mse", "poisson", "absolute_error", "1", "none"}},
      {"max_depth", End::trained, {"none", "1", "31", "40", "2147483647"}},
      {"max_depth", End::usage, {"0", "-1", "2147483648", "4294967297", "99999999999999999999", "nan", "1.0"}},
      {"min_samples_split", End::trained, {"2", "2147483647", "0.5", "1.0", "1e-300"}},
      {"min_samples_split",
       End::usage,
       {"1", "0", "-2", "2147483648", "4294967298", "0.0", "-0.5", "1.5", "nan", "none"}},
      {"min_samples_leaf", End::trained, {"1", "1073741824", "2147483647", "0.999", "1e-300"}},
      {"min_samples_leaf", End::usage, {"0", "-1", "2147483648", "4294967297", "1.0", "0.0", "nan", "none"}},
      {"min_weight_fraction_leaf", End::trained, {"0", "0.0", "0.5"}},
      {"min_weight_fraction_leaf", End::usage, {"0.51", "-1e-9", "1", "nan", "inf", "none"}},
      {"max_features", End::trained, {"sqrt", "log2", "none", "1", "6", "1.0", "1e-300"}},
      {"max_features", End::data, {"7", "2147483647"}},
      {"max_features", End::usage, {"0", "-1", "2147483648", "4294967297", "0.0", "-0.5", "1.5", "nan", "auto"}},
      {"max_leaf_nodes", End::trained, {"none", "2", "2147483647"}},
      {"max_leaf_nodes", End::usage, {"1", "0", "-1", "2147483648", "4294967298", "2.0", "nan"}},
      {"min_impurity_decrease", End::trained, {"0", "1", "1e308"}},
      {"min_impurity_decrease", End::usage, {"-1", "-1e-300", "nan", "inf", "none"}},
      {"bootstrap", End::trained, {"true", "false"}},
      {"bootstrap", End::usage, {"1", "0", "yes", "none"}},
      {"oob_score", End::trained, {"true", "false"}},
      {"oob_score", End::usage, {"1", "accuracy", "none"}},
      {"random_state", End::trained, {"0", "4294967296", "9223372036854775807"}},
      {"random_state", End::usage, {"-1", "9223372036854775808", "18446744073709551615", "1.0", "nan", "none"}},
      {"warm_start", End::trained, {"true", "false"}},
      {"warm_start", End::usage, {"1", "none"}},
      {"class_weight", End::trained, {"none", "balanced", "balanced_subsample", "0:1,1:2", "2=0"}},
      {"class_weight", End::usage, {"0:-1", "0:nan", "0:inf", "0:1,0:2", "9:1", "1"}},
      {"ccp_alpha", End::trained, {"0", "0.01", "1e308"}},
      {"ccp_alpha", End::usage, {"-1", "-1e-300", "nan", "inf", "none"}},
      {"max_samples", End::trained, {"none", "1", "150", "0.5", "1.0", "1e-300"}},
      {"max_samples", End::data, {"151", "2147483647"}},
      {"max_samples", End::usage, {"0", "-1", "2147483648", "4294967297", "0.0", "1.5", "nan"}},
      {"max_bins", End::trained, {"2", "256", "65535"}},
      {"max_bins", End::usage, {"1", "0", "-1", "65536", "1000000", "4294967298", "256.0", "nan", "none"}},
  };
  return list;
}

/// Trains with the value; the trained forest must show it as it was given.
End train_with(const char* name, const char* text, std::string& message) {
  static const Dataset data = made_data({});
  const ParameterValue value = parse_parameter_value(text);
  ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  parameters.n_estimators = 2;
  try {
    parameters.set(name, value);
    const Forest forest = train_forest(parameters, data);
    EXPECT_EQ(static_cast<int>(forest.trees.size()), parameters.n_estimators);
    ForestParameters again;
    again.set(name, value);
    again.set(forest.parameters.all());
    EXPECT_EQ(again, forest.parameters) << name << "=" << text;
    return End::trained;
  } catch (const UsageError& error) {
    message = error.what();
    return End::usage;
  } catch (const DataError& error) {
    message = error.what();
    return End::data;
  } catch (const DeviceError& error) {
    message = std::string(error.what()) + error.hint();
    return End::device;
  }
}

TEST(ForestExtremes, AreTakenOrRefused) {
  std::set<std::string> named;
  for (const Extreme& extreme : extremes()) {
    named.insert(extreme.name);
    for (const char* text : extreme.values) {
      std::string message;
      EXPECT_EQ(train_with(extreme.name, text, message), extreme.end) << extreme.name << "=" << text << ": " << message;
      if (extreme.end != End::usage) continue;
      EXPECT_THAT(message, HasSubstr(extreme.name)) << text;
    }
  }
  const auto names = ForestParameters::names();
  EXPECT_EQ(named, std::set<std::string>(names.begin(), names.end()));
}

TEST(ForestExtremes, MoreFeaturesThanASplitCanNameAreRefused) {
  forest::Problem problem;
  problem.weights.emplace_back();
  problem.data.edges.features = 1 << 23;
  EXPECT_EQ(forest::job_row(problem, {}).min_leaf, 1);
  problem.data.edges.features += 1;
  EXPECT_THROW((void)forest::job_row(problem, {}), DataError);
}

TEST(ForestExtremes, ASeedBeyondTheRangeIsNamedAsItWasGiven) {
  ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  parameters.random_state = 18446744073709551615U;
  try {
    parameters.check();
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("18446744073709551615"));
  }
}

TEST(ForestExtremes, RefusalsOfMemoryNameNeedLimitAndCure) {
  std::string message;
  ASSERT_EQ(train_with("n_estimators", "1073741824", message), End::device);
  EXPECT_THAT(message, HasSubstr("a forest of 1073741824 trees needs at least"));
  EXPECT_THAT(message, HasSubstr("that the process holds"));
  EXPECT_THAT(message, HasSubstr("Lower n_estimators"));
}

TEST(ForestNeed, TreesThatTurnOutTooLargeAreRefusedEarly) {
  constexpr forest::TreeRoom usable{10'000'000, 0};
  forest::KeptTrees kept(1000, 3, usable);  // a thousand trees of one node fit
  for (int tree = 0; tree < 7; ++tree) kept.add(1000);
  EXPECT_THROW(kept.add(1000), DeviceError) << "the eighth shows that a thousand trees of 1000 nodes do not";
  forest::KeptTrees small(100, 3, usable);
  for (int tree = 0; tree < 100; ++tree) EXPECT_NO_THROW(small.add(1000)) << tree;
  EXPECT_THROW(forest::KeptTrees(1'000'000, 3, usable), DeviceError);
}

TEST(ForestNeed, ATreeThatIsRefusedSaysWhatSuffices) {
  const auto need_of = [](const forest::GrowerLimit& limit, bool cpu) -> std::uint64_t {
    try {
      forest::refuse_tree(1'000'000, 300'000, limit, cpu);
    } catch (const forest::TreeRefused& refusal) {
      return refusal.need();
    }
  };
  constexpr std::uint64_t host = 1;  // any: what it leaves is in the limit
  // Beside the code: the half is for growers, and on a device the data are there already, once.
  EXPECT_EQ(need_of({300'000, host, 1}, true), forest::bytes_of_code + 2'000'000);
  EXPECT_EQ(need_of({300'000, host, 2}, true), forest::bytes_of_code + 4'000'000);
  EXPECT_EQ(need_of({500'000, host, 1}, false), forest::bytes_of_code + 2'000'000 + 200'000);
  EXPECT_EQ(need_of({500'000, host, 2}, false), forest::bytes_of_code + 4'000'000 + 3 * 200'000);
  EXPECT_EQ(need_of(500'000, false), 1'000'000U);
}

TEST(ForestNeed, WorkWithoutEndIsRefused) {
  forest::ForestJob job;
  job.rule.max_features = 1000;
  job.trees = 1 << 30;
  job.max_depth = 2147483647;
  EXPECT_THROW(forest::check_visits(forest::visits_of(job, 1 << 30)), UsageError);
  job.trees = 1000;
  EXPECT_NO_THROW(forest::check_visits(forest::visits_of(job, 10'000'000)));
}

}  // namespace
}  // namespace overtake::test
