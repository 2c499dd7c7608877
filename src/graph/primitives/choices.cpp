// SPDX-License-Identifier: MIT
// where, astype, and logic.
#include "graph/primitives/layout.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"

namespace overtake {
namespace {

using backend::TapeCode;
using graph::Rule;
using graph::TapeBuilder;
using Inputs = const std::vector<Array>&;

const Rule where_rule{
    "where",
    [](TapeBuilder& tape, Rule::Registers in, float) { return tape.apply(TapeCode::select, in[0], in[1], in[2]); },
    [](Inputs in, const Array&, const Array& g, std::size_t i, float) {
      if (i == 0) return Array();
      return i == 1 ? where(in[0], g, 0.0F) : where(in[0], 0.0F, g);
    }};

// Conversion; the gradient of one float by another is converted back.
class AsType final : public graph::Elementwise {
 public:
  AsType(DType from, DType to) : from_(from), to_(to) {}
  [[nodiscard]] std::string_view name() const override { return "astype"; }
  [[nodiscard]] std::uint16_t emit(TapeBuilder& tape, const std::vector<std::uint16_t>& in) const override {
    return tape.converted(in[0], from_, to_);
  }
  [[nodiscard]] std::vector<Array> vjp(Inputs, const Array&, const Array& g, const std::vector<bool>&) const override {
    return {is_floating(from_) && is_floating(to_) ? astype(g, from_) : Array()};
  }

 private:
  DType from_, to_;
};

Array truth_of(const Array& a) { return graph::as_type(a, DType::boolean); }

Array logical(std::string_view name, Array (*combine)(const Array&, const Array&), const Array& a, const Array& b) {
  graph::require_defined(name, a);
  graph::require_defined(name, b);
  return combine(truth_of(a), truth_of(b));
}

}  // namespace

Array where(const Array& condition, const Array& a, const Array& b) {
  graph::require_defined("where", condition);
  const DType dtype = graph::common_type("where", std::vector<Array>{a, b});
  return graph::elementwise(where_rule,
                            graph::broadcast_all("where", {truth_of(condition), graph::fitting("where", a, dtype),
                                                           graph::fitting("where", b, dtype)}),
                            0, dtype);
}

Array astype(const Array& a, DType dtype) {
  graph::require_defined("astype", a);
  if (graph::constant_value(a)) return a.dtype() == dtype ? a : graph::as_type(a, dtype);
  if (a.dtype() == dtype) return a;
  if (const Array before = graph::before_widening(a); before.dtype() == dtype) return before;
  return graph::in_order_of_memory({a}, [dtype](const std::vector<Array>& in) {
    return graph::make_node(std::make_shared<AsType>(in[0].dtype(), dtype), in, in[0].shape(), dtype);
  });
}

Array logical_not(const Array& a) {
  graph::require_defined("logical_not", a);
  return equal(truth_of(a), Array(false));
}
Array logical_and(const Array& a, const Array& b) { return logical("logical_and", bitwise_and, a, b); }
Array logical_or(const Array& a, const Array& b) { return logical("logical_or", bitwise_or, a, b); }
Array logical_xor(const Array& a, const Array& b) { return logical("logical_xor", bitwise_xor, a, b); }

}  // namespace overtake
