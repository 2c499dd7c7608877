// SPDX-License-Identifier: MIT
// Turns a tape into a function of the dialect.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/api/tape.hpp"
#include "backend/common/lower/lowering.hpp"

namespace overtake::backend {

/// What kernels call an element type in memory.
struct MemoryType {
  std::string_view name;    ///< of one element: "unsigned short"
  std::string_view vector;  ///< of four: "ushort4"
  std::string_view widen;   ///< from it to the register's type, with {} for the value
  std::string_view narrow;  ///< from the register's type to it
};
[[nodiscard]] const MemoryType& memory_type(DType dtype) noexcept;

/// An element function in one type, as text of the dialect.
[[nodiscard]] std::string element_function_text(const ElementFunction& function, ValueType type, std::string_view name);

/// What the function is to be.
struct TapeRequest {
  const char* name = "tape";                ///< of the function, as NAME(tape); also the prefix of its parameters
  std::span<const std::int64_t> extents;    ///< the tape runs over
  std::optional<ValueType> core = {};       ///< type of the core's value, if there is one
  int width = 1;                            ///< consecutive elements a call computes: 1 or 4
  bool returns_value = false;               ///< returns the last register instead of storing
  std::optional<std::uint16_t> gives = {};  ///< a register that it returns beside storing
  /// Loads of slots that are also stored go into a function of their own, NAME(tape_load), whose result (NAME(values))
  /// is the argument before `call`. Otherwise the compiler must finish each element's store before the next one's load.
  bool loads_apart = false;
};

/// The function and what its caller needs. It is called with the coordinates (c0, c1, ...) and the row-major index
/// `linear` of the (first) element, then the core's value (a float4 for width 4) if there is one, then `call`. What it
/// returns is a float4 for width 4, too: then of a register of float32.
struct TapeSource {
  std::string function;
  std::string parameters;  ///< kernel and function parameters, each with a comma before it
  std::string call;        ///< the same as arguments
  std::vector<LoweredArgument> arguments;
  bool has_loads_apart = false;  ///< NAME(tape_load) exists
  bool uses_coordinates = false;
  bool uses_random = false;
};

/// Throws InternalError for a malformed tape.
[[nodiscard]] TapeSource write_tape(const Tape& tape, const TapeRequest& request);

}  // namespace overtake::backend
