// SPDX-License-Identifier: MIT
// What models answer, and their files.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "c_api/json.hpp"
#include "c_api/matrix.hpp"
#include "overtake/forest.hpp"

namespace api = overtake::c_api;
using overtake::Forest;
using overtake::UsageError;
using overtake::report::Json;

namespace {

const Forest* forest_or_null(const overtake::Model& model) {
  const auto* forest = dynamic_cast<const overtake::ForestModel*>(&model);
  return forest != nullptr ? &forest->forest() : nullptr;
}

std::int64_t features_of(const overtake_model& model) {
  const Forest* forest = forest_or_null(*model.model);
  return forest != nullptr ? forest->features : model.model->widths().front();
}

/// What `ask` gives for the rows, copied to the caller's memory. Networks answer one call at a time.
template <typename T, typename Ask>
void answer(const overtake_model* pointer, const overtake_matrix* inputs, T* answers, std::int64_t count,
            const Ask& ask) {
  const overtake_model& model = api::given(pointer, "model");
  const std::int64_t features = features_of(model);
  if (const overtake_matrix& matrix = api::given(inputs, "inputs"); matrix.columns != features) {
    throw UsageError(fmt::format("inputs have {} features, and the model was trained on {}", matrix.columns, features),
                     "Give the features that the model was trained on, in their order.");
  }
  const std::vector<float> values = api::values_of(inputs, "inputs");
  std::unique_lock<std::mutex> one_at_a_time(model.networks_answer_one_at_a_time, std::defer_lock);
  if (forest_or_null(*model.model) == nullptr) one_at_a_time.lock();
  const std::vector<T> found = ask(*model.model, std::span<const float>(values));
  if (static_cast<std::int64_t>(found.size()) != count) {
    throw UsageError(fmt::format("there is room for {} answers, and there are {}", count, found.size()),
                     "Give room for rows x outputs, rows, or rows x trees, as the function says.");
  }
  if (count > 0) std::copy(found.begin(), found.end(), &api::given(answers, "answers"));
}

/// What the features that are texts take the places of; null: numbers.
Json categories_of(const Forest& forest, const overtake::Preprocessing* how) {
  Json list = Json::array();
  for (std::size_t feature = 0; feature < static_cast<std::size_t>(forest.features); ++feature) {
    const bool text = how != nullptr && how->text_as_codes && feature < how->features.size() &&
                      how->features[feature].kind == overtake::ColumnKind::text;
    list.push(text ? Json::list(how->features[feature].categories) : Json());
  }
  return list;
}

Json description_of(const Forest& forest, const overtake::Preprocessing* how) {
  Json json = Json::object();
  json.set("kind", name_of(forest.parameters.kind)).set("task", name_of(forest.parameters.task));
  json.set("features", forest.features).set("outputs", forest.outputs()).set("classes", forest.classes);
  json.set("feature_names", Json::list(forest.feature_names)).set("class_names", Json::list(forest.class_names));
  json.set("parameters", api::json_of(forest.parameters.all()));
  json.set("categories", categories_of(forest, how));
  json.set("trees", static_cast<std::int64_t>(forest.trees.size()));
  json.set("oob_score", forest.oob_score ? Json(*forest.oob_score) : Json());
  return json.set("oob_rows", forest.parameters.oob_score ? Json(forest.oob_rows) : Json());
}

/// Networks come from files alone, which say what the outputs are.
Json description_of(const overtake::Model& network, const overtake::Preprocessing& how) {
  Json widths = Json::array();
  for (const std::int64_t width : network.widths()) widths.push(width);
  Json json = Json::object();
  json.set("kind", "network").set("task", name_of(how.task)).set("features", how.inputs());
  json.set("outputs", how.outputs()).set("classes", static_cast<std::int64_t>(how.classes.size()));
  return json.set("class_names", Json::list(how.classes)).set("widths", std::move(widths));
}

overtake::Preprocessing preprocessing_of(const overtake_model& model) {
  if (model.preprocessing != nullptr) return *model.preprocessing;
  return plain_columns(overtake::forest_of(model.model.get()));
}

overtake_model* handle_of(overtake::TableModel loaded) {
  auto handle = std::make_unique<overtake_model>();
  handle->model = std::move(loaded.model);
  handle->preprocessing = std::make_shared<overtake::Preprocessing>(std::move(loaded.preprocessing));
  return handle.release();
}

}  // namespace

namespace overtake::c_api {

std::shared_ptr<const Preprocessing> columns_of(const Model& model,
                                                const std::map<std::int64_t, std::vector<std::string>>& categories) {
  if (categories.empty()) return nullptr;
  return std::make_shared<const Preprocessing>(plain_columns(forest_of(&model), categories));
}

}  // namespace overtake::c_api

void overtake_model_free(overtake_model* model) { std::unique_ptr<overtake_model>{model}.reset(); }

overtake_status overtake_model_describe(const overtake_model* model, overtake_text** json) {
  return api::guarded([&] {
    const overtake_model& given = api::given(model, "model");
    overtake_text*& result = api::given(json, "json");
    const Forest* forest = forest_or_null(*given.model);
    Json description = forest != nullptr ? description_of(*forest, given.preprocessing.get())
                                         : description_of(*given.model, *given.preprocessing);
    api::hand_out(description.set("description", given.model->describe()).dump(-1), &result);
  });
}

overtake_status overtake_model_predict(const overtake_model* model, const overtake_matrix* inputs, double* answers,
                                       int64_t count) {
  return api::guarded([&] {
    answer(model, inputs, answers, count, [](const auto& held, const auto& rows) { return held.predict(rows); });
  });
}

overtake_status overtake_model_predict_classes(const overtake_model* model, const overtake_matrix* inputs,
                                               int32_t* classes, int64_t count) {
  return api::guarded([&] {
    answer(model, inputs, classes, count,
           [](const auto& held, const auto& rows) { return held.predict_classes(rows); });
  });
}

overtake_status overtake_model_apply(const overtake_model* model, const overtake_matrix* inputs, int32_t* leaves,
                                     int64_t count) {
  return api::guarded([&] {
    answer(model, inputs, leaves, count, [](const auto& held, const auto& rows) { return held.apply(rows); });
  });
}

overtake_status overtake_model_to_bytes(const overtake_model* model, overtake_text** bytes) {
  return api::guarded([&] {
    const overtake_model& given = api::given(model, "model");
    api::hand_out(model_bytes(*given.model, preprocessing_of(given)), &api::given(bytes, "bytes"));
  });
}

overtake_status overtake_model_from_bytes(const void* bytes, size_t size, overtake_model** model) {
  return api::guarded([&] {
    const auto* first = static_cast<const char*>(bytes);
    overtake_model*& result = api::given(model, "model");
    result = handle_of(overtake::parse_model({&api::given(first, "bytes"), size}, "the bytes of a model"));
  });
}

overtake_status overtake_model_save(const overtake_model* model, const char* path) {
  return api::guarded([&] {
    const overtake_model& given = api::given(model, "model");
    write_model(api::text_of(path, "path"), *given.model, preprocessing_of(given));
  });
}

overtake_status overtake_model_load(const char* path, const char* device, overtake_model** model) {
  return api::guarded([&] {
    overtake_model*& result = api::given(model, "model");
    const overtake::Device computes = device != nullptr ? overtake::Device(device) : overtake::Device();
    result = handle_of(overtake::read_model(api::text_of(path, "path"), computes));
  });
}
