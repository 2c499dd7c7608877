// SPDX-License-Identifier: MIT
// add, subtract, multiply, divide, power, maximum, minimum, where, astype.
#include <functional>
#include <optional>

#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"

namespace overtake {
namespace {

using backend::TapeCode;
using graph::Rule;
using graph::TapeBuilder;
using Inputs = const std::vector<Array>&;

template <TapeCode code>
std::uint16_t emit_binary(TapeBuilder& tape, Rule::Registers in, float) {
  return tape.apply(code, in[0], in[1]);
}

const Rule add_rule{"add", emit_binary<TapeCode::add>,
                    [](Inputs, const Array&, const Array& g, std::size_t, float) { return g; }};

const Rule subtract_rule{
    "subtract", emit_binary<TapeCode::subtract>,
    [](Inputs, const Array&, const Array& g, std::size_t i, float) { return i == 0 ? g : negative(g); }};

const Rule multiply_rule{
    "multiply", emit_binary<TapeCode::multiply>,
    [](Inputs in, const Array&, const Array& g, std::size_t i, float) { return multiply(g, in[1 - i]); }};

const Rule divide_rule{"divide", emit_binary<TapeCode::divide>,
                       [](Inputs in, const Array& y, const Array& g, std::size_t i, float) {
                         return i == 0 ? divide(g, in[1]) : negative(divide(multiply(g, y), in[1]));
                       }};

// d/da a^b = b a^(b-1), which is 0 for b = 0 whatever a is; d/db a^b = a^b log a, taken as 0 where a = 0 and b >= 0:
// both as PyTorch does.
const Rule power_rule{"power", emit_binary<TapeCode::power>,
                      [](Inputs in, const Array& y, const Array& g, std::size_t i, float) {
                        if (i == 0) {
                          const Array slope = multiply(in[1], power(in[0], subtract(in[1], 1.0F)));
                          return multiply(g, where(equal(in[1], 0.0F), 0.0F, slope));
                        }
                        const Array flat = multiply(equal(in[0], 0.0F), greater_equal(in[1], 0.0F));
                        return multiply(g, where(flat, 0.0F, multiply(y, log(in[0]))));
                      }};

// Ties share the gradient equally, as in PyTorch.
Array pick_gradient(Inputs in, const Array& y, const Array& g, std::size_t i) {
  const Array mine = equal(in[i], y);
  return multiply(g, divide(mine, add(mine, equal(in[1 - i], y))));
}

const Rule maximum_rule{
    "maximum", emit_binary<TapeCode::maximum>,
    [](Inputs in, const Array& y, const Array& g, std::size_t i, float) { return pick_gradient(in, y, g, i); }};

const Rule minimum_rule{
    "minimum", emit_binary<TapeCode::minimum>,
    [](Inputs in, const Array& y, const Array& g, std::size_t i, float) { return pick_gradient(in, y, g, i); }};

const Rule where_rule{
    "where",
    [](TapeBuilder& tape, Rule::Registers in, float) { return tape.apply(TapeCode::select, in[0], in[1], in[2]); },
    [](Inputs in, const Array&, const Array& g, std::size_t i, float) {
      if (i == 0) return Array();
      return i == 1 ? where(in[0], g, 0.0F) : where(in[0], 0.0F, g);
    }};

const Rule to_float_rule{
    "astype_float32",
    [](TapeBuilder& tape, Rule::Registers in, float) { return tape.apply(TapeCode::int_to_float, in[0]); }, nullptr};

const Rule to_int_rule{
    "astype_int32",
    [](TapeBuilder& tape, Rule::Registers in, float) { return tape.apply(TapeCode::float_to_int, in[0]); }, nullptr};

// Scalars meet scalars where gradients begin: folding them keeps launches out of every training step.
template <class F>
Array arithmetic(const Rule& rule, const Array& a, const Array& b, F compute) {
  if (a.defined() && b.defined() && a.dtype() == DType::float32 && b.dtype() == DType::float32) {
    const std::optional<float> x = graph::constant_value(a), y = graph::constant_value(b);
    backend::Device* device = a.node()->device != nullptr ? a.node()->device : b.node()->device;
    const bool one_device = b.node()->device == nullptr || b.node()->device == device;
    const bool fits = a.shape() == b.shape() || a.shape().rank() == 0 || b.shape().rank() == 0;
    if (x && y && one_device && fits) {
      const Shape& shape = a.shape().rank() == 0 ? b.shape() : a.shape();
      return graph::make_source(std::make_shared<graph::Constant>(compute(*x, *y)), shape, DType::float32, device);
    }
  }
  return graph::broadcasting(rule, {a, b});
}

}  // namespace

Array add(const Array& a, const Array& b) {
  // Counters are int32: the only integer arithmetic so far.
  if (a.defined() && b.defined() && a.dtype() == DType::int32 && b.dtype() == DType::int32) {
    static const Rule rule{"add_int32", emit_binary<TapeCode::int_add>, nullptr};
    const Shape shape = broadcast_shapes(a.shape(), b.shape());
    return graph::elementwise(rule, {broadcast_to(a, shape), broadcast_to(b, shape)}, 0, DType::int32);
  }
  return arithmetic(add_rule, a, b, std::plus<>());
}

Array subtract(const Array& a, const Array& b) { return arithmetic(subtract_rule, a, b, std::minus<>()); }
Array multiply(const Array& a, const Array& b) { return arithmetic(multiply_rule, a, b, std::multiplies<>()); }
Array divide(const Array& a, const Array& b) { return graph::broadcasting(divide_rule, {a, b}); }
Array power(const Array& a, const Array& b) { return graph::broadcasting(power_rule, {a, b}); }
Array maximum(const Array& a, const Array& b) { return graph::broadcasting(maximum_rule, {a, b}); }
Array minimum(const Array& a, const Array& b) { return graph::broadcasting(minimum_rule, {a, b}); }

Array where(const Array& condition, const Array& a, const Array& b) {
  return graph::broadcasting(where_rule, {condition, a, b});
}

Array astype(const Array& a, DType dtype) {
  graph::require("astype", a, a.defined() ? a.dtype() : dtype);
  if (a.dtype() == dtype) return a;
  return graph::elementwise(dtype == DType::float32 ? to_float_rule : to_int_rule, {a}, 0, dtype);
}

}  // namespace overtake
