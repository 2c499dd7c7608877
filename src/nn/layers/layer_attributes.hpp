// SPDX-License-Identifier: MIT
// Attributes of layers out of files and other languages, and the tensors they promise.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/whole_number.hpp"
#include "nn/layers/layer_factory.hpp"
#include "overtake/error.hpp"

namespace overtake::nn {

inline double attribute(const LayerSpec& spec, const std::string& name) {
  for (const auto& [key, value] : spec.attributes) {
    if (key == name) return value;
  }
  throw DataError(fmt::format("layer {} has no attribute \"{}\"", spec.type, name));
}

// Files of a version that did not know an attribute yet lack it.
inline double attribute(const LayerSpec& spec, const std::string& name, double otherwise) {
  const auto has_name = [&](const auto& entry) { return entry.first == name; };
  return std::any_of(spec.attributes.begin(), spec.attributes.end(), has_name) ? attribute(spec, name) : otherwise;
}

inline std::int64_t size_attribute(const LayerSpec& spec, const std::string& name,
                                   std::optional<double> otherwise = {}) {
  const double value = otherwise ? attribute(spec, name, *otherwise) : attribute(spec, name);
  const auto size = whole_number(value, 1, std::numeric_limits<std::int32_t>::max());
  if (size) return *size;
  throw DataError(fmt::format("layer {}: {} = {} is not a whole number from 1 to 2147483647", spec.type, name, value));
}

inline std::vector<StoredTensor> linear_tensors(const LayerSpec& spec) {
  return {{"weight", {attribute(spec, "out_features", 0), attribute(spec, "in_features", 0)}}};
}

inline std::vector<StoredTensor> layer_norm_tensors(const LayerSpec& spec) {
  if (attribute(spec, "elementwise_affine", 1) == 0) return {};
  std::vector<double> extents;
  for (std::size_t i = 0; i < Shape::max_rank; ++i) {
    const double extent = attribute(spec, fmt::format("normalized_shape_{}", i), 0);
    if (extent != 0) extents.push_back(extent);
  }
  return {{"weight", std::move(extents)}};
}

inline std::vector<StoredTensor> batch_norm_tensors(const LayerSpec& spec) {
  std::vector<StoredTensor> tensors;
  const std::vector<double> extents{attribute(spec, "num_features", 0)};
  if (attribute(spec, "affine", 1) != 0) tensors.push_back({"weight", extents});
  if (attribute(spec, "track_running_stats", 1) != 0) tensors.push_back({"running_mean", extents});
  return tensors;
}

inline std::vector<StoredTensor> embedding_tensors(const LayerSpec& spec) {
  return {{"weight", {attribute(spec, "num_embeddings", 0), attribute(spec, "embedding_dim", 0)}}};
}

inline std::vector<StoredTensor> conv_2d_tensors(const LayerSpec& spec) {
  return {{"weight",
           {attribute(spec, "out_channels", 0), attribute(spec, "in_channels", 0) / attribute(spec, "groups", 1),
            attribute(spec, "kernel_size_0", 0), attribute(spec, "kernel_size_1", 0)}}};
}

}  // namespace overtake::nn
