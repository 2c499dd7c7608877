// SPDX-License-Identifier: MIT
#include "nn/training/trainer_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "graph/compiled_step.hpp"
#include "nn/file/checkpoint.hpp"
#include "nn/layers/layer_attributes.hpp"
#include "nn/training/mode_guard.hpp"
#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

void check_shapes(const Loss& loss, const Array& inputs, const Array& targets, const char* what) {
  if (!inputs.defined() || !targets.defined()) throw UsageError(fmt::format("[Trainer] {}: an undefined array", what));
  if (inputs.dtype() != DType::float32 || inputs.shape().rank() < 2) {
    throw UsageError(fmt::format("[Trainer] {}: inputs must be float32 (rows, features), got {} {}", what,
                                 name_of(inputs.dtype()), inputs.shape().to_string()));
  }
  const std::int64_t rows = inputs.shape()[0];
  if (rows == 0) throw UsageError(fmt::format("[Trainer] {} has no rows", what), "Pass at least one row.");
  if (rows > std::numeric_limits<std::int32_t>::max()) {
    throw UsageError(fmt::format("[Trainer] {} has {} rows; at most 2147483647 can be indexed", what, rows));
  }
  if (targets.shape().rank() == 0 || targets.shape()[0] != rows) {
    throw UsageError(fmt::format("[Trainer] {}: {} rows of inputs but targets of shape {}", what, rows,
                                 targets.shape().to_string()));
  }
  const DType expected = loss.error_rate == ErrorRate::class_error ? DType::int32 : DType::float32;
  if (targets.dtype() != expected) {
    throw UsageError(fmt::format("[Trainer] {}: the loss {} takes {} targets, got {}", what, loss.name,
                                 name_of(expected), name_of(targets.dtype())),
                     expected == DType::int32 ? "Class labels are int32: 0, 1, 2, ..." : "Convert them with astype().");
  }
}

void check_finite(const std::vector<float>& values, std::int64_t rows, const char* what, const char* which) {
  const auto found = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (found == values.end()) return;
  const auto at = static_cast<std::int64_t>(found - values.begin());
  const std::int64_t columns = static_cast<std::int64_t>(values.size()) / rows;
  throw DataError(fmt::format("{}: {} row {}, column {} (counted from 0) is {}", what, which, at / columns,
                              at % columns, std::isnan(*found) ? "NaN" : "infinite"),
                  "Fill in or drop such rows before training.");
}

void check_labels(const std::vector<std::int32_t>& labels, std::int64_t classes, const char* what) {
  const auto found =
      std::find_if(labels.begin(), labels.end(), [&](std::int32_t label) { return label < 0 || label >= classes; });
  if (found == labels.end()) return;
  if (classes == 0) {
    throw DataError(fmt::format("{}: there are labels, but the model has no outputs", what),
                    "Give the last layer one output for each class.");
  }
  throw DataError(fmt::format("{}: the label of row {} (counted from 0) is {}, but the model gives classes 0 to {}",
                              what, found - labels.begin(), *found, classes - 1),
                  "Give the last layer one output for each class.");
}

// Inputs of a model that begins with a table are numbers of its rows. Devices do not say which one was none.
void check_places(Module& model, const std::vector<float>& values, std::int64_t rows, const char* what) {
  Module* first = &model;
  while (first->spec().type == "Sequential") {
    const std::vector<NamedModule> layers = first->children();
    if (layers.empty()) return;
    first = layers.front().module;
  }
  const LayerSpec spec = first->spec();
  if (spec.type != "Embedding") return;
  const std::int64_t table = size_attribute(spec, "num_embeddings");
  const auto most = static_cast<float>(table);
  const auto found = std::find_if(values.begin(), values.end(), [&](float value) {
    return !(value >= -most && value < most) || value != std::floor(value);
  });
  if (found == values.end()) return;
  const std::int64_t at = found - values.begin(), columns = static_cast<std::int64_t>(values.size()) / rows;
  throw DataError(fmt::format("{}: inputs row {}, column {} (counted from 0) is {}, expected the number of a row of "
                              "Embedding, 0 to {}",
                              what, at / columns, at % columns, *found, table - 1),
                  "Inputs of a model that begins with an Embedding are whole numbers below num_embeddings.");
}

// The shape of the model's output for one row. Nothing is computed.
Shape output_shape(Module& model, const Shape& inputs) {
  const ModeGuard mode(model, false);
  const BufferGuard buffers(model);
  std::vector<std::int64_t> extents = inputs.to_vector();
  extents[0] = 1;
  const Shape one_row(std::move(extents));
  std::vector<Array> changing;
  for (const NamedValue& entry : model_values(model)) changing.push_back(*entry.value);
  Shape output;
  graph::require_repeatable(
      [&] {
        const BufferGuard untouched(model);
        const Array result = model.forward(zeros(one_row, model.device()));
        output = result.shape();
        return std::vector<Array>{result};
      },
      changing);
  return output;
}

}  // namespace

void check_data(Module& model, const Loss& loss, const Array& inputs, const Array& targets, bool check_values,
                const char* what) {
  check_shapes(loss, inputs, targets, what);
  const Shape output = output_shape(model, inputs.shape());
  if (output.rank() == 0 || output[0] != 1) {
    throw UsageError(
        fmt::format("[Trainer] the model turns one row into shape {}: expected (1, outputs)", output.to_string()));
  }
  if (!check_values) return;
  const std::int64_t rows = inputs.shape()[0];
  if (inputs.size() > 0) {
    const std::vector<float> values = inputs.to_vector<float>();
    check_finite(values, rows, what, "inputs");
    check_places(model, values, rows, what);
  }
  if (targets.dtype() == DType::float32) return check_finite(targets.to_vector<float>(), rows, what, "targets");
  check_labels(targets.to_vector<std::int32_t>(), output[output.rank() - 1], what);
}

TrainingData prepare_data(Module& model, const Loss& loss, const TrainerOptions& options, const Array& inputs,
                          const Array& targets) {
  check_data(model, loss, inputs, targets, options.check_data, "training data");
  TrainingData data{inputs, targets, options.validation_inputs, options.validation_targets};
  if (data.has_validation() || data.validation_targets.defined()) {
    check_data(model, loss, data.validation_inputs, data.validation_targets, options.check_data, "validation data");
    return data;
  }
  if (options.validation_fraction == 0) return data;
  const Split split = split_rows(inputs.shape()[0], options.validation_fraction, options.seed);
  const auto rows = [&](const Array& from, const std::vector<std::int32_t>& indices) {
    const Shape shape{static_cast<std::int64_t>(indices.size())};
    return take(from, Array::from(std::span<const std::int32_t>(indices), shape, from.device()));
  };
  return {rows(inputs, split.training), rows(targets, split.training), rows(inputs, split.validation),
          rows(targets, split.validation)};
}

}  // namespace overtake::nn
