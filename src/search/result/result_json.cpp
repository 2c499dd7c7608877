// SPDX-License-Identifier: MIT
// The schema "overtake.search/1": cv_results_ has the keys of sklearn.model_selection.GridSearchCV, in their order.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/shallow_json.hpp"
#include "overtake/error.hpp"
#include "overtake/report.hpp"
#include "overtake/report_transfers.hpp"
#include "overtake/search.hpp"
#include "search/journal/parameters_json.hpp"
#include "search/result/result_view.hpp"

namespace overtake {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json parameters_of(const Parameters& parameters) {
  Json json = Json::object();
  for (const auto& [name, value] : parameters) json[name] = search_detail::json_of<Json>(value);
  return json;
}

/// One list over the rows.
template <typename Value>
Json column(const SearchResult& result, Value value) {
  Json list = Json::array();
  for (const SearchRow& row : result.rows) list.push_back(value(row));
  return list;
}

bool has_train_scores(const SearchResult& result) {
  return std::any_of(result.rows.begin(), result.rows.end(), [](const auto& row) { return !row.train_scores.empty(); });
}

/// Rows that failed have none.
void add_train_scores(const SearchResult& result, std::size_t metric, const std::string& name, Json& json) {
  for (std::size_t f = 0; f < result.rows[0].scores[0].size(); ++f) {
    json[fmt::format("split{}_train_{}", f, name)] = column(result, [&](const SearchRow& row) {
      return row.train_scores.empty() ? Json(nullptr) : number(row.train_scores[metric][f]);
    });
  }
  const auto value = [metric](const std::vector<double>& values) {
    return values.empty() ? Json(nullptr) : number(values[metric]);
  };
  json["mean_train_" + name] = column(result, [&](const SearchRow& row) { return value(row.train_mean); });
  json["std_train_" + name] = column(result, [&](const SearchRow& row) { return value(row.train_std); });
}

Json cv_results(const SearchResult& result) {
  Json json = Json::object();
  json["mean_fit_time"] = column(result, [](const SearchRow& row) { return number(row.mean_fit_seconds); });
  json["std_fit_time"] = column(result, [](const SearchRow&) { return Json(nullptr); });
  json["mean_score_time"] = column(result, [](const SearchRow& row) { return number(row.mean_score_seconds); });
  json["std_score_time"] = column(result, [](const SearchRow&) { return Json(nullptr); });
  for (const std::string& name : result.parameter_names) {
    json["param_" + name] = column(result, [&](const SearchRow& row) {
      const ParameterValue* value = search_detail::value_of(row, name);
      return value != nullptr ? search_detail::json_of<Json>(*value) : Json(nullptr);
    });
  }
  json["params"] = column(result, [](const SearchRow& row) { return parameters_of(row.parameters); });
  const std::size_t folds = result.rows.empty() || result.metrics.empty() ? 0 : result.rows[0].scores[0].size();
  for (std::size_t m = 0; m < result.metrics.size(); ++m) {
    const std::string name = result.metrics.size() == 1 ? "score" : std::string(name_of(result.metrics[m]));
    for (std::size_t f = 0; f < folds; ++f) {
      json[fmt::format("split{}_test_{}", f, name)] =
          column(result, [&](const SearchRow& row) { return number(row.scores[m][f]); });
    }
    json["mean_test_" + name] = column(result, [&](const SearchRow& row) { return number(row.mean[m]); });
    json["std_test_" + name] = column(result, [&](const SearchRow& row) { return number(row.std[m]); });
    json["rank_test_" + name] =
        column(result, [&](const SearchRow& row) { return row.done ? Json(row.rank[m]) : Json(nullptr); });
    if (has_train_scores(result)) add_train_scores(result, m, name, json);
  }
  return json;
}

/// With the drivers of the devices that computed, if this computer has it.
Json machine(const std::string& device) {
  std::vector<DeviceInfo> devices = {Device().info()};
  if (device != devices.front().id) devices = list_devices();  // which looks for drivers
  const bool both = device.starts_with("cpu + ");
  std::erase_if(devices, [&](const DeviceInfo& info) {
    const bool computed = info.id == device || (both && (info.id == "cpu" || "cpu + " + info.id == device));
    return !computed;
  });
  return Json::parse(shallow_json(report::machine_json(report::this_machine(), devices).dump()));
}

Json timing_of(const SearchTiming& timing) {
  Json json = Json::object();
  json["startup"] = timing.startup;
  json["upload"] = timing.upload;
  json["compute"] = timing.compute;
  json["scoring"] = timing.scoring;
  json["refit"] = timing.refit;
  json["wall"] = timing.wall;
  return json;
}

Json plan_of(const SearchPlan& plan) {
  Json json = Json::object();
  json["candidates"] = plan.candidates;
  json["folds"] = plan.folds;
  json["forests"] = plan.models;
  json["jobs"] = plan.jobs;
  json["batches"] = plan.batches;
  json["launches"] = plan.launches;
  json["peak_bytes"] = plan.peak_bytes;
  json["planned_host_bytes"] = plan.planned_host_bytes;
  json["host_peak_bytes"] = plan.host_peak_bytes;
  return json;
}

/// {"f1": "yes"} for the metrics of one class.
Json positive_of(const SearchResult& result) {
  Json json = Json::object();
  for (std::size_t m = 0; m < result.positive_classes.size(); ++m) {
    if (result.positive_classes[m].empty()) continue;
    json[std::string(name_of(result.metrics[m]))] = result.positive_classes[m];
  }
  return json;
}

Json devices_of(const SearchResult& result) {
  Json list = Json::array();
  for (const DeviceShare& share : result.devices) {
    Json one = Json::object();
    one["device"] = share.device;
    one["jobs"] = share.jobs;
    one["seconds"] = share.seconds;
    list.push_back(std::move(one));
  }
  return list;
}

Json failures_of(const SearchResult& result) {
  Json list = Json::array();
  for (std::size_t c = 0; c < result.rows.size(); ++c) {
    if (result.rows[c].failure.empty()) continue;
    Json failure = Json::object();
    failure["candidate"] = c;
    failure["reason"] = result.rows[c].failure;
    list.push_back(std::move(failure));
  }
  return list;
}

}  // namespace

