// SPDX-License-Identifier: MIT
// Convolutions and their gradients.
#include <fmt/format.h>

#include <algorithm>

#include "backend/common/lower/image_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

// Elements of the largest array that a convolution reads or writes, and before its first one.
std::int64_t reach(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const std::int64_t filters = core.k * (e.c / core.groups) * core.r * core.s;
  return std::max({e.n * e.c * e.h * e.w, e.n * core.k * e.p * e.q, filters}) + std::max(core.a.offset, core.b.offset);
}

// One result a work-item.
LoweredKernel lower_directly(const Operation& operation, const ConvolutionCore& core) {
  const std::vector<std::int64_t> extents = extent_of(core).to_vector();
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = ValueType::float32});
  KernelText text("convolution", embedded::kernel_convolution);
  text.define("GROUP_SIZE", group_size);
  text.define("CHANNELS_LAST", core.channels_last ? 1 : 0);
  text.define("KIND_FORWARD", core.kind == ConvolutionKind::forward ? 1 : 0);
  text.define("KIND_DATA", core.kind == ConvolutionKind::data_gradient ? 1 : 0);
  define_operand(text, "A", "a", core.a);
  define_operand(text, "B", "b", core.b);
  text.add_tape("TAPE", tape);
  text.define_tape_call(extents.size(), tape, true);
  text.set_long_indices(!has_short_indices(operation.tape, extents) || reach(core) > most_short);
  const std::int64_t count = operation.extent.size();
  text.add_index(count);
  for (std::size_t axis = 1; axis < extents.size(); ++axis) text.add_index(extents[axis]);
  const ImageExtents& e = core.extents;
  const WindowSteps& steps = core.steps;
  for (const std::int64_t number : {e.n, e.c, e.h, e.w, core.k, e.p, e.q, core.r, core.s, core.groups}) {
    text.add_index(number);
  }
  for (const auto& pair : {steps.stride, steps.padding, steps.dilation}) {
    for (const std::int64_t number : pair) text.add_index(number);
  }
  add_operand(text, core.a);
  add_operand(text, core.b);
  text.add_arguments_of(tape);
  return text.finish(divide_up(count, group_size), 1, group_size);
}

}  // namespace

LoweredOperation lower_convolution(const Operation& operation, const ConvolutionCore& core, const LoweringTraits&) {
  return single(lower_directly(operation, core));
}

}  // namespace overtake::backend
