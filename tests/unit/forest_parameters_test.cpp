// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "forest/model/class_weight_text.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const ParameterValue none{};

ForestParameters with(std::string_view name, const ParameterValue& value) {
  ForestParameters parameters;
  parameters.set(name, value);
  return parameters;
}

/// Message and hint of the UsageError that `action` throws; empty when it throws none.
std::string complaint_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const UsageError& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return {};
}

std::string refusal(std::string_view name, const ParameterValue& value) {
  return complaint_of([&] { ForestParameters().set(name, value); });
}

TEST(ParameterValues, AreReadByForm) {
  EXPECT_EQ(parse_parameter_value("None"), none);
  EXPECT_EQ(parse_parameter_value("TRUE"), ParameterValue(true));
  EXPECT_EQ(parse_parameter_value("false"), ParameterValue(false));
  EXPECT_EQ(parse_parameter_value("10"), ParameterValue(std::int64_t{10}));
  EXPECT_EQ(parse_parameter_value("+7"), ParameterValue(std::int64_t{7}));
  EXPECT_EQ(parse_parameter_value("-3"), ParameterValue(std::int64_t{-3}));
  EXPECT_EQ(parse_parameter_value("10.0"), ParameterValue(10.0));
  EXPECT_EQ(parse_parameter_value("1e-3"), ParameterValue(1e-3));
  EXPECT_EQ(parse_parameter_value("99999999999999999999"), ParameterValue(1e20));
  for (const char* word : {"sqrt", "nan", "inf", "", "1,5", "10x", "+-3", "1e999", "0:1,1:2"}) {
    EXPECT_EQ(parse_parameter_value(word), ParameterValue(std::string(word))) << word;
  }
}

TEST(ParameterValues, TextReadsBack) {
  EXPECT_EQ(to_text(none), "none");
  EXPECT_EQ(to_text(true), "true");
  EXPECT_EQ(to_text(1.0), "1.0");
  EXPECT_EQ(to_text(0.1), "0.1");
  EXPECT_EQ(to_text(std::int64_t{10}), "10");
  const std::vector<ParameterValue> values = {none, false,          std::int64_t{-5},   3.0, 1.0 / 3, 1e300, 5e-324,
                                              -0.5, 123456789012.0, std::string("log2")};
  for (const ParameterValue& value : values) EXPECT_EQ(parse_parameter_value(to_text(value)), value) << to_text(value);
}

TEST(ForestParameters, DefaultsAreScikitLearns) {
  const auto forest = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  EXPECT_EQ(forest.n_estimators, 100);
  EXPECT_EQ(forest.criterion, Criterion::gini);
  EXPECT_EQ(forest.max_features.kind, MaxFeatures::Kind::sqrt);
  EXPECT_TRUE(forest.bootstrap);
  EXPECT_FALSE(forest.max_depth);
  const auto extra = ForestParameters::defaults(ForestKind::extra_trees, Task::regression);
  EXPECT_FALSE(extra.bootstrap);
  EXPECT_EQ(extra.criterion, Criterion::squared_error);
  EXPECT_EQ(extra.max_features.kind, MaxFeatures::Kind::all);
  for (const auto kind : {ForestKind::random_forest, ForestKind::extra_trees}) {
    for (const auto task : {Task::classification, Task::regression}) {
      EXPECT_NO_THROW(ForestParameters::defaults(kind, task).check());
    }
  }
}

/// For each parameter: values that are accepted, and values that are not.
struct Rule {
  const char* name;
  std::vector<ParameterValue> good, bad;
};

