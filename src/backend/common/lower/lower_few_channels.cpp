// SPDX-License-Identifier: MIT
#include "backend/common/lower/few_channels.hpp"

#include "backend/common/lower/image_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

constexpr std::int64_t most_inputs = 16;  // written out in the loop
constexpr std::int64_t most_results = 64;
constexpr std::int64_t most_outputs = 8;  // of a work-item
constexpr std::int64_t most_filter_bytes = 16 << 10;
constexpr int positions_of_group = 64;

// What the kernel calls them.
struct Channels {
  std::int64_t inputs = 0, results = 0;
};

Channels channels_of(const ConvolutionCore& core) {
  if (core.kind == ConvolutionKind::data_gradient) return {core.k, core.extents.c};
  return {core.extents.c, core.k};
}

// Results of a work-item: all of them, or a number that divides them; 0 if there is none.
std::int64_t outputs_of(std::int64_t results) {
  if (results <= most_outputs) return results;
  return results % most_outputs == 0 ? most_outputs : 0;
}

}  // namespace

bool has_few_channels(const ConvolutionCore& core) {
  if (core.kind == ConvolutionKind::filter_gradient || !core.channels_last || core.groups != 1) return false;
  const bool data = core.kind == ConvolutionKind::data_gradient;
  if (data && core.steps.stride != std::array<std::int64_t, 2>{1, 1}) return false;
  const auto [inputs, results] = channels_of(core);
  const std::int64_t filters = core.r * core.s * inputs * results;
  return inputs > 0 && inputs <= most_inputs && results <= most_results && outputs_of(results) > 0 &&
         filters * static_cast<std::int64_t>(sizeof(float)) <= most_filter_bytes;
}

LoweredOperation lower_few_channels(const Operation& operation, const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const bool data = core.kind == ConvolutionKind::data_gradient;
  const auto [inputs, results] = channels_of(core);
  const std::int64_t outputs = outputs_of(results), blocks = results / outputs;
  const std::vector<std::int64_t> extents = extent_of(core).to_vector();
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = ValueType::float32});
  KernelText text("convolution_few", embedded::kernel_convolution_few);
  text.define("POSITIONS", positions_of_group);
  text.define("BLOCKS", blocks);
  text.define("OUTPUTS", outputs);
  text.define("INPUTS", inputs);
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
  const std::int64_t rows = extents[1], columns = extents[2], positions = e.n * rows * columns;
  for (const std::int64_t number : {positions, rows, columns, data ? e.p : e.h, data ? e.q : e.w}) text.add_int(number);
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
