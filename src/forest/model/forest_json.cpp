// SPDX-License-Identifier: MIT
// What a trained forest is worth, and its fit as JSON.
#include <type_traits>
#include <utility>

#include "core/parallel.hpp"
#include "forest/model/export_names.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"
#include "overtake/metrics.hpp"
#include "overtake/version.hpp"

namespace overtake {
namespace {

using report::Json;

Json json_of(const ParameterValue& value) {
  const auto write = [](const auto& held) -> Json {
    if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>)
      return {};
    else
      return held;
  };
  return std::visit(write, value);
}

}  // namespace

double score_of(const Forest& forest, const Dataset& data) {
  const bool classes = forest.classes > 0;
  if (data.rows < 1 || (classes ? data.labels.size() : data.targets.size()) != static_cast<std::size_t>(data.rows)) {
    throw DataError("a score needs at least one row and the true answer of every row");
  }
  if (data.features != forest.features) throw DataError("the data set has other features than the forest");
  return classes ? accuracy(forest.predict(data.inputs), data.labels)
                 : r2(forest.predict_values(data.inputs), data.targets);
}

report::Json to_json(const Forest& forest, const ForestReport& fit, double training_score) {
  Json parameters = Json::object();
  for (const auto& [name, value] : forest.parameters.all()) parameters.set(name, json_of(value));
  Json importances = Json::object();
  for (std::size_t i = 0; i < forest.feature_importances.size(); ++i) {
    importances.set(forest::feature_name(forest, static_cast<std::int32_t>(i)), forest.feature_importances[i]);
  }
  Json seconds = Json::object();
  seconds.set("prepare", fit.seconds.prepare).set("upload", fit.seconds.upload).set("compute", fit.seconds.compute);
  seconds.set("finish", fit.seconds.finish).set("wall", fit.seconds.wall);
  Json json = Json::object();
  json.set("schema", "overtake.train-forest/1").set("overtake", version());
  json.set("task", name_of(forest.parameters.task)).set("features", forest.features).set("classes", forest.classes);
  json.set("estimator", name_of(forest.parameters.kind)).set("parameters", std::move(parameters));
  json.set("device", fit.device).set("threads", thread_count());
  json.set("trees", fit.trees).set("nodes", fit.nodes).set("launches", fit.launches);
  json.set("peak_bytes", fit.peak_bytes).set("binned_bytes", fit.binned_bytes).set("seconds", std::move(seconds));
  json.set("planned_host_bytes", fit.planned_host_bytes).set("host_peak_bytes", fit.host_peak_bytes);
  json.set("training_score", training_score);
  json.set("oob_score", forest.oob_score ? Json(*forest.oob_score) : Json());
  json.set("oob_rows", forest.parameters.oob_score ? Json(forest.oob_rows) : Json());
  return json.set("notes", Json::list(fit.notes)).set("feature_importances", std::move(importances));
}

}  // namespace overtake