const std::vector<Rule>& rules() {
  using Whole = std::int64_t;
  using Word = std::string;
  static const double nan = std::numeric_limits<double>::quiet_NaN();
  static const double infinity = std::numeric_limits<double>::infinity();
  static const std::vector<Rule> list = {
      {"n_estimators",
       {Whole{1}, Whole{500}},
       {Whole{0}, Whole{-1}, 10.0, 0.5, true, none, Word("many"), Whole{1} << 40}},
      {"criterion",
       {Word("gini"), Word("entropy"), Word("log_loss"), Word("squared_error"), Word("friedman_mse"), Word("poisson")},
       {Word("mse"), Word("absolute_error"), Word("Gini"), Word(""), Whole{1}, none, true}},
      {"max_depth", {none, Whole{1}, Whole{30}}, {Whole{0}, Whole{-3}, 3.0, 0.5, true, Word("deep")}},
      {"min_samples_split",
       {Whole{2}, Whole{50}, 0.1, 1.0},
       {Whole{1}, Whole{0}, 0.0, 1.5, 2.0, -0.1, nan, none, true}},
      {"min_samples_leaf", {Whole{1}, Whole{9}, 0.1, 0.99}, {Whole{0}, 1.0, 0.0, 1.5, nan, none, Word("x")}},
      {"min_weight_fraction_leaf", {0.0, 0.5, 0.2, Whole{0}}, {0.51, -0.1, Whole{1}, nan, none, true}},
      {"max_features",
       {Word("sqrt"), Word("log2"), none, Whole{1}, Whole{9}, 0.3, 1.0},
       {Word("auto"), Word("all"), Whole{0}, 0.0, 1.1, -0.5, nan, true}},
      {"max_leaf_nodes", {none, Whole{2}}, {Whole{1}, Whole{0}, 2.0, true, Word("x")}},
      {"min_impurity_decrease", {0.0, 3.5, Whole{2}}, {-0.1, nan, infinity, none, Word("x")}},
      {"bootstrap", {true, false}, {Whole{1}, Word("yes"), none}},
      {"oob_score", {true, false}, {Whole{0}, Word("accuracy"), none}},
      {"random_state", {Whole{0}, std::numeric_limits<Whole>::max()}, {Whole{-1}, none, 1.0, Word("x"), true}},
      {"warm_start", {true, false}, {Whole{1}, none}},
      {"class_weight",
       {none, Word("balanced"), Word("balanced_subsample"), Word("a:1,b:2.5"), Word("a=0")},
       {Word("a"), Word("a:-1"), Word("a:x"), Word("a:1,a:2"), Word(""), Word("a:inf"), Whole{2}, true}},
      {"ccp_alpha", {0.0, 0.01, Whole{1}}, {-0.01, nan, infinity, none}},
      {"max_samples", {none, Whole{1}, 0.5, 1.0}, {Whole{0}, 0.0, 1.5, 10.0, nan, true, Word("half")}},
      {"max_bins", {Whole{2}, Whole{65535}}, {Whole{1}, Whole{65536}, 256.0, none}},
  };
  return list;
}

TEST(ForestParameters, EveryParameterAcceptsAndRefuses) {
  std::vector<std::string> names;
  for (const Rule& rule : rules()) {
    names.emplace_back(rule.name);
    for (const ParameterValue& value : rule.good) {
      EXPECT_EQ(refusal(rule.name, value), "") << rule.name << "=" << to_text(value);
    }
    for (const ParameterValue& value : rule.bad) {
      const std::string message = refusal(rule.name, value);
      EXPECT_THAT(message, HasSubstr(rule.name)) << "accepted: " << to_text(value);
      EXPECT_THAT(message, HasSubstr(to_text(value)));
      EXPECT_THAT(message, HasSubstr("expected"));
    }
  }
  const auto known = ForestParameters::names();
  EXPECT_EQ(names, std::vector<std::string>(known.begin(), known.end()));
}

TEST(ForestParameters, ARefusedValueChangesNothing) {
  ForestParameters parameters = with("max_depth", std::int64_t{4});
  const ForestParameters before = parameters;
  EXPECT_THROW(parameters.set("max_depth", std::int64_t{0}), UsageError);
  EXPECT_THROW(parameters.set("criterion", std::string("mse")), UsageError);
  EXPECT_EQ(parameters, before);
}

TEST(ForestParameters, AllReadsBack) {
  for (const Rule& rule : rules()) {
    for (const ParameterValue& value : rule.good) {
      const ForestParameters parameters = with(rule.name, value);
      ForestParameters copy;
      copy.set(parameters.all());
      EXPECT_EQ(copy, parameters) << rule.name << "=" << to_text(value);
      for (const auto& [name, text] : parameters.all()) copy.set(name, parse_parameter_value(to_text(text)));
      EXPECT_EQ(copy, parameters) << rule.name << "=" << to_text(value) << " by text";
    }
  }
}

TEST(ForestParameters, MeaningOfValues) {
  EXPECT_EQ(with("criterion", std::string("log_loss")).criterion, Criterion::entropy);
  EXPECT_EQ(with("max_features", 1.0).max_features.kind, MaxFeatures::Kind::all);
  EXPECT_EQ(with("max_features", none).max_features.kind, MaxFeatures::Kind::all);
  EXPECT_EQ(with("max_features", std::int64_t{1}).max_features, (MaxFeatures(1)));
  EXPECT_EQ(with("max_features", 0.25).max_features, (MaxFeatures(0.25)));
  EXPECT_EQ(with("min_samples_split", 1.0).min_samples_split, (CountOrFraction(1.0)));
  EXPECT_EQ(with("min_samples_leaf", std::int64_t{3}).min_samples_leaf, (CountOrFraction(3)));
  const ClassWeight weight = with("class_weight", std::string("a b:1,c=2.5")).class_weight;
  EXPECT_EQ(weight.kind, ClassWeight::Kind::given);
  EXPECT_THAT(weight.given, ElementsAre(Pair("a b", 1), Pair("c", 2.5)));
}

