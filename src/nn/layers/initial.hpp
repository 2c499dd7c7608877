// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "overtake/nn/layers.hpp"

namespace overtake::nn {

/// Which random numbers a layer's first values are.
struct InitialStream {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;
};

/// Weight of `shape` (outputs first) and bias (null: none) as `initial` says, on the device that they are on.
void draw_weights(Parameter& weight, const Shape& shape, Parameter* bias, InitialWeight initial, InitialStream from);

/// While one lives, weights of layers made on this thread are not drawn: they are 0. On the device "null" they take no
/// memory, which a plan asks for.
class Undrawn {
 public:
  explicit Undrawn(const Device& place = Device("cpu"));
  ~Undrawn();
  Undrawn(const Undrawn&) = delete;
  Undrawn& operator=(const Undrawn&) = delete;

 private:
  Device place_;
  const Device* before_;
};

/// Normal numbers with mean 0 (Box and Muller 1958).
[[nodiscard]] std::vector<float> normal_values(std::int64_t count, InitialStream from, double deviation = 1);

/// All elements one value.
void fill(Parameter& parameter, const Shape& shape, float value, bool is_learnt = true);

}  // namespace overtake::nn
