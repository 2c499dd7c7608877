// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "overtake/nn/module.hpp"

namespace overtake::nn {

/// While one of these lives, this thread's Sequentials tell of each layer that is none itself: input and output.
class LayerWatch {
 public:
  using Told = std::function<void(Module& layer, const Array& input, const Array& output)>;
  explicit LayerWatch(Told told);
  ~LayerWatch();
  LayerWatch(const LayerWatch&) = delete;
  LayerWatch& operator=(const LayerWatch&) = delete;
  static void tell(Module& layer, const Array& input, const Array& output);

 private:
  Told told_;
  LayerWatch* before_;
};

}  // namespace overtake::nn
