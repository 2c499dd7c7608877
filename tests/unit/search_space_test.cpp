// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "data_support.hpp"
#include "overtake/forest.hpp"
#include "overtake/search.hpp"
#include "search_support.hpp"

namespace overtake::test {
namespace {

using Kind = Distribution::Kind;

ParameterValue whole(std::int64_t value) { return value; }
ParameterValue word(const char* text) { return std::string(text); }

ParameterValue value_of(const nlohmann::json& json) {
  if (json.is_null()) return std::monostate();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  return json.get<double>();
}

std::string text_of(const Parameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) text += name + "=" + to_text(value) + " ";
  return text;
}

TEST(SearchGrid, AxisIsParsed) {
  const GridAxis axis = parse_grid_axis(" max_depth = none, 3,0.5, sqrt ,true");
  EXPECT_EQ(axis.name, "max_depth");
  EXPECT_EQ(axis.values, (std::vector<ParameterValue>{std::monostate(), whole(3), 0.5, word("sqrt"), true}));
  const GridAxis nested = parse_grid_axis("class_weight=balanced,{a: 1, b: 2},none");
  ASSERT_EQ(nested.values.size(), 3U);
  EXPECT_EQ(nested.values[1], word("{a: 1, b: 2}"));
}

TEST(SearchGrid, WrongAxesAreRefused) {
  for (const char* text : {"max_depth", "=3", "max_depth=", "max_depth=3,,4", "max_depth=3,", "", "  = "}) {
    expect_error<UsageError>([&] { (void)parse_grid_axis(text); }, {"name=value"});
  }
  expect_error<UsageError>([] { (void)parse_grid_axis("a=3,4,3"); }, {"a lists the value 3 twice"});
}

TEST(SearchGrid, OrderIsScikitLearns) {
  for (const auto& golden : sklearn_answers<nlohmann::json>()["grids"]) {
    std::vector<GridAxis> axes;
    for (const auto& [name, values] : golden["grid"].items()) {
      GridAxis axis{name, {}};
      for (const auto& value : values) axis.values.push_back(value_of(value));
      axes.insert(axes.begin(), axis);  // not in the order of names
    }
    const std::vector<Parameters> candidates = grid_candidates(axes);
    ASSERT_EQ(candidates.size(), golden["candidates"].size());
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      for (const auto& [name, value] : candidates[i]) {
        EXPECT_EQ(value, value_of(golden["candidates"][i][name])) << "candidate " << i << ", " << name;
      }
      EXPECT_EQ(candidates[i].size(), golden["candidates"][i].size());
      EXPECT_TRUE(std::is_sorted(candidates[i].begin(), candidates[i].end(),
                                 [](const auto& a, const auto& b) { return a.first < b.first; }));
    }
  }
}

TEST(SearchGrid, EmptyGridIsOneCandidate) { EXPECT_EQ(grid_candidates({}), (std::vector<Parameters>{{}})); }

TEST(SearchGrid, TooManyOrTwiceIsRefused) {
  std::vector<GridAxis> axes;
  for (char name = 'a'; name < 'a' + 7; ++name) {
    GridAxis axis{std::string(1, name), {}};
    for (std::int64_t i = 0; i < 10; ++i) axis.values.emplace_back(i);
    axes.push_back(axis);
  }
  expect_error<UsageError>([&] { (void)grid_candidates(axes); }, {"more than 1000000 candidates", "random"});
  axes.resize(2);
  axes[1].name = "a";
  expect_error<UsageError>([&] { (void)grid_candidates(axes); }, {"a is given twice"});
  axes[1] = {"b", {}};
  expect_error<UsageError>([&] { (void)grid_candidates(axes); }, {"no values for b"});
}

TEST(SearchRandom, DistributionsAreParsed) {
  const Distribution whole_numbers = parse_distribution("max_depth = int( 2 , 20 )");
  EXPECT_EQ(whole_numbers.name, "max_depth");
  EXPECT_EQ(whole_numbers.kind, Kind::integer);
  EXPECT_EQ(whole_numbers.low, 2);
  EXPECT_EQ(whole_numbers.high, 20);
  EXPECT_EQ(parse_distribution("x=log-int(1,64)").kind, Kind::log_integer);
  EXPECT_EQ(parse_distribution("x=uniform(0.1,1)").kind, Kind::uniform);
  EXPECT_EQ(parse_distribution("x=log-uniform(1e-4,1)").low, 1e-4);
  const std::vector<ParameterValue> words = {word("gini"), word("entropy")};
  EXPECT_EQ(parse_distribution("c=gini,entropy").values, words);
  EXPECT_EQ(parse_distribution("c=choice(gini,entropy)").values, words);
  EXPECT_EQ(parse_distribution("c=choice(gini,entropy)").kind, Kind::choice);
  EXPECT_EQ(parse_distribution("c=3").values, (std::vector<ParameterValue>{whole(3)}));
}

