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

/// The name of an element type in kernels.
[[nodiscard]] constexpr std::string_view kernel_type(DType dtype) noexcept {
  return dtype == DType::float32 ? "float" : "int";
}

/// What the function is to be.
struct TapeRequest {
  const char* name = "tape";              ///< of the function, as NAME(tape); also the prefix of its parameters
  std::span<const std::int64_t> extents;  ///< the tape runs over
  std::optional<DType> core = {};         ///< type of the core's value, if there is one
  int width = 1;                          ///< consecutive elements a call computes: 1 or 4
  bool returns_value = false;             ///< returns the last register (float) instead of storing
  /// Loads of slots that are also stored go into a function of their own, NAME(tape_load), whose result (NAME(values))
  /// is the argument before `call`. Otherwise the compiler must finish each element's store before the next one's load.
  bool loads_apart = false;
};

/// The function and what its caller needs. It is called with the coordinates (c0, c1, ...) and the row-major index
/// `linear` of the (first) element, then the core's value (a float4 for width 4) if there is one, then `call`.
struct TapeSource {
  std::string function;
  std::string parameters;  ///< kernel and function parameters, each with a comma before it
  std::string call;        ///< the same as arguments
  std::vector<LoweredArgument> arguments;
  bool has_loads_apart = false;  ///< NAME(tape_load) exists
  bool uses_coordinates = false;
  bool uses_random = false;
};

/// Throws InternalError for a malformed tape, UsageError for an operand of 2^31 elements or more.
[[nodiscard]] TapeSource write_tape(const Tape& tape, const TapeRequest& request);

}  // namespace overtake::backend
