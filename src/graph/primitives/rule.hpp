// SPDX-License-Identifier: MIT
// Element-wise primitives as rows of data: a name, how to compute it, and its gradient formula.
#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "graph/node.hpp"
#include "graph/primitive.hpp"
#include "overtake/ops.hpp"

namespace overtake::graph {

/// `gradient(inputs, output, cotangent, i)` is the gradient by input i; null where the function has none (comparisons).
struct Rule {
  using Registers = std::span<const std::uint16_t>;
  std::string_view name;
  std::uint16_t (*emit)(TapeBuilder& tape, Registers inputs, float parameter);
  Array (*gradient)(const std::vector<Array>& inputs, const Array& output, const Array& cotangent, std::size_t i,
                    float parameter);
};

/// The primitive of a rule, with its one parameter (a slope, say).
class RulePrimitive final : public Elementwise {
 public:
  explicit RulePrimitive(const Rule& rule, float parameter = 0) : rule_(rule), parameter_(parameter) {}
  [[nodiscard]] std::string_view name() const override { return rule_.name; }
  void sign(Signature& signature) const override { signature.add_float(parameter_); }
  [[nodiscard]] std::uint16_t emit(TapeBuilder& tape, const std::vector<std::uint16_t>& inputs) const override {
    return rule_.emit(tape, inputs, parameter_);
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& inputs, const Array& output, const Array& cotangent,
                                       const std::vector<bool>& wanted) const override {
    std::vector<Array> result(inputs.size());
    for (std::size_t i = 0; rule_.gradient != nullptr && i < inputs.size(); ++i) {
      if (wanted[i]) result[i] = rule_.gradient(inputs, output, cotangent, i, parameter_);
    }
    return result;
  }

 private:
  Rule rule_;  // a row of constants: copying it keeps the primitive free of lifetimes
  float parameter_;
};

/// Throws UsageError("[name] ...") unless the array is defined and has the dtype.
void require(std::string_view name, const Array& array, DType dtype);

/// An element-wise node on inputs that are already of one shape.
[[nodiscard]] Array elementwise(const Rule& rule, const std::vector<Array>& inputs, float parameter = 0,
                                DType dtype = DType::float32);

/// Checks one float32 input and builds the node.
[[nodiscard]] Array unary(const Rule& rule, const Array& a, float parameter = 0);

/// Broadcasts float32 inputs to their common shape and builds the node.
[[nodiscard]] Array broadcasting(const Rule& rule, const std::vector<Array>& inputs);

}  // namespace overtake::graph