TEST(SearchGrid, ValuesAsAJsonList) {
  const GridAxis axis = parse_grid_axis(R"(class_weight=[{"a,b":1,"c:d":2.5}, "balanced", null, 3, 1.0, true])");
  const std::vector<ParameterValue> expected = {word(R"({"a,b":1,"c:d":2.5})"),
                                                word("balanced"),
                                                std::monostate{},
                                                whole(3),
                                                ParameterValue(1.0),
                                                ParameterValue(true)};
  EXPECT_EQ(axis.values, expected);
  EXPECT_EQ(parse_distribution(R"(c=["x,y","z"])").values, (std::vector<ParameterValue>{word("x,y"), word("z")}));
  EXPECT_EQ(parse_grid_axis("max_features=1,1.0").values, (std::vector<ParameterValue>{whole(1), ParameterValue(1.0)}));
  expect_error<UsageError>([] { (void)parse_grid_axis("a=[1,2"); }, {"no JSON list"});
  expect_error<UsageError>([] { (void)parse_grid_axis("a=[]"); }, {"no values"});
  expect_error<UsageError>([] { (void)parse_grid_axis("a=[1,1]"); }, {"lists the value 1 twice"});
  expect_error<UsageError>([] { (void)parse_grid_axis("a=[[1],2]"); }, {"a list, not one value"});
  expect_error<UsageError>([] { (void)parse_grid_axis("a=[9223372036854775808]"); }, {"9223372036854775807"});
}

/// Class weights of any names, in one value.
TEST(SearchGrid, ClassWeightsAsAJsonObject) {
  ForestParameters parameters;
  parameters.set("class_weight", word(R"({"a,b":1,"c:d":2.5})"));
  EXPECT_EQ(parameters.class_weight.given, (std::map<std::string, double>{{"a,b", 1}, {"c:d", 2.5}}));
  ForestParameters again;
  for (const auto& [name, value] : parameters.all()) again.set(name, value);
  EXPECT_EQ(again.class_weight, parameters.class_weight);
  for (const char* wrong :
       {R"({"a":1,"a":2})", R"({"a":-1})", R"({"a":"x"})", "{}", R"({"a":1e400})", R"({"a":null})"}) {
    expect_error<UsageError>([&] { parameters.set("class_weight", word(wrong)); }, {"class_weight", "not accepted"});
  }
}

TEST(SearchRandom, WrongDistributionsAreRefused) {
  expect_error<UsageError>([] { (void)parse_distribution("x=normal(0,1)"); },
                           {"\"normal\" is no distribution", "log-int"});
  expect_error<UsageError>([] { (void)parse_distribution("x=int(2)"); }, {"1 bounds", "expected two"});
  expect_error<UsageError>([] { (void)parse_distribution("x=int(2,3,4)"); }, {"3 bounds"});
  expect_error<UsageError>([] { (void)parse_distribution("x=int(a,3)"); }, {"\"a\"", "is no number"});
  expect_error<UsageError>([] { (void)parse_distribution("x=int(2,3.5)"); }, {"expected whole numbers"});
  expect_error<UsageError>([] { (void)parse_distribution("x=int(5,2)"); }, {"low end first"});
  expect_error<UsageError>([] { (void)parse_distribution("x=log-int(0,5)"); }, {"at least 1"});
  expect_error<UsageError>([] { (void)parse_distribution("x=uniform(1,1)"); }, {"below the high end"});
  expect_error<UsageError>([] { (void)parse_distribution("x=uniform(nan,1)"); }, {"is no number"});
  expect_error<UsageError>([] { (void)parse_distribution("x=log-uniform(0,1)"); }, {"above 0"});
  expect_error<UsageError>([] { (void)parse_distribution("x"); }, {"names no values"});
  expect_error<UsageError>([] { (void)random_candidates({}, 3, 0); }, {"nothing to draw"});
  expect_error<UsageError>([] { (void)random_candidates({parse_distribution("x=int(1,2)")}, 0, 0); }, {"0 random"});
  expect_error<UsageError>(
      [] {
        (void)random_candidates({parse_distribution("x=int(1,2)"), parse_distribution("x=a,b")}, 2, 0);
      },
      {"x is given twice"});
}

