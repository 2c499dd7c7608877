// SPDX-License-Identifier: MIT
// Comparisons: float32 1 where true, 0 where false; no gradient.
#include "graph/primitives/rule.hpp"

namespace overtake {
namespace {

using backend::TapeCode;
using graph::Rule;
using graph::TapeBuilder;

template <TapeCode code>
std::uint16_t compare(TapeBuilder& tape, Rule::Registers in, float) {
  return tape.apply(code, in[0], in[1]);
}

const Rule equal_rule{"equal", compare<TapeCode::equal>, nullptr};
const Rule equal_int_rule{"equal_int32", compare<TapeCode::int_equal>, nullptr};
const Rule not_equal_rule{"not_equal", compare<TapeCode::not_equal>, nullptr};
const Rule less_rule{"less", compare<TapeCode::less>, nullptr};
const Rule less_equal_rule{"less_equal", compare<TapeCode::less_equal>, nullptr};

bool both_int(const Array& a, const Array& b) {
  return a.defined() && b.defined() && a.dtype() == DType::int32 && b.dtype() == DType::int32;
}

Array equal_int(const Array& a, const Array& b) {
  const Shape shape = broadcast_shapes(a.shape(), b.shape());
  return graph::elementwise(equal_int_rule, {broadcast_to(a, shape), broadcast_to(b, shape)});
}

}  // namespace

Array equal(const Array& a, const Array& b) {
  return both_int(a, b) ? equal_int(a, b) : graph::broadcasting(equal_rule, {a, b});
}

Array not_equal(const Array& a, const Array& b) {
  return both_int(a, b) ? subtract(1.0F, equal_int(a, b)) : graph::broadcasting(not_equal_rule, {a, b});
}

Array less(const Array& a, const Array& b) { return graph::broadcasting(less_rule, {a, b}); }
Array less_equal(const Array& a, const Array& b) { return graph::broadcasting(less_equal_rule, {a, b}); }
Array greater(const Array& a, const Array& b) { return less(b, a); }
Array greater_equal(const Array& a, const Array& b) { return less_equal(b, a); }

}  // namespace overtake
