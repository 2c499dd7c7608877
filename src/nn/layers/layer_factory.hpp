// SPDX-License-Identifier: MIT
// What is known of the library's layers before one is made: make_layer() is in overtake/nn/layers.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "overtake/nn/module.hpp"

namespace overtake::nn {

/// True if make_layer() knows the type.
[[nodiscard]] bool is_known_layer(const std::string& type);

/// A tensor that a layer's state has, by its name in the layer.
struct StoredTensor {
  std::string name;
  std::vector<double> extents;  ///< as attributes say them, whole or not
};

/// Tensors that all sizes of a layer can be read off: a file that lacks one of them is not to be trusted with the
/// sizes. None for layers without a state, or of an unknown type.
[[nodiscard]] std::vector<StoredTensor> stored_tensors(const LayerSpec& spec);

/// How many values a layer takes and gives along the axis that it works over.
struct LayerWidth {
  enum class Kind : std::uint8_t {
    kept,      ///< it takes and gives what comes, of any shape
    features,  ///< along the last axis, of rows
    channels,  ///< of images
    another,   ///< what comes out has other axes
  };
  Kind kind = Kind::kept;
  double takes = 0, gives = 0;  ///< 0: any, and the same
};

/// Of a layer's attributes; kept for an unknown type.
[[nodiscard]] LayerWidth width_of(const LayerSpec& spec);

}  // namespace overtake::nn
