// SPDX-License-Identifier: MIT
// The element-wise part of an operation: a straight-line program over virtual registers, one value per element of the
// operation's extent. Plain data: the CPU interprets it in blocks, the GPU backends turn it into source text.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "overtake/dtype.hpp"
#include "overtake/shape.hpp"

namespace overtake::backend {

/// Instruction codes. Registers hold 32 bits; each code says whether it reads and writes float or int32.
enum class TapeCode : std::uint8_t {
  // sources
  core,        // r = the result of the operation's core (matmul, reduce, row) at this element; type of the core
  load,        // r = loads[index] at this element; type of the load
  constant,    // r = value (float)
  coordinate,  // r = this element's coordinate along axis `index` of the extent (int)
  random,  // r = uniform [0,1): a = register holding the counter (int); seed, stream in random[index]; the element's
           //     linear row-major index over the extent is the unit (float)
  // float -> float
  negate,
  absolute,
  sign,
  sqrt,
  exp,
  log,
  log1p,
  sin,
  cos,
  tanh,
  erf,
  sigmoid,  // 1/(1+exp(-x)), stable for large |x|
  floor,
  // (float, float) -> float
  add,
  subtract,
  multiply,
  divide,
  power,
  maximum,  // NaN in either operand gives NaN; +0 is above -0
  minimum,
  less,  // comparisons give 1.0f or 0.0f; any comparison with NaN but not_equal is 0
  less_equal,
  equal,
  not_equal,
  // (float condition, any, any) -> any
  select,  // a != 0 ? b : c
  // int
  int_add,
  int_multiply,
  int_equal,     // (int, int) -> float 1 or 0
  int_to_float,  // (int) -> float
  float_to_int,  // truncation; beyond int32 its nearest end, NaN gives 0
};

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
