// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "overtake/nn/module.hpp"

namespace overtake::nn {

/// While one of these lives, it is told of each call of a module without parts on this thread: its input and output.
class LayerWatch {
 public:
  using Told = std::function<void(Module& layer, const LayerSpec& spec, const Array& input, const Array& output)>;
  explicit LayerWatch(Told told);
  ~LayerWatch();
  LayerWatch(const LayerWatch&) = delete;
  LayerWatch& operator=(const LayerWatch&) = delete;
  /// `computed` says what the layer is: itself, or what it is made of.
  static void tell(Module& layer, const Module& computed, const Array& input, const Array& output);
  /// How often it was told. A layer that is derived from another is told of once, by what it is derived from.
  [[nodiscard]] static std::int64_t count();

 private:
  Told told_;
  LayerWatch* before_;
  std::int64_t count_ = 0;
};

}  // namespace overtake::nn
