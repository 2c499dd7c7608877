// SPDX-License-Identifier: MIT
// A convolution of so many images as oneDNN's primitive, with the orders of memory that it wants.
#pragma once

#include "backend/api/image_cores.hpp"
#include "backend/cpu/onednn_support.hpp"

namespace overtake::backend::cpu {

using dnnl::memory;

/// An array in our order and in the one that a primitive wants.
class OneDnnOrder {
 public:
  OneDnnOrder() = default;
  OneDnnOrder(const memory::desc& given, const memory::desc& wanted);

  [[nodiscard]] const memory::desc& wanted() const noexcept { return wanted_; }
  [[nodiscard]] bool differs() const { return static_cast<bool>(to_wanted_); }
  /// From ours to the primitive's; where they differ.
  void apply(const dnnl::stream& stream, const std::byte* from, std::byte* to) const;
  /// From the primitive's to ours; where they differ.
  void undo(const dnnl::stream& stream, const std::byte* from, std::byte* to) const;

 private:
  memory::desc given_, wanted_;
  dnnl::reorder to_wanted_, to_given_;
};

struct OneDnnTypes {
  bool bfloat16_operands = false, bfloat16_result = false;
};

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

  [[nodiscard]] const OneDnnOrder& a() const noexcept { return a_; }
  [[nodiscard]] const OneDnnOrder& b() const noexcept { return b_; }
  [[nodiscard]] const OneDnnOrder& result() const noexcept { return result_; }
  [[nodiscard]] std::size_t scratchpad_bytes() const { return scratchpad_.get_size(); }
  /// All in the orders that are wanted. Several threads may call it at once.
  void execute(const dnnl::stream& stream, const Arguments& arguments) const;

 private:
  ConvolutionKind kind_ = ConvolutionKind::forward;
  OneDnnOrder a_, b_, result_;
  memory::desc scratchpad_;
  dnnl::primitive primitive_;
};

}  // namespace overtake::backend::cpu
