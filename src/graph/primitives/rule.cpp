// SPDX-License-Identifier: MIT
#include "graph/primitives/rule.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <optional>
#include <string>

#include "graph/primitives/layout.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake::graph {
namespace {

bool is_weak(const Array& array) {
  const Constant* constant = constant_of(*array.node());
  return constant != nullptr && constant->weak();
}

int rank_of(DTypeKind kind) {
  switch (kind) {
    case DTypeKind::boolean: return 0;
    case DTypeKind::signed_integer:
    case DTypeKind::unsigned_integer: return 1;
    case DTypeKind::floating: break;
  }
  return 2;
}

DType joined(std::string_view name, DType a, DType b) {
  try {
    return result_type(a, b);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("[{}] {}", name, error.what()), error.hint());
  }
}

}  // namespace

std::vector<Array> RulePrimitive::vjp(const std::vector<Array>& inputs, const Array& output, const Array& cotangent,
                                      const std::vector<bool>& wanted) const {
  std::vector<Array> result(inputs.size());
  for (std::size_t i = 0; rule_.gradient != nullptr && i < inputs.size(); ++i) {
    if (wanted[i]) result[i] = rule_.gradient(inputs, output, cotangent, i, parameter_);
  }
  return result;
}

void require_defined(std::string_view name, const Array& array) {
  if (!array.defined()) throw UsageError(fmt::format("[{}] got an undefined array", name));
}

void require(std::string_view name, const Array& array, DType dtype) {
  require_defined(name, array);
  if (array.dtype() != dtype) {
    throw UsageError(fmt::format("[{}] expects {}, got {}", name, name_of(dtype), name_of(array.dtype())),
                     "Convert it with astype().");
  }
}

void require_floating(std::string_view name, const Array& array) {
  require_defined(name, array);
  if (!is_floating(array.dtype())) {
    throw UsageError(fmt::format("[{}] expects a floating type, got {}", name, name_of(array.dtype())),
                     "Convert it with astype(), to float32 say.");
  }
}

DType common_type(std::string_view name, std::span<const Array> inputs) {
  std::optional<DType> strong;
  std::optional<DType> weak;
  for (const Array& input : inputs) {
    require_defined(name, input);
    std::optional<DType>& all = is_weak(input) ? weak : strong;
    all = all ? joined(name, *all, input.dtype()) : input.dtype();
  }
  if (!strong) return weak.value_or(DType::float32);
  if (weak && rank_of(info_of(*weak).kind) > rank_of(info_of(*strong).kind)) return *weak;
  return *strong;
}

DType adding_type(DType dtype, std::optional<DType> asked) {
  if (asked) return *asked;
  if (is_floating(dtype)) return dtype;
  return is_unsigned(dtype) ? DType::uint64 : DType::int64;
}

Array as_type(const Array& a, DType dtype) {
  if (a.dtype() == dtype && !is_weak(a)) return a;
  if (const std::optional<Number> value = constant_value(a)) {
    return make_source(std::make_shared<Constant>(converted(*value, dtype)), a.shape(), dtype, a.node()->device);
  }
  return astype(a, dtype);
}

int beyond(const Array& a, DType dtype) {
  if (!is_integer(dtype) || !is_weak(a) || !is_integer(a.dtype())) return 0;
  const Number number = *constant_value(a);
  const bool large = number.dtype == DType::uint64 && (number.bits >> 63U) != 0;
  const auto whole = std::bit_cast<std::int64_t>(number.bits);
  if (large) return dtype == DType::uint64 ? 0 : 1;
  if (whole < 0 && is_unsigned(dtype)) return -1;
  if (dtype == DType::uint64) return 0;
  if (converted(converted(number, dtype), DType::int64).bits == number.bits) return 0;
  return whole > 0 ? 1 : -1;
}

Array fitting(std::string_view name, const Array& a, DType dtype) {
  if (beyond(a, dtype) == 0) return as_type(a, dtype);
  const Number number = *constant_value(a);
  const std::string text = number.dtype == DType::uint64 ? fmt::to_string(number.bits)
                                                         : fmt::to_string(std::bit_cast<std::int64_t>(number.bits));
  throw UsageError(fmt::format("[{}] {} is out of bounds for {}", name, text, name_of(dtype)),
                   "A plain number takes the type of the arrays beside it: convert them to a wider one.");
}

Array elementwise(const Rule& rule, const std::vector<Array>& inputs, float parameter, DType dtype) {
  return in_order_of_memory(inputs, [&](const std::vector<Array>& straight) {
    const Shape shape = straight.front().shape();
    return make_node(std::make_shared<RulePrimitive>(rule, parameter, dtype), straight, shape, dtype);
  });
}

Array unary(const Rule& rule, const Array& a, float parameter) {
  require_defined(rule.name, a);
  const Array x = is_floating(a.dtype()) ? a : as_type(a, DType::float32);
  return elementwise(rule, {x}, parameter, x.dtype());
}

std::vector<Array> broadcast_all(std::string_view name, const std::vector<Array>& inputs) {
  Shape shape;
  for (const Array& input : inputs) {
    require_defined(name, input);
    try {
      shape = broadcast_shapes(shape, input.shape());
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("[{}] {}", name, error.what()), error.hint());
    }
  }
  std::vector<Array> same;
  same.reserve(inputs.size());
  for (const Array& input : inputs) same.push_back(broadcast_to(input, shape));
  return same;
}

std::vector<Array> aligned(std::string_view name, const std::vector<Array>& inputs, DType dtype) {
  std::vector<Array> converted;
  converted.reserve(inputs.size());
  for (const Array& input : inputs) converted.push_back(fitting(name, input, dtype));
  return broadcast_all(name, converted);
}

}  // namespace overtake::graph
