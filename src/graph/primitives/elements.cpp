// SPDX-License-Identifier: MIT
// The functions of kernels/graph/elements.k, as rules and as functions of arrays.
#include <functional>
#include <optional>

#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

#include <fmt/format.h>

namespace overtake {
namespace {

using backend::ElementFunction;
using backend::TapeCode;
using graph::Number;
using graph::Rule;
using graph::TapeBuilder;
using Inputs = const std::vector<Array>&;

// -- gradients of several lines ---------------------------------------------------------------------------------------

// d/da a^b = b a^(b-1), which is 0 for b = 0 whatever a is; d/db a^b = a^b log a, taken as 0 where a = 0 and b >= 0:
// both as PyTorch does.
Array power_gradient_base(const Array& a, const Array& b, const Array& g) {
  return g * where(equal(b, 0.0F), 0.0F, b * power(a, b - 1.0F));
}
Array power_gradient_exponent(const Array& a, const Array& b, const Array& y, const Array& g) {
  const Array flat = logical_and(equal(a, 0.0F), greater_equal(b, 0.0F));
  return g * where(flat, 0.0F, y * log(a));
}

// Ties share the gradient equally, as in PyTorch.
Array extreme_gradient(const Array& mine, const Array& other, const Array& y, const Array& g) {
  const Array first = astype(equal(mine, y), y.dtype());
  return g * (first / (first + astype(equal(other, y), y.dtype())));
}

// -- rules ------------------------------------------------------------------------------------------------------------

template <TapeCode code>
std::uint16_t emit(TapeBuilder& tape, Rule::Registers in, float) {
  return tape.apply(code, in[0], in.size() > 1 ? in[1] : std::uint16_t{0});
}

// The names of a row's gradients.
#define NONE Array()
#define OVERTAKE_ROW(name, arity, types, result, low, high, body, da, db)                                              \
  const Rule name##_rule{                                                                                              \
      #name, emit<TapeCode::name>,                                                                                     \
      [](Inputs in, [[maybe_unused]] const Array& y, [[maybe_unused]] const Array& g, std::size_t i, float) -> Array { \
        [[maybe_unused]] const Array& a = in[0];                                                                       \
        [[maybe_unused]] const Array& b = in.back();                                                                   \
        if (i == 0) return Array(da);                                                                                  \
        return Array(db);                                                                                              \
      }};
ELEMENT_FUNCTIONS(OVERTAKE_ROW)
#undef OVERTAKE_ROW
#undef NONE

const Rule int_floor_divide_rule{"int_floor_divide", emit<TapeCode::int_floor_divide>, nullptr};
const Rule int_remainder_rule{"int_remainder", emit<TapeCode::int_remainder>, nullptr};
const Rule int_power_rule{"int_power", emit<TapeCode::int_power>, nullptr};

// The rule for whole numbers where the function has one of its own.
Rule rule_for(const Rule& rule, TapeCode code, DType dtype) {
  if (is_floating(dtype)) return rule;
  switch (code) {
    case TapeCode::floor_divide: return int_floor_divide_rule;
    case TapeCode::remainder: return int_remainder_rule;
    case TapeCode::power: return int_power_rule;
    default: return rule;
  }
}

// -- types ------------------------------------------------------------------------------------------------------------

bool has_integer_form(TapeCode code) {
  return code == TapeCode::floor_divide || code == TapeCode::remainder || code == TapeCode::power;
}

// The type in which a function computes operands of this type.
DType computing_type(const ElementFunction& function, DType dtype) {
  using Types = ElementFunction::Types;
  if (function.types == Types::INTEGERS) {
    if (is_floating(dtype)) {
      throw UsageError(fmt::format("[{}] expects whole numbers or bool, got {}", function.name, name_of(dtype)),
                       "Convert it with astype().");
    }
    return dtype;
  }
  if (function.types == Types::NUMBERS || is_floating(dtype)) return dtype;
  return has_integer_form(function.code) && dtype != DType::boolean ? dtype : DType::float32;
}

// Of truths there are no differences, and none is negative.
void refuse_bools(TapeCode code, DType dtype) {
  if (dtype != DType::boolean || (code != TapeCode::subtract && code != TapeCode::negative)) return;
  throw UsageError(fmt::format("[{}] is no function of bool", backend::element_function(code)->name),
                   code == TapeCode::subtract ? "Use not_equal() or logical_xor(), or convert with astype()."
                                              : "Use logical_not(), or convert with astype().");
}

DType result_dtype(const ElementFunction& function, DType dtype) {
  return function.result == ElementFunction::Result::TRUTH ? DType::boolean : dtype;
}

// Rounding leaves whole numbers as they are.
bool is_identity(TapeCode code, DType dtype) {
  if (is_floating(dtype)) return false;
  return code == TapeCode::floor || code == TapeCode::ceil || code == TapeCode::trunc || code == TapeCode::round;
}

Array apply_unary(const Rule& rule, TapeCode code, const Array& a) {
  graph::require_defined(rule.name, a);
  const ElementFunction& function = *backend::element_function(code);
  if (is_identity(code, a.dtype())) return a;
  if (code == TapeCode::bitwise_invert && a.dtype() == DType::boolean) return logical_not(a);
  const DType dtype = computing_type(function, a.dtype());
  refuse_bools(code, dtype);
  return graph::elementwise(rule, {graph::as_type(a, dtype)}, 0, result_dtype(function, dtype));
}

// Scalars meet scalars where gradients begin: folding them keeps launches out of every training step. In double, then
// rounded: for one operation on float32 that is the float32 result.
Array folded(TapeCode code, const Array& a, const Array& b, DType dtype) {
  if (dtype != DType::float32) return {};
  const std::optional<Number> x = graph::constant_value(a), y = graph::constant_value(b);
  if (!x || !y) return {};
  backend::Device* device = a.node()->device != nullptr ? a.node()->device : b.node()->device;
  const bool one_device = b.node()->device == nullptr || b.node()->device == device;
  const bool fits = a.shape() == b.shape() || a.shape().rank() == 0 || b.shape().rank() == 0;
  if (!one_device || !fits) return {};
  const double left = to_double(converted(*x, dtype)), right = to_double(converted(*y, dtype));
  double value = 0;
  switch (code) {
    case TapeCode::add: value = left + right; break;
    case TapeCode::subtract: value = left - right; break;
    case TapeCode::multiply: value = left * right; break;
    default: return {};
  }
  const Shape& shape = a.shape().rank() == 0 ? b.shape() : a.shape();
  return graph::make_source(std::make_shared<graph::Constant>(graph::number_of(value, dtype)), shape, dtype, device);
}

// A comparison with a plain number that no element can be: the same everywhere. Undefined for other functions.
Array far_comparison(const ElementFunction& function, const Array& a, const Array& b, DType dtype) {
  const int left = graph::beyond(a, dtype), right = graph::beyond(b, dtype);
  if (function.result != ElementFunction::Result::TRUTH || (left == 0) == (right == 0)) return {};
  const bool is_less = left < 0 || right > 0;
  bool truth = is_less;  // of less and less_equal, since never are they equal
  if (function.code == TapeCode::equal) truth = false;
  if (function.code == TapeCode::not_equal) truth = true;
  const Array& other = left == 0 ? a : b;
  const Shape shape = broadcast_shapes(a.shape(), b.shape());
  const Number value = graph::number_of(std::int64_t{truth ? 1 : 0}, DType::boolean);
  return graph::make_source(std::make_shared<graph::Constant>(value), shape, DType::boolean, other.node()->device);
}

// Numbers of 16 bits are computed in float32, whose neighbours round back. With a = m 2^e of p bits behind the point,
// 2^p <= m < 2^(p+1), a step of 0.625 2^-p a is more than half an ulp and less than 1.5 above a, and below it, where
// the ulp of a power of two is half as wide; 0.625 times the smallest number does the same where ulps are that wide.
Array next_of_16_bits(const Array& a, const Array& b, DType dtype) {
  const bool is_half = dtype == DType::float16;
  const double step = 0.625 * (is_half ? 0x1p-10 : 0x1p-7), smallest = 0.625 * (is_half ? 0x1p-24 : 0x1p-133);
  const double largest = is_half ? 65504 : 0x1.FEp127;
  const Array x = astype(a, DType::float32), y = astype(b, DType::float32);
  const Array width = maximum(abs(x) * Array(step), Array(smallest));
  Array next = where(less(x, y), x + width, x - width);
  next = where(isinf(x), copysign(Array(largest), x), next);
  next = where(logical_or(equal(x, y), isnan(y)), y, next);
  return astype(next, dtype);
}

Array apply_binary(const Rule& rule, TapeCode code, const Array& a, const Array& b) {
  const ElementFunction& function = *backend::element_function(code);
  const std::vector<Array> inputs{a, b};
  const DType dtype = computing_type(function, graph::common_type(rule.name, inputs));
  refuse_bools(code, dtype);
  if (Array same = far_comparison(function, a, b, dtype); same.defined()) return same;
  if (code == TapeCode::nextafter && (dtype == DType::float16 || dtype == DType::bfloat16)) {
    const std::vector<Array> given = graph::aligned(rule.name, inputs, dtype);
    return next_of_16_bits(given[0], given[1], dtype);
  }
  if (Array constant = folded(code, a, b, dtype); constant.defined()) return constant;
  return graph::elementwise(rule_for(rule, code, dtype), graph::aligned(rule.name, inputs, dtype), 0,
                            result_dtype(function, dtype));
}

}  // namespace

#define OVERTAKE_ARGUMENTS_ONE const Array& a
#define OVERTAKE_ARGUMENTS_TWO const Array &a, const Array &b
#define OVERTAKE_CALL_ONE(name) apply_unary(name##_rule, TapeCode::name, a)
#define OVERTAKE_CALL_TWO(name) apply_binary(name##_rule, TapeCode::name, a, b)
#define OVERTAKE_ROW(name, arity, types, result, low, high, body, da, db) \
  Array name(OVERTAKE_ARGUMENTS_##arity) { return OVERTAKE_CALL_##arity(name); }
ELEMENT_FUNCTIONS(OVERTAKE_ROW)
#undef OVERTAKE_ROW

Array greater(const Array& a, const Array& b) { return less(b, a); }
Array greater_equal(const Array& a, const Array& b) { return less_equal(b, a); }

}  // namespace overtake