TEST(SearchRandom, DrawsStayInRangeAndFillIt) {
  const std::vector<Distribution> space = {parse_distribution("a=int(-2,5)"), parse_distribution("b=log-int(1,64)"),
                                           parse_distribution("c=uniform(0.1,1)"),
                                           parse_distribution("d=log-uniform(1e-4,1)"), parse_distribution("e=x,y,z")};
  const std::vector<Parameters> candidates = random_candidates(space, 4000, 3);
  ASSERT_EQ(candidates.size(), 4000U);
  std::map<std::int64_t, int> a;
  std::map<std::string, int> e;
  int b_below_8 = 0;
  int d_below_001 = 0;
  double c_sum = 0;
  for (const Parameters& p : candidates) {
    ASSERT_EQ(p.size(), 5U);
    ++a[std::get<std::int64_t>(p[0].second)];
    const std::int64_t b = std::get<std::int64_t>(p[1].second);
    ASSERT_TRUE(b >= 1 && b <= 64);
    b_below_8 += b < 8 ? 1 : 0;
    const double c = std::get<double>(p[2].second);
    ASSERT_TRUE(c >= 0.1 && c < 1);
    c_sum += c;
    const double d = std::get<double>(p[3].second);
    ASSERT_TRUE(d >= 1e-4 && d < 1);
    d_below_001 += d < 0.01 ? 1 : 0;
    ++e[std::get<std::string>(p[4].second)];
  }
  ASSERT_EQ(a.size(), 8U);
  EXPECT_EQ(a.begin()->first, -2);
  for (const auto& [value, count] : a) EXPECT_NEAR(count, 500, 110) << value;  // five standard deviations
  for (const auto& [value, count] : e) EXPECT_NEAR(count, 4000.0 / 3, 150) << value;
  EXPECT_NEAR(b_below_8, 4000 * std::log(8.0) / std::log(65.0), 160);
  EXPECT_NEAR(d_below_001, 2000, 160);
  EXPECT_NEAR(c_sum / 4000, 0.55, 0.021);
}

TEST(SearchRandom, PrefixesAndSeeds) {
  const std::vector<Distribution> numbers = {parse_distribution("b=uniform(0,1)"), parse_distribution("a=int(1,1000)")};
  const std::vector<Distribution> words = {parse_distribution("b=1,2,3,4,5,6"), parse_distribution("a=u,v,w,x,y")};
  for (const auto& space : {numbers, words}) {
    const std::vector<Parameters> longer = random_candidates(space, 20, 7);
    const std::vector<Parameters> shorter = random_candidates(space, 9, 7);
    EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin()));
    EXPECT_NE(random_candidates(space, 9, 8), shorter);
    EXPECT_EQ(random_candidates({space[1], space[0]}, 9, 7), shorter) << "the order of the axes does not matter";
    EXPECT_EQ(shorter[0][0].first, "a");
  }
}

TEST(SearchRandom, WholeNumbersNeverRepeat) {
  const std::vector<Distribution> space = {parse_distribution("a=int(1,3)"), parse_distribution("b=x,y")};
  for (const int count : {1, 4, 6, 50}) {
    std::set<std::string> distinct;
    const std::vector<Parameters> candidates = random_candidates(space, count, 1);
    for (const Parameters& p : candidates) distinct.insert(text_of(p));
    EXPECT_EQ(candidates.size(), static_cast<std::size_t>(std::min(count, 6)));
    EXPECT_EQ(distinct.size(), candidates.size());
  }
  EXPECT_EQ(random_candidates({parse_distribution("a=int(1,1)")}, 1000, 5).size(), 1U);
}

TEST(SearchRandom, ChoicesNeverRepeat) {
  const std::vector<Distribution> space = {parse_distribution("a=1,2,3"), parse_distribution("b=x,y")};
  for (const int count : {1, 4, 6, 100}) {
    std::set<std::string> distinct;
    const std::vector<Parameters> candidates = random_candidates(space, count, 1);
    for (const Parameters& p : candidates) distinct.insert(text_of(p));
    EXPECT_EQ(candidates.size(), static_cast<std::size_t>(std::min(count, 6)));
    EXPECT_EQ(distinct.size(), candidates.size());
  }
}

}  // namespace
}  // namespace overtake::test
