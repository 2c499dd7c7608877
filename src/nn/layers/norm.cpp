// SPDX-License-Identifier: MIT
#include "overtake/nn/norm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "graph/compiled_step.hpp"
#include "graph/primitives/layout.hpp"
#include "nn/layers/initial.hpp"
#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

Device device_of(const Parameter& parameter) { return parameter.value.defined() ? parameter.value.device() : Device(); }

bool ends_with(const Shape& shape, const Shape& end) {
  const std::vector<std::int64_t>& all = shape.to_vector();
  const std::vector<std::int64_t>& last = end.to_vector();
  return all.size() >= last.size() && std::equal(last.rbegin(), last.rend(), all.rbegin());
}

// Over every axis but the second: (rows, features) or (rows, features, length) -> the shape that broadcasts with them.
Array feature_means(const Array& x) {
  if (x.shape().rank() == 2) return mean(x, 0);
  return reshape(mean(mean(x, 2), 0), {x.shape()[1], 1});
}

// The values of the features in the shape that broadcasts with an array of this rank.
Array along(const Array& features, std::size_t rank) {
  return rank == 2 ? features : reshape(features, {features.size(), 1});
}

}  // namespace

LayerNorm::LayerNorm(const Shape& normalized_shape, double eps, bool elementwise_affine, bool bias)
    : shape_(normalized_shape), eps_(eps), affine_(elementwise_affine), has_bias_(elementwise_affine && bias) {
  if (shape_.rank() == 0 || shape_.size() < 1) {
    throw UsageError(fmt::format("[LayerNorm] normalized_shape {}, expected extents of at least 1", shape_.to_string()),
                     "LayerNorm(features) normalises the last axis.");
  }
  require_float("LayerNorm", "eps", eps);
  Streams none;
  LayerNorm::draw(none);
}

void LayerNorm::draw(Streams&) {
  if (affine_) fill(weight_, shape_, 1);
  if (has_bias_) fill(bias_, shape_, 0);
}

Array LayerNorm::forward(const Array& input) {
  if (!input.defined()) throw UsageError("[LayerNorm] got an undefined array");
  if (!ends_with(input.shape(), shape_)) {
    throw UsageError(fmt::format("[LayerNorm] got {}, expected an array whose shape ends with {}",
                                 input.shape().to_string(), shape_.to_string()),
                     "normalized_shape must be the last extents of what comes in.");
  }
  if (input.size() == 0) return input;
  const Array rows = reshape(input, {-1, shape_.size()});
  const Array centred = rows - mean(rows, 1, true);
  const Array variance = mean(square(centred), 1, true);
  Array result = reshape(centred / sqrt(variance + static_cast<float>(eps_)), input.shape().to_vector());
  if (!affine_) return result;
  return has_bias_ ? result * weight_.value + bias_.value : result * weight_.value;
}

LayerSpec LayerNorm::spec() const {
  LayerSpec result{"LayerNorm", {}};
  for (std::size_t i = 0; i < shape_.rank(); ++i) {
    result.attributes.emplace_back(fmt::format("normalized_shape_{}", i), static_cast<double>(shape_[i]));
  }
  result.attributes.emplace_back("eps", eps_);
  result.attributes.emplace_back("elementwise_affine", affine_ ? 1.0 : 0.0);
  result.attributes.emplace_back("bias", has_bias_ ? 1.0 : 0.0);
  return result;
}

std::string LayerNorm::to_string() const {
  return fmt::format("LayerNorm({}, eps={:g}, elementwise_affine={}, bias={})", shape_.to_string(), eps_,
                     affine_ ? "True" : "False", has_bias_ ? "True" : "False");
}

std::vector<Parameter*> LayerNorm::own_parameters() {
  if (!affine_) return {};
  if (!has_bias_) return {&weight_};
  return {&weight_, &bias_};
}

BatchNorm::BatchNorm(std::string_view name, const BatchNormOptions& options)
    : name_(name),
      features_(options.num_features),
      eps_(options.eps),
      momentum_(options.momentum),
      affine_(options.affine),
      tracks_(options.track_running_stats) {
  if (features_ < 1) throw UsageError(fmt::format("[{}] num_features {} must be at least 1", name_, features_));
  require_float(name_, "eps", eps_);
  if (momentum_ && !(*momentum_ >= 0 && *momentum_ <= 1)) {
    throw UsageError(fmt::format("[{}] momentum {}, expected a number in [0, 1]", name_, *momentum_),
                     "momentum is the share of each batch in the running statistics; std::nullopt averages them all.");
  }
  Streams none;
  BatchNorm::draw(none);
}

