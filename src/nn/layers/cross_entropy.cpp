// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>

#include "graph/primitives/order.hpp"
#include "nn/layers/loss_terms.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

Array times(const Array& a, const Array& b) {
  if (!a.defined()) return b;
  return b.defined() ? a * b : a;
}

// The class weights, on the device of the logits: they are named once, and models move.
Array class_weights(const Array& logits, const Array& weight) {
  if (!weight.defined()) return weight;
  const std::int64_t classes = logits.shape()[1];
  if (weight.shape() != Shape{classes} || weight.dtype() != DType::float32) {
    throw UsageError(fmt::format("[cross_entropy] weight is {} {}, expected float32 ({},)", name_of(weight.dtype()),
                                 weight.shape().to_string(), classes),
                     "weight has one value of each class; sample_weight has one of each row.");
  }
  return weight.to(logits.device());
}

WeightedRows of_probabilities(const Array& logits, const Array& target, const CrossEntropyOptions& options) {
  if (options.ignore_index.value_or(-1) >= 0) {  // a negative one is no class anyway: PyTorch's default
    throw UsageError("[cross_entropy] ignore_index needs labels, got probabilities",
                     "Give rows that do not count the sample weight 0.");
  }
  const auto smoothing = static_cast<float>(options.label_smoothing);
  const auto classes = static_cast<float>(logits.shape()[1]);
  const Array shares = smoothing > 0 ? target * (1.0F - smoothing) + smoothing / classes : target;
  const Array weighted = times(shares, class_weights(logits, options.weight));
  return {negative(sum(weighted * log_softmax(logits), 1)), Array()};
}

// 0 in the place of the label to ignore, which is no class: its row is computed, and then left out.
Array without_ignored(const Array& labels, const Array& ignored) { return where(ignored, 0, labels); }

// Where labels may be looked at: elsewhere the row of a label that is no class is NaN.
void check_labels(const Array& labels, std::int64_t classes, std::optional<std::int32_t> ignored) {
  if (labels.dtype() != DType::int32 || !graph::is_read_for_checks(labels)) return;
  for (const std::int32_t label : labels.to_vector<std::int32_t>()) {
    if ((label >= 0 && label < classes) || label == ignored) continue;
    throw UsageError(
        fmt::format("[cross_entropy] the label {} is outside of {} classes", label, classes),
        fmt::format("Labels go from 0 to {}; rows of the label ignore_index count for nothing.", classes - 1));
  }
}

WeightedRows of_labels(const Array& logits, const Array& labels, const CrossEntropyOptions& options) {
  const Array weights = class_weights(logits, options.weight);
  check_labels(labels, logits.shape()[1], options.ignore_index);
  Array ignored;
  Array classes = labels;
  if (options.ignore_index) {
    ignored = equal(labels, Array::from(std::array<std::int32_t, 1>{*options.ignore_index}, Shape{1}, labels.device()));
    classes = without_ignored(labels, ignored);
  }
  WeightedRows rows{cross_entropy_rows(logits, classes), weights.defined() ? graph::taken(weights, classes) : Array()};
  if (rows.weights.defined()) rows.losses = rows.losses * rows.weights;
  if (options.label_smoothing > 0) {
    const auto smoothing = static_cast<float>(options.label_smoothing);
    const auto count = static_cast<float>(logits.shape()[1]);
    const Array even = negative(sum(times(log_softmax(logits), weights), 1));
    rows.losses = (1.0F - smoothing) * rows.losses + (smoothing / count) * even;
  }
  if (!ignored.defined()) return rows;
  rows.losses = where(ignored, 0.0F, rows.losses);
  rows.weights = where(ignored, 0.0F, rows.weights.defined() ? rows.weights : Array(1.0F));
  return rows;
}

}  // namespace

Array widened(const Array& output) {
  return output.defined() && output.dtype() == DType::bfloat16 ? astype(output, DType::float32) : output;
}

void check_cross_entropy(const CrossEntropyOptions& options) {
  if (options.label_smoothing >= 0 && options.label_smoothing < 1) return;
  throw UsageError(
      fmt::format("[cross_entropy] label_smoothing {}, expected a number in [0, 1)", options.label_smoothing),
      "It is the share of the target that is spread over all classes; 0.1 is usual.");
}

WeightedRows cross_entropy_terms(const Array& output, const Array& labels, const CrossEntropyOptions& options) {
  check_cross_entropy(options);
  const Array logits = widened(output);
  const bool has_shape = logits.defined() && labels.defined() && logits.shape().rank() == 2;
  const bool has_shares = has_shape && labels.dtype() == DType::float32 && labels.shape() == logits.shape();
  if (!has_shape || logits.shape()[1] == 0) return {cross_entropy_rows(logits, labels), Array()};  // which refuses them
  WeightedRows rows = has_shares ? of_probabilities(logits, labels, options) : of_labels(logits, labels, options);
  if (!options.sample_weight.defined()) return rows;
  const Array samples = fitted_sample_weight("cross_entropy", rows.losses.shape(), options.sample_weight);
  return {rows.losses * samples, times(rows.weights, samples)};
}

Array cross_entropy(const Array& logits, const Array& labels, const CrossEntropyOptions& options) {
  const WeightedRows rows = cross_entropy_terms(logits, labels, options);
  switch (options.reduction) {
    case Reduction::none: return rows.losses;
    case Reduction::sum: return sum(rows.losses);
    case Reduction::mean: break;
  }
  return rows.weights.defined() ? sum(rows.losses) / sum(rows.weights) : mean(rows.losses);
}

}  // namespace overtake::nn
