// SPDX-License-Identifier: MIT
// Element-wise primitives as rows of data: a name, how to compute it, and its gradient formula.
#pragma once

#include <optional>
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

/// The primitive of a rule, with its one parameter (a slope, say) and the type of its result.
class RulePrimitive final : public Elementwise {
 public:
  RulePrimitive(const Rule& rule, float parameter, DType dtype) : rule_(rule), parameter_(parameter), dtype_(dtype) {}
  [[nodiscard]] std::string_view name() const override { return rule_.name; }
  void sign(Signature& signature) const override { signature.add_float(parameter_); }
  [[nodiscard]] std::uint16_t emit(TapeBuilder& tape, const std::vector<std::uint16_t>& inputs) const override {
    return tape.narrowed(rule_.emit(tape, inputs, parameter_), dtype_);
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& inputs, const Array& output, const Array& cotangent,
                                       const std::vector<bool>& wanted) const override;

 private:
  Rule rule_;  // a row of constants: copying it keeps the primitive free of lifetimes
  float parameter_;
  DType dtype_;
};

/// Throws UsageError("[name] ...") unless the array is defined.
void require_defined(std::string_view name, const Array& array);
/// Throws UsageError("[name] ...") unless the array is defined and has the dtype.
void require(std::string_view name, const Array& array, DType dtype);
/// Throws UsageError("[name] ...") unless the array is defined and of a floating type.
void require_floating(std::string_view name, const Array& array);

/// The type in which functions of several arrays compute: result_type() of their types, where weak constants count only
/// if they are of a higher kind (a float beside whole numbers makes float32).
[[nodiscard]] DType common_type(std::string_view name, std::span<const Array> inputs);

/// What sums and products are taken in, scans included: whole numbers and bool in int64 or uint64, unless `asked`.
[[nodiscard]] DType adding_type(DType dtype, std::optional<DType> asked);

/// The array in another type: a constant stays one, all else is astype().
[[nodiscard]] Array as_type(const Array& a, DType dtype);

/// Whether a plain whole number beside whole numbers is none of their type: 1 above all of them, -1 below, else 0. Of
/// all other arrays 0.
[[nodiscard]] int beyond(const Array& a, DType dtype);
/// as_type(), but throws UsageError("[name] ...") for a plain number that is beyond(): wrapped round it would be
/// another.
[[nodiscard]] Array fitting(std::string_view name, const Array& a, DType dtype);

/// An element-wise node on inputs that are already of one shape; `dtype` is that of the result.
[[nodiscard]] Array elementwise(const Rule& rule, const std::vector<Array>& inputs, float parameter, DType dtype);

/// Converts a whole number or bool to float32, checks, and builds the node.
[[nodiscard]] Array unary(const Rule& rule, const Array& a, float parameter = 0);

/// Inputs of any type that broadcast, in one type and shape.
[[nodiscard]] std::vector<Array> aligned(std::string_view name, const std::vector<Array>& inputs, DType dtype);

/// Inputs broadcast to their common shape, types left as they are.
[[nodiscard]] std::vector<Array> broadcast_all(std::string_view name, const std::vector<Array>& inputs);

}  // namespace overtake::graph
