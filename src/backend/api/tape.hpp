// SPDX-License-Identifier: MIT
// The element-wise part of an operation: a straight-line program over virtual registers, one value per element of the
// operation's extent. Plain data: the CPU interprets it in blocks, the GPU backends turn it into source text.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "backend/api/value_type.hpp"
#include "kernels/graph/elements.k"
#include "overtake/dtype.hpp"
#include "overtake/shape.hpp"

namespace overtake::backend {

/// Instruction codes. First those that are no functions (their `type` is that of the value):
///   core         the result of the operation's core (matmul, reduce, row) at this element
///   load         loads[index] at this element
///   constant     `bits`, as to_bits() makes them
///   coordinate   this element's coordinate along axis `index` of the extent (int32 or int64)
///   linear       this element's row-major index over the extent (int64)
///   random       uniform [0, 1) (float32): a = register holding the counter (int32); seed, stream in random[index];
///                the element's linear row-major index over the extent is the unit
///   random_bits  the same draw as 32 bits (int32)
///   select       a != 0 ? b : c; a is int32, b and c are `type`
/// then the element functions of kernels/graph/elements.k, in its order: `type` is that of the operands.
#define OVERTAKE_CODE(name, ...) name,
enum class TapeCode : std::uint8_t {
  TAPE_SOURCES(OVERTAKE_CODE)       //
  ELEMENT_FUNCTIONS(OVERTAKE_CODE)  //
  TAPE_FUNCTIONS(OVERTAKE_CODE)     //
};
#undef OVERTAKE_CODE

/// What an element function takes and gives.
struct ElementFunction {
  // NOLINTBEGIN(readability-identifier-naming): the words of elements.k
  enum class Types : std::uint8_t { INT, INT64, INTEGERS, FLOAT, FLOATS, NUMBERS };
  enum class Result : std::uint8_t { SAME, TRUTH, to_int, to_int64, to_uint64, to_float, to_double };
  // NOLINTEND(readability-identifier-naming)

  std::string_view name;
  TapeCode code;
  int operands;  ///< 1 or 2, of one type
  Types types;
  Result result;
  float low, high;        ///< tests draw operands from [low, high)
  std::string_view body;  ///< in the dialect

  /// True if it can be computed in this type.
  [[nodiscard]] constexpr bool takes(ValueType type) const noexcept {
    switch (types) {
      case Types::INT: return type == ValueType::int32;
      case Types::INT64: return type == ValueType::int64;
      case Types::INTEGERS: return !is_floating(type);
      case Types::FLOAT: return type == ValueType::float32;
      case Types::FLOATS: return is_floating(type);
      case Types::NUMBERS: return true;
    }
    return false;
  }
  /// The type of its result for operands of this type.
  [[nodiscard]] constexpr ValueType gives(ValueType type) const noexcept {
    switch (result) {
      case Result::SAME: return type;
      case Result::TRUTH:
      case Result::to_int: return ValueType::int32;
      case Result::to_int64: return ValueType::int64;
      case Result::to_uint64: return ValueType::uint64;
      case Result::to_float: return ValueType::float32;
      case Result::to_double: return ValueType::float64;
    }
    return type;
  }
};

// NOLINTBEGIN(bugprone-macro-parentheses): names
#define OVERTAKE_ARITY_ONE 1
#define OVERTAKE_ARITY_TWO 2
#define OVERTAKE_RESULT_SAME SAME
#define OVERTAKE_RESULT_TRUTH TRUTH
#define OVERTAKE_RESULT_int to_int
#define OVERTAKE_RESULT_int64 to_int64
#define OVERTAKE_RESULT_uint64 to_uint64
#define OVERTAKE_RESULT_float to_float
#define OVERTAKE_RESULT_double to_double
#define OVERTAKE_ROW(name, arity, types, result, low, high, body, da, db) \
  ElementFunction{#name,                                                  \
                  TapeCode::name,                                         \
                  OVERTAKE_ARITY_##arity,                                 \
                  ElementFunction::Types::types,                          \
                  ElementFunction::Result::OVERTAKE_RESULT_##result,      \
                  static_cast<float>(low),                                \
                  static_cast<float>(high),                               \
                  #body},
inline constexpr std::array element_functions{
    ELEMENT_FUNCTIONS(OVERTAKE_ROW)  //
    TAPE_FUNCTIONS(OVERTAKE_ROW)     //
};
#undef OVERTAKE_ROW
// NOLINTEND(bugprone-macro-parentheses)

/// Null for the codes that are no functions.
[[nodiscard]] constexpr const ElementFunction* element_function(TapeCode code) noexcept {
  constexpr auto first = static_cast<std::size_t>(element_functions.front().code);
  const auto index = static_cast<std::size_t>(code);
  return index < first || index - first >= element_functions.size() ? nullptr : &element_functions[index - first];
}

/// Registers that an instruction reads.
[[nodiscard]] constexpr int operand_count(TapeCode code) noexcept {
  const ElementFunction* function = element_function(code);
  if (function != nullptr) return function->operands;
  if (code == TapeCode::select) return 3;
  return code == TapeCode::random || code == TapeCode::random_bits ? 1 : 0;
}

/// A number as constants hold it: the bits of its ValueType, zero-extended.
template <typename T>
[[nodiscard]] constexpr std::uint64_t to_bits(T value) noexcept {
  if constexpr (sizeof(T) == sizeof(std::uint64_t)) {
    return std::bit_cast<std::uint64_t>(value);
  } else {
    return std::bit_cast<std::uint32_t>(value);
  }
}

/// The number that to_bits() made of a float.
[[nodiscard]] constexpr float float_of(std::uint64_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

/// One instruction: writes register `i` for the i-th instruction of the tape (single assignment).
struct TapeInstruction {
  TapeCode code;
  ValueType type = ValueType::float32;
  std::uint16_t a = 0, b = 0, c = 0;  ///< operand registers
  std::uint16_t index = 0;            ///< of the load, axis or random key
  std::uint64_t bits = 0;             ///< of a constant

  friend bool operator==(const TapeInstruction&, const TapeInstruction&) = default;
};

/// The type of the register that an instruction writes.
[[nodiscard]] constexpr ValueType result_of(const TapeInstruction& instruction) noexcept {
  const ElementFunction* function = element_function(instruction.code);
  return function == nullptr ? instruction.type : function->gives(instruction.type);
}

/// Where an operand lives: a slot, an offset in elements, and element strides over the operation's extent (0 where the
/// operand is broadcast), one for each of its dimensions.
struct Access {
  int slot = -1;
  std::int64_t offset = 0;
  std::array<std::int64_t, Shape::max_rank> strides{};
  DType dtype = DType::float32;

  friend bool operator==(const Access&, const Access&) = default;
};

/// Stores the value of `value_register` contiguously (row-major over the extent) into a slot from element `offset` on.
/// The register's type is the dtype's value_type_of(); the value is one that the dtype can hold.
struct TapeStore {
  int slot = -1;
  std::uint16_t value_register = 0;
  DType dtype = DType::float32;
  std::int64_t offset = 0;

  friend bool operator==(const TapeStore&, const TapeStore&) = default;
};

/// Key of a random instruction.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;

  friend bool operator==(const RandomKey&, const RandomKey&) = default;
};

struct Tape {
  std::vector<TapeInstruction> code;
  std::vector<Access> loads;
  std::vector<RandomKey> random;
  std::vector<TapeStore> stores;

  friend bool operator==(const Tape&, const Tape&) = default;
};

}  // namespace overtake::backend
