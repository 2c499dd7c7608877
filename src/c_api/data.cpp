// SPDX-License-Identifier: MIT
// Rows to train on.
#include <fmt/format.h>

#include <utility>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "c_api/json.hpp"
#include "c_api/matrix.hpp"
#include "c_api/settings.hpp"
#include "core/sample_weights.hpp"
#include "overtake/data/preprocessing.hpp"

namespace api = overtake::c_api;
using overtake::Dataset;
using overtake::UsageError;
using overtake::report::Json;

namespace {

void check_count(std::int64_t count, std::int64_t expected, const char* what) {
  if (count == expected) return;
  throw UsageError(fmt::format("{} {} for {} rows, expected one a row", count, what, expected));
}

/// The caller's numbers; NULL is fine where there are none.
template <typename T>
std::vector<T> copied(const T* values, std::int64_t count, const char* argument) {
  if (count > 0) (void)api::given(values, argument);
  return count > 0 ? std::vector<T>(values, values + count) : std::vector<T>();
}

/// Without names there are none, which is fine.
std::vector<std::string> names_for(const char* json, const char* argument, std::int64_t expected, const char* what) {
  std::vector<std::string> names = api::parse_names(json, argument);
  if (static_cast<std::int64_t>(names.size()) == expected) return names;
  throw UsageError(
      fmt::format("{}: {} names for {} {}, expected one for each", argument, names.size(), expected, what));
}

}  // namespace

overtake_status overtake_data_new(const overtake_matrix* inputs, overtake_data** data) {
  return api::guarded([&] {
    overtake_data*& result = api::given(data, "data");
    auto handle = std::make_unique<overtake_data>();
    handle->rows.inputs = api::values_of(inputs, "inputs");
    handle->rows.rows = inputs->rows;
    handle->rows.features = inputs->columns;
    result = handle.release();
  });
}

overtake_status overtake_data_set_labels(overtake_data* data, const int32_t* labels, int64_t count, int32_t classes) {
  return api::guarded([&] {
    Dataset& rows = api::given(data, "data").rows;
    check_count(count, rows.rows, "labels");
    if (classes < 1) throw UsageError(fmt::format("classes is {}, expected at least 1", classes));
    std::vector<std::int32_t> copy = copied(labels, count, "labels");
    for (std::size_t row = 0; row < copy.size(); ++row) {
      if (copy[row] >= 0 && copy[row] < classes) continue;
      throw UsageError(
          fmt::format("the label of row {} is {}, expected 0 to {} (classes - 1)", row, copy[row], classes - 1));
    }
    rows.task = overtake::Task::classification;
    rows.classes = classes;
    rows.labels = std::move(copy);
    rows.targets.clear();
    data->class_names.clear();
    data->has_answers = true;
  });
}

overtake_status overtake_data_set_targets(overtake_data* data, const double* targets, int64_t count) {
  return api::guarded([&] {
    Dataset& rows = api::given(data, "data").rows;
    check_count(count, rows.rows, "targets");
    rows.targets = copied(targets, count, "targets");
    rows.task = overtake::Task::regression;
    rows.classes = 0;
    rows.labels.clear();
    data->class_names.clear();
    data->has_answers = true;
  });
}

overtake_status overtake_data_set_weights(overtake_data* data, const float* weights, int64_t count) {
  return api::guarded([&] {
    overtake_data& handle = api::given(data, "data");
    if (weights == nullptr) return handle.weights.clear();
    check_count(count, handle.rows.rows, "weights");
    std::vector<float> copy = copied(weights, count, "weights");
    overtake::check_sample_weights(copy, handle.rows.rows);
    handle.weights = std::move(copy);
  });
}

overtake_status overtake_data_set_feature_names(overtake_data* data, const char* names) {
  return api::guarded([&] {
    overtake_data& handle = api::given(data, "data");
    handle.feature_names = names_for(names, "feature names", handle.rows.features, "features");
  });
}

overtake_status overtake_data_set_categories(overtake_data* data, int64_t feature, const char* names, int32_t ordered) {
  return api::guarded([&] {
    overtake_data& handle = api::given(data, "data");
    if (handle.categories.contains(feature)) {
      throw UsageError(fmt::format("feature {} has categories already", feature), "Give them once.");
    }
    const auto order = ordered != 0 ? overtake::CategoryOrder::given : overtake::CategoryOrder::sorted;
    handle.categories[feature] =
        set_categories(handle.rows, feature, api::parse_names(api::text_of(names, "names").c_str(), "names"), order);
  });
}

overtake_status overtake_data_categories(const overtake_data* data, overtake_text** json) {
  return api::guarded([&] {
    const overtake_data& handle = api::given(data, "data");
    overtake_text*& result = api::given(json, "json");
    Json list = Json::array();
    for (std::int64_t feature = 0; feature < handle.rows.features; ++feature) {
      const auto found = handle.categories.find(feature);
      list.push(found != handle.categories.end() ? Json::list(found->second) : Json());
    }
    api::hand_out(list.dump(-1), &result);
  });
}

overtake_status overtake_data_set_class_names(overtake_data* data, const char* names) {
  return api::guarded([&] {
    overtake_data& handle = api::given(data, "data");
    if (handle.rows.classes == 0) {
      throw UsageError("class names: the data have no classes", "Give the labels first (overtake_data_set_labels).");
    }
    handle.class_names = names_for(names, "class names", handle.rows.classes, "classes");
  });
}

void overtake_data_free(overtake_data* data) { std::unique_ptr<overtake_data>{data}.reset(); }