TEST(ForestParameters, HintsSayWhatToDo) {
  EXPECT_THAT(refusal("n_estimators", 10.0), HasSubstr("n_estimators=10."));
  EXPECT_THAT(refusal("min_samples_leaf", 5.0), HasSubstr("share"));
  EXPECT_THAT(refusal("criterion", std::string("mse")), HasSubstr("squared_error"));
  EXPECT_THAT(refusal("criterion", std::string("ginni")), HasSubstr("Did you mean gini?"));
  EXPECT_THAT(refusal("criterion", std::string("absolute_error")), HasSubstr("no absolute_error"));
  EXPECT_THAT(refusal("max_dept", std::int64_t{3}), HasSubstr("Did you mean max_depth?"));
  EXPECT_THAT(refusal("n_jobs", std::int64_t{3}), HasSubstr("all cores"));
  EXPECT_NE(refusal("verbose", std::int64_t{1}), "");
  EXPECT_THAT(refusal("wibble", none), HasSubstr("n_estimators, criterion"));
}

std::string check(Task task, const std::function<void(ForestParameters&)>& change) {
  ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, task);
  change(parameters);
  return complaint_of([&] { parameters.check(); });
}

TEST(ForestParameters, CheckFindsWhatDoesNotGoTogether) {
  EXPECT_EQ(check(Task::classification, [](auto&) {}), "");
  EXPECT_THAT(check(Task::regression, [](auto& p) { p.criterion = Criterion::gini; }), HasSubstr("criterion"));
  EXPECT_THAT(check(Task::classification, [](auto& p) { p.criterion = Criterion::poisson; }), HasSubstr("criterion"));
  EXPECT_THAT(check(Task::regression, [](auto& p) { p.class_weight.kind = ClassWeight::Kind::balanced; }),
              HasSubstr("class_weight"));
  const auto no_bootstrap = [](ForestParameters& p) {
    p.bootstrap = false;
    p.oob_score = true;
  };
  EXPECT_THAT(check(Task::classification, no_bootstrap), HasSubstr("oob_score"));
  const auto no_draws = [](ForestParameters& p) {
    p.bootstrap = false;
    p.max_samples = CountOrFraction(0.5);
  };
  EXPECT_THAT(check(Task::classification, no_draws), HasSubstr("max_samples"));
}

TEST(ForestParameters, CheckFindsFieldsOutOfRange) {
  EXPECT_THAT(check(Task::classification, [](auto& p) { p.n_estimators = 0; }), HasSubstr("n_estimators"));
  EXPECT_THAT(check(Task::classification, [](auto& p) { p.max_bins = 70000; }), HasSubstr("max_bins"));
  EXPECT_THAT(check(Task::classification, [](auto& p) { p.ccp_alpha = -1; }), HasSubstr("ccp_alpha"));
  EXPECT_THAT(check(Task::classification, [](auto& p) { p.random_state = ~std::uint64_t{0}; }),
              HasSubstr("random_state"));
}

TEST(ClassWeightText, NamesMayHoldSeparators) {
  const std::map<std::string, double> weights = {{"a:b", 1}, {"c,d", 0.1}, {"e=f", 2}, {"g\\", 3}, {" ", 0}};
  const auto read = forest::parse_class_weights(forest::class_weights_text(weights));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, weights);
  EXPECT_FALSE(forest::parse_class_weights("a:1\\"));
  EXPECT_FALSE(forest::parse_class_weights("a:1,"));
  EXPECT_FALSE(forest::parse_class_weights(":1"));
}

TEST(ForestParameters, ASeedBeyondTheLargestIsNamed) {
  ForestParameters parameters;
  parameters.random_state = std::uint64_t{1} << 63;
  const std::string complaint = complaint_of([&] { parameters.check(); });
  EXPECT_THAT(complaint, HasSubstr("9223372036854775808"));
  EXPECT_THAT(complaint, HasSubstr("9223372036854775807"));
  parameters.random_state -= 1;
  parameters.check();
}

TEST(ForestParameterValues, FieldsTakePlainValues) {
  ForestParameters p;
  p.max_features = "log2";
  p.min_samples_split = 10;
  p.min_samples_leaf = 0.1;
  p.max_samples = 0.5;
  p.class_weight = "balanced";
  ForestParameters named;
  named.set({{"max_features", "log2"},
             {"min_samples_split", std::int64_t{10}},
             {"min_samples_leaf", 0.1},
             {"max_samples", 0.5},
             {"class_weight", "balanced"}});
  EXPECT_EQ(p, named);
  EXPECT_NO_THROW(p.check());
  p.max_features = 3;
  EXPECT_EQ(p.max_features.kind, MaxFeatures::Kind::count);
  p.max_features = 1.0;
  EXPECT_EQ(p.max_features, MaxFeatures(parameter::none));
  p.class_weight = {{"rare", 10.0}, {"common", 1.0}};
  EXPECT_EQ(p.class_weight.given.at("rare"), 10);
  EXPECT_THROW(p.max_features = "squirt", UsageError);
  EXPECT_THROW(p.class_weight = "balance", UsageError);
  p.max_features = 1.5;
  EXPECT_THROW(p.check(), UsageError);
}

}  // namespace
}  // namespace overtake
