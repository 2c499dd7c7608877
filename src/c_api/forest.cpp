// SPDX-License-Identifier: MIT
// Training forests, and what is in them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "c_api/json.hpp"
#include "c_api/settings.hpp"
#include "c_api/watch.hpp"
#include "overtake/forest.hpp"
#include "overtake/forest/place.hpp"
#include "overtake/placement.hpp"
#include "overtake/text.hpp"

namespace api = overtake::c_api;
using overtake::Forest;
using overtake::ForestModel;
using overtake::ForestParameters;
using overtake::UsageError;
using overtake::report::Json;

namespace {

overtake::ForestKind kind_of(const char* kind) {
  static const std::array<std::string, 2> kinds = {std::string(name_of(overtake::ForestKind::random_forest)),
                                                   std::string(name_of(overtake::ForestKind::extra_trees))};
  const std::string name = api::text_of(kind, "kind");
  overtake::text::check_choice("kind", name, kinds);
  return name == kinds[0] ? overtake::ForestKind::random_forest : overtake::ForestKind::extra_trees;
}

overtake::Task task_of(const char* task) {
  static const std::array<std::string, 2> tasks = {std::string(name_of(overtake::Task::classification)),
                                                   std::string(name_of(overtake::Task::regression))};
  const std::string name = api::text_of(task, "task");
  overtake::text::check_choice("task", name, tasks);
  return name == tasks[0] ? overtake::Task::classification : overtake::Task::regression;
}

/// The defaults with the given ones over them.
ForestParameters checked_parameters(const char* kind, overtake::Task task, const char* parameters) {
  ForestParameters result = ForestParameters::defaults(kind_of(kind), task);
  result.set(api::parse_parameters(parameters, "parameters"));
  result.check();
  return result;
}

const Forest& forest_in(const overtake_model* model) {
  const overtake::Model& held = *api::given(model, "model").model;
  if (const auto* forest = dynamic_cast<const ForestModel*>(&held)) return forest->forest();
  throw UsageError(fmt::format("trees belong to forests, and this is a {}", held.describe()));
}

const overtake::Tree& tree_of(const Forest& forest, std::int64_t index) {
  if (index >= 0 && index < static_cast<std::int64_t>(forest.trees.size())) return forest.trees[index];
  throw UsageError(fmt::format("tree {} does not exist; the forest has {} trees", index, forest.trees.size()),
                   "Trees are numbered from 0.");
}

/// Where to train: `device` is the settings', "auto" chooses.
overtake::Placement place(const std::string& device, const ForestParameters& parameters, const overtake_data& data,
                          const overtake::MemoryLimits& limits) {
  if (device != "auto") {
    overtake::Placement placement;
    placement.device = device;
    return placement;
  }
  return place_forest(parameters, data.rows, limits);
}

Json report_of(const Forest& forest, const overtake::ForestReport& fit, const overtake::Placement& placement,
               const overtake::Dataset& rows) {
  Json json = to_json(forest, fit, score_of(forest, rows));
  json.set("device_reason", Json::text_or_null(placement.reason));
  const overtake::Prediction* prediction = placement.chosen();
  return json.set("prediction", prediction != nullptr ? to_json(*prediction) : Json());
}

}  // namespace

overtake_status overtake_forest_parameters(const char* kind, const char* task, const char* parameters,
                                           overtake_text** json) {
  return api::guarded([&] {
    overtake_text*& result = api::given(json, "json");
    api::hand_out(api::json_of(checked_parameters(kind, task_of(task), parameters).all()).dump(-1), &result);
  });
}

