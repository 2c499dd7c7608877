// SPDX-License-Identifier: MIT
#include "backend/common/lower/few_channels.hpp"

#include "backend/common/lower/image_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

constexpr std::int64_t most_inputs = 16;  // written out in the loop
constexpr std::int64_t most_outputs = 8;  // of a work-item
constexpr std::int64_t most_blocks = 8;   // of outputs
constexpr std::int64_t most_filter_bytes = 16 << 10;
constexpr int positions_of_group = 64;
constexpr std::int64_t many_positions = 1 << 15;  // keep a large GPU busy with one work-item each

// What the kernel calls them.
struct Channels {
  std::int64_t inputs = 0, results = 0;
};

Channels channels_of(const ConvolutionCore& core) {
  if (core.kind == ConvolutionKind::data_gradient) return {core.k, core.extents.c};
  return {core.extents.c, core.k};
}

// Results of a work-item: all of them, or a number that divides them; 0 if there is none. Where few positions have long
// sums, more work-items share them.
std::int64_t outputs_of(const Channels& channels, std::int64_t positions) {
  const std::int64_t results = channels.results;
  const bool is_few = positions < many_positions && channels.inputs >= 4;
  for (std::int64_t outputs = is_few ? most_outputs / 2 : most_outputs; outputs > 1; --outputs) {
    if (results % outputs == 0) return outputs;
  }
  return results == 1 ? 1 : 0;
}

std::int64_t positions_of(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  return core.kind == ConvolutionKind::data_gradient ? e.n * e.h * e.w : e.n * e.p * e.q;
}

}  // namespace

bool has_few_channels(const ConvolutionCore& core) {
  if (core.kind == ConvolutionKind::filter_gradient || !core.channels_last || core.groups != 1) return false;
  const bool data = core.kind == ConvolutionKind::data_gradient;
  if (data && core.steps.stride != std::array<std::int64_t, 2>{1, 1}) return false;
  const Channels channels = channels_of(core);
  const auto [inputs, results] = channels;
  const std::int64_t filters = core.r * core.s * inputs * results;
  const std::int64_t outputs = outputs_of(channels, positions_of(core));
  return inputs > 0 && inputs <= most_inputs && outputs > 0 && results / outputs <= most_blocks &&
         filters * static_cast<std::int64_t>(sizeof(float)) <= most_filter_bytes;
}

LoweredOperation lower_few_channels(const Operation& operation, const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const bool data = core.kind == ConvolutionKind::data_gradient;
  const Channels channels = channels_of(core);
  const auto [inputs, results] = channels;
  const std::int64_t positions = positions_of(core);
  const std::int64_t outputs = outputs_of(channels, positions), blocks = results / outputs;
  const std::vector<std::int64_t> extents = extent_of(core).to_vector();
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = ValueType::float32});
  KernelText text("convolution_few", embedded::kernel_convolution_few);
  text.define("POSITIONS", positions_of_group);
  text.define("BLOCKS", blocks);
  text.define("OUTPUTS", outputs);
  text.define("INPUTS", inputs);
  text.define("WIDE", inputs % 4 == 0 && core.a.offset % 4 == 0 ? 1 : 0);
  text.define("RESULTS", results);
  text.define("WINDOW_Y", core.r);
  text.define("WINDOW_X", core.s);
  text.define("CHANNELS", e.c);
  text.define("RESULT_STRIDE", data ? 1 : core.r * core.s * e.c);
  text.define("INPUT_STRIDE", data ? core.r * core.s * e.c : 1);
  define_operand(text, "A", "a", core.a);
  define_operand(text, "B", "b", core.b);
  text.add_tape("TAPE", tape);
  text.define_tape_call(extents.size(), tape, true);
  for (const std::int64_t number : {positions, extents[1], extents[2], data ? e.p : e.h, data ? e.q : e.w})
    text.add_int(number);
  // A gradient walks the window the other way.
  for (const std::int64_t stride : core.steps.stride) text.add_int(stride);
  const std::int64_t sign = data ? -1 : 1;
  for (const auto& pair : {core.steps.padding, core.steps.dilation}) {
    for (const std::int64_t number : pair) text.add({LoweredArgument::Kind::int32, sign * number, -1});
  }
  add_operand(text, core.a);
  add_operand(text, core.b);
  text.add_arguments_of(tape);
  return single(
      text.finish(divide_up(positions, positions_of_group), 1, positions_of_group * static_cast<int>(blocks)));
}

}  // namespace overtake::backend