void BatchNorm::draw(Streams&) {
  if (affine_) {
    fill(weight_, Shape{features_}, 1);
    fill(bias_, Shape{features_}, 0);
  }
  if (!tracks_) return;
  fill(mean_, Shape{features_}, 0, false);
  fill(variance_, Shape{features_}, 1, false);
  batches_.value = Array::from(std::array<std::int32_t, 1>{0}, Shape{}, device_of(batches_));
}

void BatchNorm::require_values(const Array& input, bool uses_batch) const {
  if (!uses_batch || input.size() / features_ >= 2) return;
  throw UsageError(
      fmt::format("[{}] got {}, expected more than one value of each feature in training", name_,
                  input.shape().to_string()),
      "Choose a batch size that does not leave a batch of one row, or call eval() to use the running statistics.");
}

Array BatchNorm::normalised(const Array& centred, const Array& variance) const {
  Array result = centred / sqrt(variance + static_cast<float>(eps_));
  if (!affine_) return result;
  const std::size_t rank = centred.shape().rank();
  return result * along(weight_.value, rank) + along(bias_.value, rank);
}

Array BatchNorm::normalise(const Array& input) {
  const bool uses_batch = is_training() || !tracks_;
  require_values(input, uses_batch);
  if (!uses_batch) {
    const std::size_t rank = input.shape().rank();
    if (input.size() == 0) return input;
    return normalised(input - along(mean_.value, rank), along(variance_.value, rank));
  }
  const Array batch_mean = feature_means(input);
  const Array centred = input - batch_mean;
  const Array variance = feature_means(square(centred));
  if (tracks_ && is_training()) {
    const std::int64_t values = input.size() / features_;
    const auto count = static_cast<float>(values);
    // Reading the statistics computes what they come from. The input is kept then, too, so that the layers before this
    // one are not computed again with the loss.
    const std::array<Array, 3> together = {input, batch_mean, variance};
    if (!graph::is_tracing()) overtake::eval(together);
    track(reshape(batch_mean, {features_}), reshape(variance, {features_}) * (count / (count - 1)));
  }
  return normalised(centred, variance);
}

void BatchNorm::track(const Array& batch_mean, const Array& unbiased_variance) {
  assign_buffer(batches_, batches_.value + astype(ones(Shape{}, batch_mean.device()), DType::int32));
  const Array share = momentum_ ? Array(static_cast<float>(*momentum_)) : 1.0F / astype(batches_.value, DType::float32);
  assign_buffer(mean_, mean_.value + (batch_mean - mean_.value) * share);
  assign_buffer(variance_, variance_.value + (unbiased_variance - variance_.value) * share);
}

LayerSpec BatchNorm::spec() const {
  LayerSpec result{std::string(name_), {{"num_features", static_cast<double>(features_)}, {"eps", eps_}}};
  if (momentum_) {
    result.attributes.emplace_back("momentum", *momentum_);
  } else {
    result.attributes.emplace_back("cumulative_average", 1.0);
  }
  result.attributes.emplace_back("affine", affine_ ? 1.0 : 0.0);
  result.attributes.emplace_back("track_running_stats", tracks_ ? 1.0 : 0.0);
  return result;
}

Array BatchNorm1d::forward(const Array& input) {
  if (!input.defined()) throw UsageError("[BatchNorm1d] got an undefined array");
  const Shape& shape = input.shape();
  if ((shape.rank() != 2 && shape.rank() != 3) || shape[1] != num_features()) {
    throw UsageError(fmt::format("[BatchNorm1d] got {}, expected (rows, {}) or (rows, {}, length)", shape.to_string(),
                                 num_features(), num_features()),
                     "num_features must be the second extent of what comes in.");
  }
  return normalise(input);
}

// The channels of all pixels are rows of features; of bfloat16 they are float32 in between.
Array BatchNorm2d::forward(const Array& input) {
  if (!input.defined()) throw UsageError("[BatchNorm2d] got an undefined array");
  const Shape& shape = input.shape();
  if (shape.rank() != 4 || shape[1] != num_features()) {
    throw UsageError(
        fmt::format("[BatchNorm2d] got {}, expected (n, {}, height, width)", shape.to_string(), num_features()),
        "num_features must be the number of channels.");
  }
  const Array pixels = graph::channels_last(astype(input, DType::float32));
  const Array rows = normalise(reshape(pixels, {-1, num_features()}));
  return astype(graph::channels_first(reshape(rows, pixels.shape().to_vector())), input.dtype());
}

std::vector<Parameter*> BatchNorm::own_parameters() {
  if (!affine_) return {};
  return {&weight_, &bias_};
}

std::vector<Parameter*> BatchNorm::own_buffers() {
  if (!tracks_) return {};
  return {&mean_, &variance_, &batches_};
}

}  // namespace overtake::nn
