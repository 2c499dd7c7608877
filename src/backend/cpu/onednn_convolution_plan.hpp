// SPDX-License-Identifier: MIT
// A convolution of so many images as oneDNN's primitive, with the orders of memory that it wants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "backend/api/image_cores.hpp"

namespace overtake::backend::cpu {

struct OneDnnTypes {
  bool bfloat16_operands = false, bfloat16_result = false;
};

enum class OneDnnArray : std::uint8_t { a, b, result };

/// Several threads may use one at once.
class OneDnnConvolution {
 public:
  struct Arguments {
    const std::byte* a;
    const std::byte* b;
    std::byte* result;
    std::byte* scratchpad;
  };

  OneDnnConvolution() = default;
  /// For `images` of the core's images. Throws dnnl::error where oneDNN has no code for it.
  OneDnnConvolution(const ConvolutionCore& core, std::int64_t images, OneDnnTypes types);

  /// Whether the primitive wants an array in another order than ours; how large it is in that.
  [[nodiscard]] bool reorders(OneDnnArray array) const;
  [[nodiscard]] std::size_t wanted_bytes(OneDnnArray array) const;
  /// From our order to the one that is wanted, and back; where they differ.
  void to_wanted(OneDnnArray array, const std::byte* from, std::byte* to) const;
  void to_ours(OneDnnArray array, const std::byte* from, std::byte* to) const;

  [[nodiscard]] std::size_t scratchpad_bytes() const;
  /// All in the orders that are wanted.
  void execute(const Arguments& arguments) const;

 private:
  struct Made;
  std::shared_ptr<const Made> made_;
};

}  // namespace overtake::backend::cpu
