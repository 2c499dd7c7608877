// SPDX-License-Identifier: MIT
// A result as text, JSON and HTML.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "data_support.hpp"
#include "overtake/search.hpp"
#include "search/result/results.hpp"
#include "search_support.hpp"

namespace overtake::test {
namespace {

using Json = nlohmann::ordered_json;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// `count` candidates of `parameters` parameters on `folds` folds with scores from a formula; every 50th failed.
SearchResult made_up(int count, int folds, std::vector<Metric> metrics, bool failures = true) {
  std::vector<Parameters> candidates;
  for (std::int64_t c = 0; c < count; ++c) {
    Parameters p = {{"criterion", std::string(c % 2 == 0 ? "gini" : "entropy")},
                    {"max_depth", c % 5 == 0 ? ParameterValue() : ParameterValue(c % 5 * 3)},
                    {"max_features", 0.1 + 0.9 * std::fmod(static_cast<double>(c) * 0.6180339887498949, 1.0)},
                    {"oob_score", false}};
    candidates.push_back(p);
  }
  SearchResult result;
  result.estimator = "random-forest";
  result.metrics = std::move(metrics);
  result.device = "cpu";
  search_detail::ScoreTable table(result, candidates, folds);
  for (std::int32_t c = 0; c < count; ++c) {
    for (std::int32_t f = 0; f < folds; ++f) {
      search_detail::JobRecord record{{c, f}, {}, "", 0.001 * c, 0.0001};
      for (std::size_t m = 0; m < result.metrics.size(); ++m) {
        record.scores.push_back(0.5 + std::fmod(0.137 * c + 0.011 * f + 0.3 * static_cast<double>(m), 0.5));
      }
      if (failures && c % 50 == 7) record.failure = "max_features=<b>\"70\"</b> & more";
      table.add(record);
    }
  }
  table.summarise();
  result.plan = {count, folds, std::int64_t{count} * folds, count / 2, 3, 99, 1 << 20};
  result.timing = {0.1, 0.01, 0.5, 0.02, 0.03, 0.7};
  return result;
}

TEST(SearchJson, HasScikitLearnsKeysInItsOrder) {
  const SearchResult result = made_up(60, 3, {Metric::accuracy});
  const Json json = Json::parse(to_json(result, R"({"cv": 3, "grid": ["max_depth=none,3"]})"));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json["cv_results_"].items()) {
    keys.push_back(key);
    EXPECT_EQ(value.size(), 60U) << key;
  }
  EXPECT_EQ(keys,
            (std::vector<std::string>{"mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time",
                                      "param_criterion", "param_max_depth", "param_max_features", "param_oob_score",
                                      "params", "split0_test_score", "split1_test_score", "split2_test_score",
                                      "mean_test_score", "std_test_score", "rank_test_score"}));
  EXPECT_EQ(json["schema"], "overtake.search/1");
  EXPECT_EQ(json["settings"]["cv"], 3);
  EXPECT_EQ(json["device"], "cpu");
  EXPECT_FALSE(json["machine"]["overtake"].get<std::string>().empty());
  EXPECT_GE(json["machine"]["cores"].get<int>(), 1);
  const Json& table = json["cv_results_"];
  EXPECT_TRUE(table["param_max_depth"][0].is_null());
  EXPECT_EQ(table["param_max_depth"][1], 3);
  EXPECT_EQ(table["params"][1]["criterion"], "entropy");
  EXPECT_TRUE(table["params"][0]["max_depth"].is_null());
  EXPECT_EQ(table["split1_test_score"][4].get<double>(), result.rows[4].scores[0][1]);
  EXPECT_EQ(table["mean_test_score"][4].get<double>(), result.rows[4].mean[0]);
  EXPECT_TRUE(table["mean_test_score"][7].is_null()) << "failed";
  EXPECT_EQ(table["rank_test_score"][7], 59) << "two of 60 failed";
  EXPECT_EQ(table["rank_test_score"][57], 59);
  const int best = json["best_index_"];
  EXPECT_EQ(table["rank_test_score"][static_cast<std::size_t>(best)], 1);
  EXPECT_EQ(json["best_params_"], table["params"][static_cast<std::size_t>(best)]);
  EXPECT_EQ(json["best_score_"], table["mean_test_score"][static_cast<std::size_t>(best)]);
  for (const char* key : {"startup", "upload", "compute", "scoring", "refit", "wall"}) {
    EXPECT_TRUE(json["timing"][key].is_number()) << key;
  }
  for (const char* key : {"candidates", "forests", "jobs", "launches", "peak_bytes"}) {
    EXPECT_TRUE(json["plan"][key].is_number_integer()) << key;
  }
  EXPECT_EQ(json["failures"].size(), 2U);
  EXPECT_EQ(json["failures"][0]["candidate"], 7);
}

TEST(SearchJson, SeveralMetricsAndUnfinishedRows) {
  SearchResult result = made_up(4, 2, {Metric::accuracy, Metric::neg_log_loss}, false);
  result.rows[2].done = false;
  result.rows[2].mean[0] = nan;
  const Json json = Json::parse(to_json(result));
  const Json& table = json["cv_results_"];
  EXPECT_TRUE(table.contains("split1_test_neg_log_loss"));
  EXPECT_TRUE(table.contains("rank_test_accuracy"));
  EXPECT_FALSE(table.contains("mean_test_score"));
  EXPECT_TRUE(table["rank_test_accuracy"][2].is_null());
  EXPECT_EQ(json["metrics"], Json::parse(R"(["accuracy", "neg_log_loss"])"));
  expect_error<UsageError>([&] { (void)to_json(result, "[1]"); }, {"no JSON object"});
  expect_error<UsageError>([&] { (void)to_json(result, "{"); }, {"no JSON object"});
}

TEST(SearchJson, NoBestIsNull) {
  SearchResult result = made_up(4, 2, {Metric::accuracy}, false);
  result.best_index = -1;
  const Json json = Json::parse(to_json(result));
  EXPECT_TRUE(json["best_index_"].is_null());
  EXPECT_TRUE(json["best_params_"].is_null());
  EXPECT_TRUE(json["best_score_"].is_null());
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

TEST(SearchText, ShowsTheBestInOrder) {
  const SearchResult result = made_up(60, 3, {Metric::accuracy, Metric::f1_macro});
  const std::string text = to_text(result, 5);
  const std::vector<std::string> lines = lines_of(text);
  EXPECT_EQ(lines[0].find("Best of 60 candidates: accuracy 0."), 0U) << text;
  EXPECT_NE(lines[1].find("rank  accuracy"), std::string::npos) << text;
  EXPECT_NE(lines[1].find("max_features"), std::string::npos);
  EXPECT_NE(lines[1].find("f1_macro"), std::string::npos);
  EXPECT_EQ(lines[1].find("oob_score"), std::string::npos) << "does not vary";
  EXPECT_EQ(lines[1].find("failure"), std::string::npos) << "none of these failed";
  EXPECT_EQ(lines[3].find("   1  "), 0U) << text;
  EXPECT_EQ(lines[8], "(55 more)");
  EXPECT_EQ(lines[9].find("note: 2 candidates failed; the first: max_features=<b>"), 0U) << text;
  EXPECT_EQ(lines.size(), 10U) << text;
  const std::vector<std::string> all = lines_of(to_text(result, 1000));
  EXPECT_EQ(all.size(), 64U);
  EXPECT_NE(all[1].find("failure"), std::string::npos);
  EXPECT_EQ(all[62].find("   -"), 0U) << all[62];
}

/// A result of two candidates with these values, and scores that tie when they are equal.
SearchResult with_values(std::vector<ParameterValue> values, std::vector<double> scores) {
  std::vector<Parameters> candidates;
  for (ParameterValue& value : values) candidates.push_back({{"max_features", std::move(value)}});
  SearchResult result;
  result.metrics = {Metric::f1};
  result.positive_classes = {"yes"};
  search_detail::ScoreTable table(result, candidates, 1);
  for (std::int32_t c = 0; c < static_cast<std::int32_t>(scores.size()); ++c) {
    table.add({{c, 0}, {scores[static_cast<std::size_t>(c)]}, "", 0, 0});
  }
  table.summarise();
  return result;
}

TEST(SearchText, ValuesAreShownAsTheyAre) {
  const double drawn = 0.12345678901234567;
  const double close = 0.12345678901234;
  const SearchResult result =
      with_values({std::int64_t{1}, 1.0, 0.9999999, drawn, close, 1e-7}, {0.6, 0.5, 0.4, 0.3, 0.2, 0.1});
  const std::vector<std::string> lines = lines_of(to_text(result, 10));
  EXPECT_NE(lines[0].find("with max_features=1"), std::string::npos);
  EXPECT_EQ(lines[0].find("1.0"), std::string::npos) << lines[0];
  EXPECT_EQ(lines[1], "positive class: f1: yes");
  for (std::size_t i = 4; i + 1 < 10; ++i) {
    for (std::size_t j = i + 1; j < 10; ++j) {
      const auto cell = [&](std::size_t row) {
        std::vector<std::string> words;
        for (std::size_t at = 0; at < lines[row].size();) {
          const std::size_t end = std::min(lines[row].find(' ', at), lines[row].size());
          if (end > at) words.push_back(lines[row].substr(at, end - at));
          at = end + 1;
        }
        return words.at(3);
      };
      EXPECT_NE(cell(i), cell(j));
    }
  }
  EXPECT_NE(lines[5].find(" 1.0 "), std::string::npos) << lines[5];
  EXPECT_NE(lines[6].find(" 0.9999999 "), std::string::npos) << lines[6];
  const SearchResult best = with_values({drawn}, {0.5});
  EXPECT_NE(to_text(best, 1).find("max_features=" + to_text(drawn)), std::string::npos)
      << "all digits, to be given again";
  const Json data = Json::parse(to_json(result));
  EXPECT_TRUE(data["cv_results_"]["param_max_features"][0].is_number_integer());
  EXPECT_TRUE(data["cv_results_"]["param_max_features"][1].is_number_float());
  EXPECT_EQ(data["positive_class"], Json::parse(R"({"f1": "yes"})"));
}

TEST(SearchText, TiesForTheBestAreTold) {
  const SearchResult result = with_values({0.1, 0.2, 0.3, 0.4}, {0.5, 0.7, 0.7 * (1 + 4e-13), 0.7});
  EXPECT_EQ(result.best_index, 1) << "the first of those that tie";
  EXPECT_EQ(result.best_ties, 3);
  EXPECT_EQ(result.rows[0].rank[0], 4);
  EXPECT_NE(to_text(result, 1).find("note: 3 candidates tie for the best"), std::string::npos);
  EXPECT_EQ(Json::parse(to_json(result))["best_ties"], 3);
  EXPECT_NE(to_html(result, "t").find("3 candidates tie for the best"), std::string::npos);
  EXPECT_EQ(to_text(with_values({0.1, 0.2}, {0.5, 0.6}), 1).find("tie"), std::string::npos);
}

TEST(SearchText, FitsTheWidth) {
  const SearchResult result = made_up(60, 3, {Metric::accuracy, Metric::f1_macro}, false);
  const std::vector<std::string> lines = lines_of(to_text(result, 3, 60));
  for (std::size_t i = 1; i < 6; ++i) EXPECT_LE(lines[i].size(), 60U) << lines[i];
  EXPECT_NE(lines[6].find("not shown at this width"), std::string::npos);
}

TEST(SearchText, OddResults) {
  EXPECT_EQ(to_text(SearchResult(), 5), "no candidates\n");
  SearchResult result = made_up(1, 2, {Metric::accuracy}, false);
  EXPECT_NE(to_text(result, 5).find("Best of 1 candidate:"), std::string::npos);
  EXPECT_NE(to_text(result, 5).find("oob_score"), std::string::npos) << "with one candidate every value is shown";
  expect_error<UsageError>([&] { (void)to_text(result, -1); }, {"-1 rows"});
  result.rows[0].done = false;
  result.best_index = -1;
  EXPECT_EQ(to_text(result, 5),
            "None of 1 candidate has a score yet\nnote: 0 of 1 candidates are done; ranks are among these\n");
}

/// The JSON inside the page.
Json data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const std::size_t at = page.find(begin);
  EXPECT_NE(at, std::string::npos);
  const std::size_t end = page.find("</script>", at);
  return Json::parse(page.substr(at + begin.size(), end - at - begin.size()));
}

TEST(SearchHtml, HoldsTheTableInColumns) {
  const SearchResult result = made_up(120, 3, {Metric::accuracy, Metric::f1_macro});
  const Json data = data_of(to_html(result, "iris"));
  EXPECT_EQ(data["metric"], "accuracy");
  EXPECT_EQ(data["best"], result.best_index);
  ASSERT_EQ(data["score"].size(), 120U);
  EXPECT_NEAR(data["score"][3].get<double>(), result.rows[3].mean[0], 1e-6);
  EXPECT_TRUE(data["score"][7].is_null());
  EXPECT_TRUE(data["rank"][7].is_null()) << "a failed candidate is not in the ranking";
  EXPECT_EQ(data["others"][0]["name"], "f1_macro");
  ASSERT_EQ(data["parameters"].size(), 3U) << "only those that vary";
  const Json& depth = data["parameters"][1];
  EXPECT_EQ(depth["words"], Json::parse(R"(["3", "6", "9", "12", "none"])"));
  EXPECT_EQ(depth["data"][0], 4);
  EXPECT_EQ(depth["data"][2], 1);
  const Json& features = data["parameters"][2];
  EXPECT_TRUE(features["words"].is_null());
  EXPECT_NEAR(features["data"][1].get<double>(), 0.1 + 0.9 * 0.618034, 1e-6);
  EXPECT_EQ(data["folds"]["rows"].size(), 100U);
  EXPECT_EQ(data["folds"]["rows"][0], result.best_index);
  EXPECT_EQ(data["folds"]["scores"][0].size(), 3U);
  EXPECT_EQ(data["failures"]["57"], 0);
  EXPECT_EQ(data["failure_texts"].size(), 1U);
  double sum = 0;
  for (const auto& time : data["times"]) sum += time[1].get<double>();
  EXPECT_NEAR(sum, result.timing.wall, 1e-9);
}

/// A count and a share of the same number are two words, not one point of an axis.
TEST(SearchHtml, CountsAndSharesAreApart) {
  std::vector<ParameterValue> values;
  std::vector<double> scores;
  for (std::int64_t i = 1; i <= 20; ++i) {
    values.emplace_back(i);
    scores.push_back(0.5);
  }
  values.emplace_back(1.0);
  scores.push_back(0.4);
  const Json features = data_of(to_html(with_values(values, scores), "t"))["parameters"][0];
  ASSERT_EQ(features["words"].size(), 21U);
  EXPECT_EQ(features["words"][features["data"][0].get<std::size_t>()], "1");
  EXPECT_EQ(features["words"][features["data"][20].get<std::size_t>()], "1.0");
}

TEST(SearchHtml, TextIsEscapedAndNothingIsLoaded) {
  SearchResult result = made_up(60, 3, {Metric::accuracy});
  const std::string evil = "</script><script>alert(1)</script>\"'&";
  for (SearchRow& row : result.rows) row.parameters[0] = {"criterion", evil};
  result.rows[1].parameters[0].second = std::string("x");
  result.warnings = {evil};
  result.device_reason = evil;
  const std::string page = to_html(result, evil);
  EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(data_of(page)["parameters"][0]["words"][0], evil);
  for (const char* loading : {"src=", "href=", "@import", "url(", "http://", "https://", "fetch("}) {
    EXPECT_EQ(page.find(loading), std::string::npos) << loading;
  }
  EXPECT_EQ(page.find("{{"), std::string::npos);
  std::size_t scripts = 0;
  for (std::size_t at = page.find("<script"); at != std::string::npos; at = page.find("<script", at + 1)) ++scripts;
  EXPECT_EQ(scripts, 3U);
}

TEST(SearchHtml, TenThousandCandidatesStaySmall) {
  const std::string page =
      to_html(made_up(10'000, 10, {Metric::accuracy, Metric::f1_macro, Metric::neg_log_loss}), "big");
  EXPECT_LT(page.size(), 2'000'000U);
  EXPECT_EQ(data_of(page)["score"].size(), 10'000U);
}

TEST(SearchHtml, OddResults) {
  EXPECT_NE(to_html(SearchResult(), "none").find("No candidates"), std::string::npos);
  SearchResult result = made_up(3, 2, {Metric::accuracy}, false);
  for (SearchRow& row : result.rows) row.mean[0] = nan;
  result.best_index = -1;
  EXPECT_NE(to_html(result, "failed").find("None of 3 candidates has a score"), std::string::npos);
}

}  // namespace
}  // namespace overtake::test
