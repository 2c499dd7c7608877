// SPDX-License-Identifier: MIT
// The element-wise part of an operation: a straight-line program over virtual registers, one value per element of the
// operation's extent. Plain data: the CPU interprets it in blocks, the GPU backends turn it into source text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/graph/elements.k"
#include "overtake/dtype.hpp"
#include "overtake/shape.hpp"

namespace overtake::backend {

/// Instruction codes. Registers hold 32 bits; each code says whether it reads and writes float or int32. First those
/// that are no functions:
///   core        the result of the operation's core (matmul, reduce, row) at this element; type of the core
///   load        loads[index] at this element; type of the load
///   constant    `value` (float)
///   coordinate  this element's coordinate along axis `index` of the extent (int32)
///   random      uniform [0, 1) (float): a = register holding the counter (int32); seed, stream in random[index]; the
///               element's linear row-major index over the extent is the unit
///   select      a != 0 ? b : c; a is float, b and c of one type
/// then the element functions of kernels/graph/elements.k, in its order.
#define OVERTAKE_CODE(name, ...) name,
enum class TapeCode : std::uint8_t {
  TAPE_SOURCES(OVERTAKE_CODE)                      //
  ELEMENT_FUNCTIONS(OVERTAKE_CODE, OVERTAKE_CODE)  //
};
#undef OVERTAKE_CODE

/// What an element function takes and gives.
struct ElementFunction {
  std::string_view name;
  TapeCode code;
  int operands;  ///< 1 or 2, of one type
  DType result;
  DType operand;
};

// NOLINTBEGIN(bugprone-macro-parentheses): names
#define OVERTAKE_ONE(name, result, operand, formula) \
  ElementFunction{#name, TapeCode::name, 1, dtype_of<result>::value, dtype_of<operand>::value},
#define OVERTAKE_TWO(name, result, operand, formula) \
  ElementFunction{#name, TapeCode::name, 2, dtype_of<result>::value, dtype_of<operand>::value},
inline constexpr std::array element_functions{ELEMENT_FUNCTIONS(OVERTAKE_ONE, OVERTAKE_TWO)};
#undef OVERTAKE_ONE
#undef OVERTAKE_TWO
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
  return code == TapeCode::select ? 3 : code == TapeCode::random ? 1 : 0;
}

/// One instruction: writes register `i` for the i-th instruction of the tape (single assignment).
struct TapeInstruction {
  TapeCode code;
  std::uint16_t a = 0, b = 0, c = 0;  ///< operand registers
  std::uint16_t index = 0;            ///< of the load, axis or random key
  float value = 0;                    ///< of a constant

  friend bool operator==(const TapeInstruction&, const TapeInstruction&) = default;
};

/// Where an operand lives: a slot, an offset in elements, and element strides over the operation's extent (0 where the
/// operand is broadcast), one for each of its dimensions.
struct Access {
  int slot = -1;
  std::int64_t offset = 0;
  std::array<std::int64_t, Shape::max_rank> strides{};
  DType dtype = DType::float32;

  friend bool operator==(const Access&, const Access&) = default;
};

/// Stores the value of `value_register` contiguously (row-major over the extent) into a slot from its start.
struct TapeStore {
  int slot = -1;
  std::uint16_t value_register = 0;
  DType dtype = DType::float32;

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
