// SPDX-License-Identifier: MIT
// Functions of one variable.
#include <numbers>

#include "graph/primitives/rule.hpp"

namespace overtake {
namespace {

using backend::TapeCode;
using graph::Rule;
using graph::TapeBuilder;
using Inputs = const std::vector<Array>&;
using In = Rule::Registers;

template <TapeCode code>
std::uint16_t emit_unary(TapeBuilder& tape, In in, float) {
  return tape.apply(code, in[0]);
}

const Rule negative_rule{"negative", emit_unary<TapeCode::negate>,
                         [](Inputs, const Array&, const Array& g, std::size_t, float) { return negative(g); }};
const Rule abs_rule{"abs", emit_unary<TapeCode::absolute>,
                    [](Inputs in, const Array&, const Array& g, std::size_t, float) { return g * sign(in[0]); }};
const Rule sign_rule{"sign", emit_unary<TapeCode::sign>, nullptr};
const Rule square_rule{"square",
                       [](TapeBuilder& tape, In in, float) { return tape.apply(TapeCode::multiply, in[0], in[0]); },
                       [](Inputs in, const Array&, const Array& g, std::size_t, float) { return g * (2.0F * in[0]); }};
const Rule sqrt_rule{"sqrt", emit_unary<TapeCode::sqrt>,
                     [](Inputs, const Array& y, const Array& g, std::size_t, float) { return g / (2.0F * y); }};
const Rule exp_rule{"exp", emit_unary<TapeCode::exp>,
                    [](Inputs, const Array& y, const Array& g, std::size_t, float) { return g * y; }};
const Rule log_rule{"log", emit_unary<TapeCode::log>,
                    [](Inputs in, const Array&, const Array& g, std::size_t, float) { return g / in[0]; }};
const Rule log1p_rule{"log1p", emit_unary<TapeCode::log1p>,
                      [](Inputs in, const Array&, const Array& g, std::size_t, float) { return g / (1.0F + in[0]); }};
const Rule sin_rule{"sin", emit_unary<TapeCode::sin>,
                    [](Inputs in, const Array&, const Array& g, std::size_t, float) { return g * cos(in[0]); }};
const Rule cos_rule{"cos", emit_unary<TapeCode::cos>, [](Inputs in, const Array&, const Array& g, std::size_t, float) {
                      return negative(g * sin(in[0]));
                    }};
const Rule tanh_rule{"tanh", emit_unary<TapeCode::tanh>,
                     [](Inputs, const Array& y, const Array& g, std::size_t, float) { return g * (1.0F - y * y); }};
const Rule erf_rule{"erf", emit_unary<TapeCode::erf>, [](Inputs in, const Array&, const Array& g, std::size_t, float) {
                      const float two_over_sqrt_pi = 2.0F * std::numbers::inv_sqrtpi_v<float>;
                      return g * (two_over_sqrt_pi * exp(negative(square(in[0]))));
                    }};
const Rule sigmoid_rule{
    "sigmoid", emit_unary<TapeCode::sigmoid>,
    [](Inputs, const Array& y, const Array& g, std::size_t, float) { return g * (y * (1.0F - y)); }};

// The gradient at 0 is 0, as in PyTorch; using the output keeps the input from being stored.
const Rule relu_rule{
    "relu", [](TapeBuilder& tape, In in, float) { return tape.apply(TapeCode::maximum, in[0], tape.constant(0)); },
    [](Inputs, const Array& y, const Array& g, std::size_t, float) { return where(greater(y, 0.0F), g, 0.0F); }};

const Rule leaky_relu_rule{"leaky_relu",
                           [](TapeBuilder& tape, In in, float slope) {
                             const auto negative_part = tape.apply(TapeCode::multiply, in[0], tape.constant(slope));
                             const auto positive = tape.apply(TapeCode::less, tape.constant(0), in[0]);
                             return tape.apply(TapeCode::select, positive, in[0], negative_part);
                           },
                           [](Inputs in, const Array&, const Array& g, std::size_t, float slope) {
                             return where(greater(in[0], 0.0F), g, slope * g);
                           }};

// gelu(x) = x Phi(x); gelu'(x) = Phi(x) + x phi(x).
const Rule gelu_rule{"gelu",
                     [](TapeBuilder& tape, In in, float) {
                       const float inv_sqrt2 = 1.0F / std::numbers::sqrt2_v<float>;
                       const auto scaled = tape.apply(TapeCode::multiply, in[0], tape.constant(inv_sqrt2));
                       const auto one_plus =
                           tape.apply(TapeCode::add, tape.apply(TapeCode::erf, scaled), tape.constant(1));
                       const auto half = tape.apply(TapeCode::multiply, in[0], tape.constant(0.5F));
                       return tape.apply(TapeCode::multiply, half, one_plus);
                     },
                     [](Inputs in, const Array&, const Array& g, std::size_t, float) {
                       const float inv_sqrt2 = 1.0F / std::numbers::sqrt2_v<float>;
                       const float inv_sqrt_2pi = inv_sqrt2 * std::numbers::inv_sqrtpi_v<float>;
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

Array negative(const Array& a) { return graph::unary(negative_rule, a); }
Array abs(const Array& a) { return graph::unary(abs_rule, a); }
Array sign(const Array& a) { return graph::unary(sign_rule, a); }
Array square(const Array& a) { return graph::unary(square_rule, a); }
Array sqrt(const Array& a) { return graph::unary(sqrt_rule, a); }
Array exp(const Array& a) { return graph::unary(exp_rule, a); }
Array log(const Array& a) { return graph::unary(log_rule, a); }
Array log1p(const Array& a) { return graph::unary(log1p_rule, a); }
Array sin(const Array& a) { return graph::unary(sin_rule, a); }
Array cos(const Array& a) { return graph::unary(cos_rule, a); }
Array tanh(const Array& a) { return graph::unary(tanh_rule, a); }
Array erf(const Array& a) { return graph::unary(erf_rule, a); }
Array sigmoid(const Array& a) { return graph::unary(sigmoid_rule, a); }
Array relu(const Array& a) { return graph::unary(relu_rule, a); }
Array leaky_relu(const Array& a, float negative_slope) { return graph::unary(leaky_relu_rule, a, negative_slope); }
Array gelu(const Array& a) { return graph::unary(gelu_rule, a); }
Array silu(const Array& a) { return graph::unary(silu_rule, a); }

}  // namespace overtake
