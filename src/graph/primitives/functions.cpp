// SPDX-License-Identifier: MIT
// Activations: functions of one variable that are made of several element functions.
#include <numbers>

#include "graph/primitives/rule.hpp"

namespace overtake {
namespace {

using backend::TapeCode;
using graph::Rule;
using graph::TapeBuilder;
using Inputs = const std::vector<Array>&;
using In = Rule::Registers;

std::uint16_t number(TapeBuilder& tape, In in, double value) { return tape.constant(value, tape.type_of(in[0])); }

// The gradient at 0 is 0, as in PyTorch; using the output keeps the input from being stored.
const Rule relu_rule{
    "relu", [](TapeBuilder& tape, In in, float) { return tape.apply(TapeCode::maximum, in[0], number(tape, in, 0)); },
    [](Inputs, const Array& y, const Array& g, std::size_t, float) { return where(greater(y, 0.0F), g, 0.0F); }};

const Rule leaky_relu_rule{"leaky_relu",
                           [](TapeBuilder& tape, In in, float slope) {
                             const auto negative_part = tape.apply(TapeCode::multiply, in[0], number(tape, in, slope));
                             const auto positive = tape.apply(TapeCode::less, number(tape, in, 0), in[0]);
                             return tape.apply(TapeCode::select, positive, in[0], negative_part);
                           },
                           [](Inputs in, const Array&, const Array& g, std::size_t, float slope) {
                             return where(greater(in[0], 0.0F), g, slope * g);
                           }};

// gelu(x) = x Phi(x); gelu'(x) = Phi(x) + x phi(x).
const Rule gelu_rule{"gelu",
                     [](TapeBuilder& tape, In in, float) {
                       const double inv_sqrt2 = 1 / std::numbers::sqrt2;
                       const auto scaled = tape.apply(TapeCode::multiply, in[0], number(tape, in, inv_sqrt2));
                       const auto one_plus =
                           tape.apply(TapeCode::add, tape.apply(TapeCode::erf, scaled), number(tape, in, 1));
                       const auto half = tape.apply(TapeCode::multiply, in[0], number(tape, in, 0.5));
                       return tape.apply(TapeCode::multiply, half, one_plus);
                     },
                     [](Inputs in, const Array&, const Array& g, std::size_t, float) {
                       const double inv_sqrt2 = 1 / std::numbers::sqrt2;
                       const double inv_sqrt_2pi = inv_sqrt2 * std::numbers::inv_sqrtpi;
                       const Array& x = in[0];
                       const Array cumulative = 0.5F * (1.0F + erf(inv_sqrt2 * x));
                       const Array density = inv_sqrt_2pi * exp(-0.5F * square(x));
                       return g * (cumulative + x * density);
                     }};

// silu(x) = x s(x); silu'(x) = s(x) (1 + x (1 - s(x))).
const Rule silu_rule{"silu",
                     [](TapeBuilder& tape, In in, float) {
                       return tape.apply(TapeCode::multiply, in[0], tape.apply(TapeCode::sigmoid, in[0]));
                     },
                     [](Inputs in, const Array&, const Array& g, std::size_t, float) {
                       const Array s = sigmoid(in[0]);
                       return g * (s * (1.0F + in[0] * (1.0F - s)));
                     }};

}  // namespace

Array relu(const Array& a) { return graph::unary(relu_rule, a); }
Array leaky_relu(const Array& a, float negative_slope) { return graph::unary(leaky_relu_rule, a, negative_slope); }
Array gelu(const Array& a) { return graph::unary(gelu_rule, a); }
Array silu(const Array& a) { return graph::unary(silu_rule, a); }

}  // namespace overtake
