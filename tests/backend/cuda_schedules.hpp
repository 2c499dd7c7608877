// SPDX-License-Identifier: MIT
// Schedules written by hand, as the graph would make them, for tests and measurements of a backend on its own.
#pragma once

#include <string>
#include <vector>

#include "backend/api/operation.hpp"

namespace overtake::backend {

/// Builds schedules slot by slot. Slots in the arena never share memory: reuse is what the planner above does.
class ScheduleBuilder {
 public:
  int external(std::int64_t elements) {
    schedule_.slots.push_back(slot_of(elements, DType::float32, true));
    return last();
  }
  int temporary(std::int64_t elements) {
    schedule_.slots.push_back(slot_of(elements, DType::float32, false, schedule_.arena_bytes));
    schedule_.arena_bytes += static_cast<std::uint64_t>((elements * 4 + 255) / 256 * 256);
    return last();
  }
  void add(Operation operation) { schedule_.operations.push_back(std::move(operation)); }
  [[nodiscard]] const Schedule& schedule() const { return schedule_; }

 private:
  [[nodiscard]] int last() const { return static_cast<int>(schedule_.slots.size()) - 1; }
  Schedule schedule_;
};

/// Tape instructions, short enough to write tapes in one expression.
namespace tape {
inline TapeInstruction core() { return {.code = TapeCode::core}; }
inline TapeInstruction load(int index, ValueType type = ValueType::float32) {
  return {.code = TapeCode::load, .type = type, .index = static_cast<std::uint16_t>(index)};
}
inline TapeInstruction constant(float value) { return {.code = TapeCode::constant, .bits = to_bits(value)}; }
inline TapeInstruction whole(std::int32_t value) {
  return {.code = TapeCode::constant, .type = ValueType::int32, .bits = to_bits(value)};
}
inline TapeInstruction coordinate(int axis) {
  return {.code = TapeCode::coordinate, .type = ValueType::int32, .index = static_cast<std::uint16_t>(axis)};
}
inline TapeInstruction apply(TapeCode code, int a, int b = 0, int c = 0, ValueType type = ValueType::float32) {
  return {.code = code,
          .type = type,
          .a = static_cast<std::uint16_t>(a),
          .b = static_cast<std::uint16_t>(b),
          .c = static_cast<std::uint16_t>(c)};
}
/// The same for int32 operands.
inline TapeInstruction int_apply(TapeCode code, int a, int b = 0, int c = 0) {
  return apply(code, a, b, c, ValueType::int32);
}
}  // namespace tape

inline Access matrix_access(int slot, std::int64_t columns) { return {slot, 0, {columns, 1, 0, 0}, DType::float32}; }
inline Access row_access(int slot) { return {slot, 0, {0, 1, 0, 0}, DType::float32}; }
inline Access scalar_access(int slot, DType dtype = DType::float32) { return {slot, 0, {}, dtype}; }

struct Layer {
  int weights = -1, bias = -1;  ///< slots; weights are (out, in)
  std::int64_t in = 0, out = 0;
};

enum class Activation { none, relu };

/// output = activation(input (batch, in) * weights^T + bias)
inline Operation forward_product(const Layer& layer, std::int64_t batch, int input, int output, Activation activation) {
  Operation operation;
  MatMulCore core;
  core.m = batch;
  core.n = layer.out;
  core.k = layer.in;
  core.a = {input, 0, layer.in, 1};
  core.b = {layer.weights, 0, 1, layer.in};
  operation.core = core;
  operation.extent = Shape{batch, layer.out};
  operation.name = "forward";
  operation.tape.loads = {row_access(layer.bias)};
  operation.tape.code = {tape::core(), tape::load(0), tape::apply(TapeCode::add, 0, 1)};
  if (activation == Activation::relu) {
    operation.tape.code.push_back(tape::constant(0));
    operation.tape.code.push_back(tape::apply(TapeCode::maximum, 2, 3));
  }
  operation.tape.stores = {{output, static_cast<std::uint16_t>(operation.tape.code.size() - 1), DType::float32}};
  return operation;
}

/// gradient of the input = (gradient (batch, out) * weights) where input > 0, else 0
inline Operation input_gradient(const Layer& layer, std::int64_t batch, int gradient, int input, int output) {
  Operation operation;
  MatMulCore core;
  core.m = batch;
  core.n = layer.in;
  core.k = layer.out;
  core.a = {gradient, 0, layer.out, 1};
  core.b = {layer.weights, 0, layer.in, 1};
  operation.core = core;
  operation.extent = Shape{batch, layer.in};
  operation.name = "input gradient";
  operation.tape.loads = {matrix_access(input, layer.in)};
  operation.tape.code = {tape::core(),
                         tape::load(0),
                         tape::constant(0),
                         tape::apply(TapeCode::less, 2, 1),
                         tape::int_apply(TapeCode::to_float32, 3),
                         tape::apply(TapeCode::multiply, 0, 4)};
  operation.tape.stores = {{output, 5, DType::float32}};
  return operation;
}

/// weights -= rate (a one-element slot) * gradient^T * input, in place
inline Operation weight_update(const Layer& layer, std::int64_t batch, int gradient, int input, int rate) {
  Operation operation;
  MatMulCore core;
  core.m = layer.out;
  core.n = layer.in;
  core.k = batch;
  core.a = {gradient, 0, 1, layer.out};
  core.b = {input, 0, layer.in, 1};
  operation.core = core;
  operation.extent = Shape{layer.out, layer.in};
  operation.name = "weight update";
  operation.tape.loads = {matrix_access(layer.weights, layer.in), scalar_access(rate)};
  operation.tape.code = {tape::core(), tape::load(0), tape::load(1), tape::apply(TapeCode::multiply, 2, 0),
                         tape::apply(TapeCode::subtract, 1, 3)};
  operation.tape.stores = {{layer.weights, 4, DType::float32}};
  return operation;
}

/// bias -= rate * sum of gradient over the batch, in place
inline Operation bias_update(const Layer& layer, std::int64_t batch, int gradient, int rate) {
  Operation operation;
  ReduceCore core;
  core.outer = 1;
  core.reduced = batch;
  core.inner = layer.out;
  core.input.loads = {{gradient, 0, {0, layer.out, 1, 0}, DType::float32}};
  core.input.code = {tape::load(0)};
  operation.core = core;
  operation.extent = Shape{1, layer.out};
  operation.name = "bias update";
  operation.tape.loads = {row_access(layer.bias), scalar_access(rate)};
  operation.tape.code = {tape::core(), tape::load(0), tape::load(1), tape::apply(TapeCode::multiply, 2, 0),
                         tape::apply(TapeCode::subtract, 1, 3)};
  operation.tape.stores = {{layer.bias, 4, DType::float32}};
  return operation;
}

/// Rows indices[step * batch ...] of a (samples, columns) array.
inline Operation gather_rows(int source, DType dtype, std::int64_t samples, std::int64_t columns, int indices, int step,
                             std::int64_t batch, int output) {
  Operation operation;
  GatherCore core;
  core.rows = batch;
  core.columns = columns;
  core.source_rows = samples;
  core.source = {source, 0, {0, columns, 1}, dtype};
  core.indices = {indices, 0, {0, 1, 0}, DType::int32};
  core.start = {step, 0, {}, DType::int32};
  operation.core = core;
  operation.extent = Shape{1, batch, columns};
  operation.name = "gather";
  operation.tape.code = {{.code = TapeCode::core, .type = value_type_of(dtype)}};
  operation.tape.stores = {{output, 0, dtype}};
  return operation;
}

/// (softmax(logits) - one-hot(label)) / batch
inline Operation logits_gradient(int logits, int labels, std::int64_t batch, std::int64_t classes, int output) {
  Operation operation;
  RowCore core;
  core.kind = RowKind::softmax;
  core.rows = batch;
  core.columns = classes;
  core.input = matrix_access(logits, classes);
  operation.core = core;
  operation.extent = Shape{batch, classes};
  operation.name = "logits gradient";
  operation.tape.loads = {{labels, 0, {1, 0, 0, 0}, DType::int32}};
  operation.tape.code = {tape::core(),
                         tape::load(0, ValueType::int32),
                         tape::coordinate(1),
                         tape::int_apply(TapeCode::equal, 1, 2),
                         tape::int_apply(TapeCode::to_float32, 3),
                         tape::apply(TapeCode::subtract, 0, 4),
                         tape::constant(1.0F / static_cast<float>(batch)),
                         tape::apply(TapeCode::multiply, 5, 6)};
  operation.tape.stores = {{output, 7, DType::float32}};
  return operation;
}

/// counter = (counter + 1) modulo `period` by select
inline Operation advance(int counter, int period) {
  Operation operation;
  operation.core = MapCore{};
  operation.extent = Shape{1};
  operation.name = "advance";
  operation.tape.loads = {scalar_access(counter, DType::int32)};
  operation.tape.code = {tape::load(0, ValueType::int32),           tape::whole(1),
                         tape::int_apply(TapeCode::add, 0, 1),      tape::whole(period),
                         tape::int_apply(TapeCode::equal, 2, 3),    tape::whole(0),
                         tape::int_apply(TapeCode::select, 4, 5, 2)};
  operation.tape.stores = {{counter, 6, DType::int32}};
  return operation;
}

/// External slots of training_step, in this order.
struct TrainingSlots {
  int data = 0, labels = 1, indices = 2, step = 3, rate = 4;
  int first_parameter = 5;  ///< weights and bias of layer 0, of layer 1, ...
};
inline constexpr std::int64_t training_samples = 1000;

/// One step of stochastic gradient descent of a classifier with the given widths (input first), rectified between
/// layers.
inline Schedule training_step(std::int64_t batch, const std::vector<std::int64_t>& widths) {
  ScheduleBuilder build;
  const int data = build.external(training_samples * widths[0]);
  const int labels = build.external(training_samples);
  const int indices = build.external(training_samples);
  const int step = build.external(1);
  const int rate = build.external(1);
  std::vector<Layer> layers;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    Layer layer;
    layer.in = widths[l];
    layer.out = widths[l + 1];
    layer.weights = build.external(layer.in * layer.out);
    layer.bias = build.external(layer.out);
    layers.push_back(layer);
  }
  std::vector<int> activations{build.temporary(batch * widths[0])};
  const int batch_labels = build.temporary(batch);
  build.add(gather_rows(data, DType::float32, training_samples, widths[0], indices, step, batch, activations[0]));
  build.add(gather_rows(labels, DType::int32, training_samples, 1, indices, step, batch, batch_labels));
  for (std::size_t l = 0; l < layers.size(); ++l) {
    activations.push_back(build.temporary(batch * layers[l].out));
    build.add(forward_product(layers[l], batch, activations[l], activations[l + 1],
                              l + 1 < layers.size() ? Activation::relu : Activation::none));
  }
  int gradient = build.temporary(batch * widths.back());
  build.add(logits_gradient(activations.back(), batch_labels, batch, widths.back(), gradient));
  for (std::size_t l = layers.size(); l-- > 0;) {
    int before = -1;
    if (l > 0) {
      before = build.temporary(batch * layers[l].in);
      build.add(input_gradient(layers[l], batch, gradient, activations[l], before));
    }
    build.add(weight_update(layers[l], batch, gradient, activations[l], rate));
    build.add(bias_update(layers[l], batch, gradient, rate));
    gradient = before;
  }
  build.add(advance(step, static_cast<int>(training_samples / batch)));
  return build.schedule();
}

/// Widths of the disc sweep with `layers` layers: 2, 4, 8, ..., 2^layers, 2.
inline std::vector<std::int64_t> sweep_widths(int layers) {
  std::vector<std::int64_t> widths;
  for (int l = 0; l < layers; ++l) widths.push_back(std::int64_t{2} << l);
  widths.push_back(2);
  return widths;
}

}  // namespace overtake::backend