// All that a call in C says stands in its arguments.
// NOLINTNEXTLINE(readability-function-size)
overtake_status overtake_forest_train(const char* kind, const char* parameters, const overtake_data* data,
                                      const char* settings, const overtake_model* earlier, const overtake_watch* watch,
                                      overtake_model** model, overtake_text** report) {
  return api::guarded([&] {
    overtake_model*& result = api::given(model, "model");
    const overtake_data& given = api::given(data, "data");
    api::require_answers(given);
    const ForestParameters wanted = checked_parameters(kind, given.rows.task, parameters);
    const api::Settings asked(settings, {"device", "memory_limit", "host_memory_limit"});
    const overtake::MemoryLimits limits{asked.bytes("memory_limit"), asked.bytes("host_memory_limit")};
    api::Watch watcher(watch);
    overtake::ForestOptions options;
    const overtake::Placement placement = place(asked.text("device").value_or("auto"), wanted, given, limits);
    options.device = overtake::Device(placement.device);
    options.memory_limit = limits.planned;
    options.host_memory_limit = limits.host;
    options.stop = watcher.stop();
    options.observer = &watcher;
    options.feature_names = given.feature_names;
    options.class_names = given.class_names;
    overtake::ForestReport fit;
    Forest forest =
        train_forest(wanted, given.rows, options, given.weights, earlier != nullptr ? &forest_in(earlier) : nullptr,
                     report != nullptr ? &fit : nullptr);
    if (forest.trees.empty()) throw UsageError("stopped before the first tree", "Ask to stop later.");
    auto text = std::make_unique<overtake_text>();
    if (report != nullptr) text->text = report_of(forest, fit, placement, given.rows).dump(-1);
    auto handle = std::make_unique<overtake_model>();
    handle->model = std::make_shared<ForestModel>(std::move(forest));
    handle->preprocessing = api::columns_of(*handle->model, given.categories);
    if (report != nullptr) *report = text.release();
    result = handle.release();
  });
}

overtake_status overtake_forest_array(const overtake_model* model, const char* name, const double** values,
                                      int64_t* count) {
  return api::guarded([&] {
    static const std::array<std::string, 2> names = {"feature_importances", "oob_prediction"};
    const Forest& forest = forest_in(model);
    const double*& first = api::given(values, "values");
    std::int64_t& size = api::given(count, "count");
    const std::string wanted = api::text_of(name, "name");
    overtake::text::check_choice("name", wanted, names);
    const std::vector<double>& array = wanted == names[0] ? forest.feature_importances : forest.oob_prediction;
    first = array.data();
    size = static_cast<std::int64_t>(array.size());
  });
}

overtake_status overtake_forest_draws(const overtake_model* model, int64_t rows, int64_t* count) {
  return api::guarded([&] { api::given(count, "count") = draw_count(forest_in(model), rows); });
}

overtake_status overtake_forest_drawn_rows(const overtake_model* model, int64_t index, int64_t rows, int32_t* drawn,
                                           int64_t count) {
  return api::guarded([&] {
    const Forest& forest = forest_in(model);
    (void)tree_of(forest, index);
    const std::vector<std::int32_t> found = drawn_rows(forest, rows, static_cast<std::size_t>(index));
    if (count != std::ssize(found)) {
      throw UsageError(fmt::format("count is {}, and the tree drew {} rows", count, found.size()),
                       "Ask overtake_forest_draws().");
    }
    std::copy(found.begin(), found.end(), &api::given(drawn, "drawn"));
  });
}

overtake_status overtake_forest_tree(const overtake_model* model, int64_t index, overtake_tree* tree) {
  return api::guarded([&] {
    const overtake::Tree& held = tree_of(forest_in(model), index);
    api::given(tree, "tree") = {held.nodes(),         held.feature.data(), held.threshold.data(),
                                held.nan_left.data(), held.left.data(),    held.right.data(),
                                held.impurity.data(), held.samples.data(), held.weighted_samples.data(),
                                held.value.data()};
  });
}

overtake_status overtake_forest_export(const overtake_model* model, int64_t index, const char* format,
                                       overtake_text** text) {
  return api::guarded([&] {
    static const std::array<std::string, 2> formats = {"text", "dot"};
    const Forest& forest = forest_in(model);
    overtake_text*& result = api::given(text, "text");
    const std::string wanted = api::text_of(format, "format");
    overtake::text::check_choice("format", wanted, formats);
    (void)tree_of(forest, index);
    const auto tree = static_cast<std::size_t>(index);
    api::hand_out(wanted == formats[0] ? export_text(forest, tree) : export_dot(forest, tree), &result);
  });
}
