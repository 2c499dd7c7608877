// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "data_support.hpp"
#include "overtake/search.hpp"
#include "search_support.hpp"

namespace overtake::test {
namespace {

const std::map<std::string, FoldKind> kinds = {{"k_fold", FoldKind::k_fold},
                                               {"stratified", FoldKind::stratified},
                                               {"group", FoldKind::group},
                                               {"time_series", FoldKind::time_series},
                                               {"predefined", FoldKind::predefined}};

std::vector<std::int32_t> repeated(std::vector<std::int32_t> counts) {
  std::vector<std::int32_t> labels;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    labels.insert(labels.end(), static_cast<std::size_t>(counts[c]), static_cast<std::int32_t>(c));
  }
  return labels;
}

/// Every row is scored `times` times, and trained on in all folds that do not score it; both sides ascend.
void expect_partition(const std::vector<Fold>& folds, std::int32_t rows, int times) {
  std::vector<int> scored(static_cast<std::size_t>(rows));
  for (const Fold& fold : folds) {
    EXPECT_TRUE(std::is_sorted(fold.train.begin(), fold.train.end()));
    EXPECT_TRUE(std::is_sorted(fold.test.begin(), fold.test.end()));
    std::vector<std::int32_t> all;
    std::merge(fold.train.begin(), fold.train.end(), fold.test.begin(), fold.test.end(), std::back_inserter(all));
    std::vector<std::int32_t> expected(static_cast<std::size_t>(rows));
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, expected);
    for (const std::int32_t row : fold.test) ++scored[static_cast<std::size_t>(row)];
  }
  EXPECT_EQ(scored, std::vector<int>(static_cast<std::size_t>(rows), times));
}

TEST(SearchFolds, RowsAreScikitLearns) {
  ASSERT_GT(sklearn_answers<nlohmann::json>()["folds"].size(), 100U);
  for (const auto& golden : sklearn_answers<nlohmann::json>()["folds"]) {
    const auto labels = golden["labels"].get<std::vector<std::int32_t>>();
    const Dataset data = labelled(labels, *std::max_element(labels.begin(), labels.end()) + 1);
    const auto groups = golden["groups"].get<std::vector<std::int32_t>>();
    FoldOptions options;
    options.kind = kinds.at(golden["kind"]);
    options.n_splits = golden["n_splits"];
    const std::vector<Fold> folds = make_folds(data, options, groups);
    ASSERT_EQ(folds.size(), golden["folds"].size());
    for (std::size_t f = 0; f < folds.size(); ++f) {
      const std::string where = golden["data"].get<std::string>() + ", " + golden["kind"].get<std::string>() +
                                ", fold " + std::to_string(f) + " of " + std::to_string(folds.size());
      EXPECT_EQ(folds[f].train, golden["folds"][f]["train"].get<std::vector<std::int32_t>>()) << where;
      EXPECT_EQ(folds[f].test, golden["folds"][f]["test"].get<std::vector<std::int32_t>>()) << where;
    }
  }
}

TEST(SearchFolds, AutomaticFollowsTheTask) {
  FoldOptions stratified;
  stratified.kind = FoldKind::stratified;
  FoldOptions k_fold;
  k_fold.kind = FoldKind::k_fold;
  const Dataset classes = labelled(repeated({10, 20}), 2);
  EXPECT_EQ(make_folds(classes, {}), make_folds(classes, stratified));
  EXPECT_NE(make_folds(classes, {}), make_folds(classes, k_fold));
  const Dataset numbers = numbered(std::vector<double>(12, 1.0));
  EXPECT_EQ(make_folds(numbers, {}), make_folds(numbers, k_fold));
  expect_error<UsageError>([&] { (void)make_folds(numbers, stratified); }, {"stratified folds need classes"});
}

TEST(SearchFolds, ShuffledFoldsAreEvenAndSeeded) {
  const Dataset data = labelled(repeated({23, 31, 9}), 3);
  for (const FoldKind kind : {FoldKind::k_fold, FoldKind::stratified}) {
    FoldOptions options;
    options.kind = kind;
    options.n_splits = 4;
    const std::vector<Fold> plain = make_folds(data, options);
    options.shuffle = true;
    const std::vector<Fold> folds = make_folds(data, options);
    expect_partition(folds, 63, 1);
    EXPECT_NE(folds, plain);
    EXPECT_EQ(folds, make_folds(data, options));
    for (std::size_t f = 0; f < folds.size(); ++f) {
      EXPECT_EQ(folds[f].test.size(), plain[f].test.size());
      if (kind != FoldKind::stratified) continue;
      for (std::int32_t c = 0; c < 3; ++c) {
        const auto of_class = [&](std::int32_t row) { return data.labels[static_cast<std::size_t>(row)] == c; };
        EXPECT_EQ(std::count_if(folds[f].test.begin(), folds[f].test.end(), of_class),
                  std::count_if(plain[f].test.begin(), plain[f].test.end(), of_class));
      }
    }
    options.seed = 1;
    EXPECT_NE(folds, make_folds(data, options));
  }
}

