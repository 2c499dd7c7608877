// SPDX-License-Identifier: MIT
#include "graph/primitives/rule.hpp"

#include <fmt/format.h>

#include "overtake/error.hpp"

namespace overtake::graph {

void require(std::string_view name, const Array& array, DType dtype) {
  if (!array.defined()) throw UsageError(fmt::format("[{}] got an undefined array", name));
  if (array.dtype() != dtype) {
    throw UsageError(fmt::format("[{}] expects {}, got {}", name, name_of(dtype), name_of(array.dtype())),
                     "Convert it with astype().");
  }
}

Array elementwise(const Rule& rule, const std::vector<Array>& inputs, float parameter, DType dtype) {
  const Shape shape = inputs.front().shape();
  return make_node(std::make_shared<RulePrimitive>(rule, parameter), inputs, shape, dtype);
}

Array unary(const Rule& rule, const Array& a, float parameter) {
  require(rule.name, a, DType::float32);
  return elementwise(rule, {a}, parameter);
}

Array broadcasting(const Rule& rule, const std::vector<Array>& inputs) {
  Shape shape;
  for (const Array& input : inputs) {
    require(rule.name, input, DType::float32);
    try {
      shape = broadcast_shapes(shape, input.shape());
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("[{}] {}", rule.name, error.what()), error.hint());
    }
  }
  std::vector<Array> same;
  same.reserve(inputs.size());
  for (const Array& input : inputs) same.push_back(broadcast_to(input, shape));
  return elementwise(rule, same);
}

}  // namespace overtake::graph
