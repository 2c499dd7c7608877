// SPDX-License-Identifier: MIT
// A forest behind the face that all models of a search have.
#include <fmt/format.h>

#include <set>
#include <utility>

#include "forest/model/walks.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake {

ForestModel::ForestModel(Forest forest) : forest_(std::move(forest)) {}

ForestModel::~ForestModel() = default;

const forest::Walks& ForestModel::walks() const {
  std::call_once(walked_, [this] { walks_ = std::make_unique<forest::Walks>(forest_.trees); });
  return *walks_;
}

std::string ForestModel::describe() const {
  return fmt::format("{} of {} trees for {} features and {}", name_of(forest_.parameters.kind), forest_.trees.size(),
                     forest_.features, forest_.classes > 0 ? fmt::format("{} classes", forest_.classes) : "numbers");
}

std::vector<double> ForestModel::predict(std::span<const float> inputs) const {
  return forest_.classes > 0 ? forest::predict_shares(forest_, walks(), inputs)
                             : forest::predict_values(forest_, walks(), inputs);
}

std::vector<std::int32_t> ForestModel::predict_classes(std::span<const float> inputs) const {
  return forest::predict_classes(forest_, walks(), inputs);
}

std::vector<std::int32_t> ForestModel::apply(std::span<const float> inputs) const {
  return forest::find_leaves(forest_, walks(), inputs);
}

void ForestModel::save(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata) const {
  save_forest(path, forest_, metadata);
}

const Forest& forest_of(const Model* model) {
  const auto* forest = dynamic_cast<const ForestModel*>(model);
  if (forest == nullptr)
    throw UsageError("there is no forest", "SearchResult::best is null where nothing was refitted.");
  return forest->forest();
}

Preprocessing plain_columns(const Forest& forest, const std::map<std::int64_t, std::vector<std::string>>& categories) {
  Preprocessing how;
  how.task = forest.parameters.task;
  how.standardise = false;
  how.keep_missing = true;
  how.text_as_codes = true;
  std::set<std::string> names(forest.feature_names.begin(), forest.feature_names.end());
  const bool named = names.size() == static_cast<std::size_t>(forest.features) && !names.contains("");
  if (!named) names.clear();
  for (std::int32_t i = 0; i < forest.features; ++i) {
    Feature feature;
    feature.name = named ? forest.feature_names[i] : fmt::format("feature_{}", i);
    how.columns.push_back(feature.name);
    if (const auto found = categories.find(i); found != categories.end()) {
      feature.kind = ColumnKind::text;
      feature.declared_text = true;
      feature.categories = found->second;
    }
    how.features.push_back(std::move(feature));
  }
  how.target = "target";
  while (names.contains(how.target)) how.target += "_";
  how.columns.push_back(how.target);
  names = {forest.class_names.begin(), forest.class_names.end()};
  const bool named_classes = names.size() == static_cast<std::size_t>(forest.classes);
  for (std::int32_t label = 0; label < forest.classes; ++label) {
    how.classes.push_back(named_classes ? forest.class_names[label] : fmt::format("{}", label));
  }
  return how;
}

}  // namespace overtake
