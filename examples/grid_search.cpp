// SPDX-License-Identifier: MIT
// A grid search for a random forest on a CSV file: 16 candidates, 5 folds, all of it one batch of work. Usage:
// grid_search [file.csv] [target] [device]
#include <cstdio>

#include "overtake/data/preprocessing.hpp"
#include "overtake/data/table.hpp"
#include "overtake/error.hpp"
#include "overtake/search.hpp"

int main(int argc, char** argv) try {
  const overtake::Table table = overtake::read_table(argc > 1 ? argv[1] : "datasets/iris.csv");
  overtake::PreprocessingOptions raw;  // forests need no scaling, and understand missing cells and codes of text
  raw.standardise_features = raw.standardise_target = false;
  raw.keep_missing = raw.text_as_codes = true;
  const auto preprocessing = overtake::Preprocessing::fit(table, argc > 2 ? argv[2] : "species", raw);
  const overtake::Dataset data = preprocessing.transform(table);

  overtake::SearchOptions options;
  options.device = overtake::Device(argc > 3 ? argv[3] : "cpu");  // "cuda": the same scores, bit for bit
  options.fixed = {{"n_estimators", 100}};
  using overtake::parameter::none;
  const auto candidates =
      overtake::grid_candidates({{"max_depth", {none, 3, 5, 10}}, {"max_features", {"sqrt", 1, 0.5, none}}});
  const overtake::SearchResult result = overtake::search(data, candidates, options);

  std::printf("%s", overtake::to_text(result, 5).c_str());
  result.best->save("best.overtake", {{"preprocessing", preprocessing.to_json()}});
  std::printf("best score %.4f, forest in best.overtake\n", best_score(result));
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