TEST(SearchFolds, RepeatsDiffer) {
  const Dataset data = labelled(repeated({20, 20}), 2);
  FoldOptions options;
  options.n_splits = 4;
  options.n_repeats = 3;
  const std::vector<Fold> folds = make_folds(data, options);
  ASSERT_EQ(folds.size(), 12U);
  expect_partition(folds, 40, 3);
  FoldOptions once = options;
  once.n_repeats = 1;
  once.shuffle = true;
  const std::vector<Fold> first = make_folds(data, once);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), folds.begin()));
  EXPECT_NE(folds[0], folds[4]);
  EXPECT_NE(folds[4], folds[8]);
}

TEST(SearchFolds, HoldOut) {
  const Dataset data = labelled(repeated({40, 60}), 2);
  FoldOptions options;
  options.kind = FoldKind::holdout;
  options.test_size = 0.25;
  const std::vector<Fold> folds = make_folds(data, options);
  ASSERT_EQ(folds.size(), 1U);
  EXPECT_EQ(folds[0].test.size(), 25U);
  EXPECT_EQ(folds[0].train.size(), 75U);
  EXPECT_TRUE(std::is_sorted(folds[0].train.begin(), folds[0].train.end()));
  EXPECT_EQ(std::count_if(folds[0].test.begin(), folds[0].test.end(), [](std::int32_t row) { return row < 40; }), 10);
  options.n_repeats = 3;
  EXPECT_EQ(make_folds(data, options).size(), 3U);
  for (const double share : {0.0, 1.0, -0.1, std::numeric_limits<double>::quiet_NaN()}) {
    options.test_size = share;
    expect_error<UsageError>([&] { (void)make_folds(data, options); }, {"share held out"});
  }
  options.test_size = 0.5;
  expect_error<DataError>([&] { (void)make_folds(labelled({0}, 1), options); }, {"1 rows cannot be split"});
}

TEST(SearchFolds, RareClassesWarnOrFail) {
  std::string warning;
  (void)make_folds(labelled(repeated({20, 3, 9}), 3), {}, {}, &warning);
  EXPECT_NE(warning.find("class 1 has 3 rows, fewer than the 5 folds"), std::string::npos) << warning;
  warning.clear();
  // Class 1 is known from other data only.
  (void)make_folds(labelled({0, 0, 0, 0, 0, 2, 2, 2, 2, 2}, 3), {}, {}, &warning);
  EXPECT_EQ(warning, "");
  expect_error<DataError>(
      [] {
        (void)make_folds(labelled(repeated({4, 3}), 2), {});
      },
      {"every class has fewer rows than the 5 folds", "the largest has 4"});
}

TEST(SearchFolds, WrongOptionsAreRefused) {
  const Dataset data = labelled(repeated({10, 10}), 2);
  const std::vector<std::int32_t> groups(20, 1);
  FoldOptions options;
  options.n_splits = 1;
  expect_error<UsageError>([&] { (void)make_folds(data, options); }, {"1 folds, expected at least 2"});
  options = {};
  options.n_repeats = 0;
  expect_error<UsageError>([&] { (void)make_folds(data, options); }, {"0 repeats"});
  for (const FoldKind kind : {FoldKind::group, FoldKind::predefined}) {
    options = {};
    options.kind = kind;
    expect_error<UsageError>([&] { (void)make_folds(data, options); }, {"need the group of every row"});
    expect_error<UsageError>([&] { (void)make_folds(data, options, std::vector<std::int32_t>(3)); },
                             {"3 groups for 20"});
    options.n_repeats = 2;
    expect_error<UsageError>([&] { (void)make_folds(data, options, groups); }, {"not shuffled or repeated"});
  }
  options = {};
  options.kind = FoldKind::time_series;
  options.shuffle = true;
  expect_error<UsageError>([&] { (void)make_folds(data, options); }, {"not shuffled or repeated"});
}

TEST(SearchFolds, DataThatDoesNotAllowThem) {
  FoldOptions options;
  options.kind = FoldKind::k_fold;
  expect_error<DataError>([&] { (void)make_folds(labelled({0, 1, 0}, 2), options); }, {"3 rows", "5 folds"});
  options.kind = FoldKind::time_series;
  expect_error<DataError>([&] { (void)make_folds(labelled({0, 1, 0, 1, 0}, 2), options); }, {"5 rows are too few"});
  options.kind = FoldKind::group;
  const Dataset data = labelled(repeated({10, 10}), 2);
  std::vector<std::int32_t> groups(20, 4);
  groups[0] = 9;
  expect_error<DataError>([&] { (void)make_folds(data, options, groups); }, {"2 groups", "5 folds", "at most 2"});
  options.kind = FoldKind::predefined;
  expect_error<DataError>([&] { (void)make_folds(data, options, std::vector<std::int32_t>(20, -1)); }, {"no row"});
  expect_error<DataError>([&] { (void)make_folds(data, options, std::vector<std::int32_t>(20, 3)); },
                          {"every row is in fold 3"});
  expect_error<DataError>([&] { (void)make_folds(data, options, std::vector<std::int32_t>(20, -2)); }, {"fold -2"});
  Dataset unlabelled = data;
  unlabelled.labels.clear();
  expect_error<DataError>([&] { (void)make_folds(unlabelled, {}); }, {"no labels"});
}

}  // namespace
}  // namespace overtake::test