std::string to_json(const SearchResult& result, std::string_view settings_json) {
  Json settings = Json::parse(shallow_json(settings_json), nullptr, false);
  if (!settings.is_object()) throw UsageError("the settings of a search are no JSON object");
  const bool has_best = result.best_index >= 0;
  const SearchRow* best = has_best ? &result.rows[static_cast<std::size_t>(result.best_index)] : nullptr;
  Json json = Json::object();
  json["schema"] = "overtake.search/1";
  json["machine"] = machine(result.device);
  json["settings"] = std::move(settings);
  json["estimator"] = result.estimator;
  json["task"] = name_of(result.task);
  Json metrics = Json::array();
  for (const Metric metric : result.metrics) metrics.push_back(name_of(metric));
  json["metrics"] = std::move(metrics);
  json["positive_class"] = positive_of(result);
  json["refit_metric"] = result.metrics.empty() ? Json(nullptr) : Json(name_of(result.metrics[result.refit_metric]));
  json["cv_results_"] = cv_results(result);
  json["best_index_"] = has_best ? Json(result.best_index) : Json(nullptr);
  json["best_params_"] = has_best ? parameters_of(best->parameters) : Json(nullptr);
  json["best_score_"] = has_best ? number(best->mean[result.refit_metric]) : Json(nullptr);
  json["best_ties"] = result.best_ties;
  json["timing"] = timing_of(result.timing);
  json["plan"] = plan_of(result.plan);
  json["device"] = result.device;
  json["devices"] = devices_of(result);
  json["transfers"] = Json::parse(shallow_json(report::transfers_json(result.transfers).dump()));
  json["device_reason"] = result.device_reason;
  json["prediction"] =
      result.prediction.device.empty() ? Json(nullptr) : Json::parse(shallow_json(to_json(result.prediction).dump()));
  json["interrupted"] = result.interrupted;
  json["resumed_jobs"] = result.resumed_jobs;
  json["failures"] = failures_of(result);
  json["warnings"] = result.warnings;
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace overtake
