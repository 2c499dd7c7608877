// SPDX-License-Identifier: MIT
#include "graph/primitive.hpp"

#include <bit>
#include <optional>

#include "core/checked.hpp"

namespace overtake::graph {

using backend::TapeCode;
using backend::TapeInstruction;
using backend::ValueType;

void Signature::add(std::string_view text) {
  words_.push_back(text.size());
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    word = (word << 8) | static_cast<unsigned char>(text[i]);
    if (i % 8 == 7 || i + 1 == text.size()) {
      words_.push_back(word);
      word = 0;
    }
  }
}

void Signature::add_float(float value) { words_.push_back(std::bit_cast<std::uint32_t>(value)); }

std::uint16_t TapeBuilder::push(const TapeInstruction& instruction) {
  tape_.code.push_back(instruction);
  return narrow<std::uint16_t>(tape_.code.size() - 1, "the number of fused instructions");
}

std::uint16_t TapeBuilder::constant(double value, ValueType type) {
  return constant(number_of(value, backend::dtype_of_value(type)));
}

std::uint16_t TapeBuilder::constant(Number value) {
  return push({.code = TapeCode::constant, .type = backend::value_type_of(value.dtype), .bits = value.bits});
}

std::uint16_t TapeBuilder::core(ValueType type) { return push({.code = TapeCode::core, .type = type}); }

std::uint16_t TapeBuilder::coordinate(std::size_t axis) {
  return push({.code = TapeCode::coordinate, .type = ValueType::int64, .index = static_cast<std::uint16_t>(axis)});
}

std::uint16_t TapeBuilder::linear() { return push({.code = TapeCode::linear, .type = ValueType::int64}); }

std::uint16_t TapeBuilder::load(const backend::Access& access) {
  for (std::size_t i = 0; i < tape_.code.size(); ++i) {
    const TapeInstruction& known = tape_.code[i];
    if (known.code == TapeCode::load && tape_.loads[known.index] == access) return static_cast<std::uint16_t>(i);
  }
  tape_.loads.push_back(access);
  return push({.code = TapeCode::load,
               .type = backend::value_type_of(access.dtype),
               .index = narrow<std::uint16_t>(tape_.loads.size() - 1)});
}

std::uint16_t TapeBuilder::random(TapeCode code, std::uint16_t counter, backend::RandomKey key) {
  tape_.random.push_back(key);
  const ValueType type = code == TapeCode::random ? ValueType::float32 : ValueType::int32;
  return push({.code = code, .type = type, .a = counter, .index = narrow<std::uint16_t>(tape_.random.size() - 1)});
}

std::uint16_t TapeBuilder::apply(TapeCode code, std::uint16_t a, std::uint16_t b, std::uint16_t c) {
  return push({.code = code, .type = type_of(code == TapeCode::select ? b : a), .a = a, .b = b, .c = c});
}

namespace {

bool is_truth(const TapeInstruction& instruction) {
  const backend::ElementFunction* function = backend::element_function(instruction.code);
  if (function == nullptr) return false;
  return function->result == backend::ElementFunction::Result::TRUTH || function->code == TapeCode::to_bool;
}

}  // namespace

std::uint16_t TapeBuilder::narrowed(std::uint16_t value, DType dtype) {
  switch (dtype) {
    case DType::boolean: return is_truth(tape_.code[value]) ? value : apply(TapeCode::to_bool, value);
    case DType::int8: return apply(TapeCode::wrap_int8, value);
    case DType::int16: return apply(TapeCode::wrap_int16, value);
    case DType::uint8: return apply(TapeCode::wrap_uint8, value);
    case DType::uint16: return apply(TapeCode::wrap_uint16, value);
    case DType::uint32: return apply(TapeCode::wrap_uint32, value);
    case DType::float16: return apply(TapeCode::round_float16, value);
    case DType::bfloat16: return apply(TapeCode::round_bfloat16, value);
    default: return value;
  }
}

namespace {

TapeCode conversion(ValueType from, ValueType to) {
  const bool floating = is_floating(from);
  switch (to) {
    case ValueType::int32: return floating ? TapeCode::float_to_int32 : TapeCode::to_int32;
    case ValueType::int64: return floating ? TapeCode::float_to_int64 : TapeCode::to_int64;
    case ValueType::uint64: return floating ? TapeCode::float_to_uint64 : TapeCode::to_uint64;
    case ValueType::float32: return TapeCode::to_float32;
    case ValueType::float64: break;
  }
  return TapeCode::to_float64;
}

// The ends of whole numbers narrower than their register.
struct Ends {
  double low, high;
};
std::optional<Ends> ends_of(DType dtype) {
  switch (dtype) {
    case DType::int8: return Ends{-128, 127};
    case DType::int16: return Ends{-32768, 32767};
    case DType::uint8: return Ends{0, 255};
    case DType::uint16: return Ends{0, 65535};
    case DType::uint32: return Ends{0, 4294967295.0};
    default: return std::nullopt;
  }
}

}  // namespace

std::uint16_t TapeBuilder::converted(std::uint16_t value, DType from, DType to) {
  if (from == to) return value;
  if (to == DType::boolean) return apply(TapeCode::to_bool, value);
  const ValueType type = backend::value_type_of(to);
  if (type_of(value) != type) value = apply(conversion(type_of(value), type), value);
  if (is_floating(from)) {
    if (const std::optional<Ends> ends = ends_of(to)) {
      value = apply(TapeCode::maximum, value, constant(ends->low, type));
      return apply(TapeCode::minimum, value, constant(ends->high, type));
    }
  }
  return narrowed(value, to);
}

void TapeBuilder::store(int slot, std::uint16_t value_register, DType dtype) {
  tape_.stores.push_back({slot, value_register, dtype});
}

Layout row_major(const Shape& shape) {
  Layout layout;
  std::int64_t stride = 1;
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    layout.strides[axis] = stride;
    stride *= shape[axis];
  }
  return layout;
}

}  // namespace overtake::graph
