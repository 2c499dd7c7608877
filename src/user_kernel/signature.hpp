// SPDX-License-Identifier: MIT
// The declarations of a kernel's parameters, and how their types are called in the dialect.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/dtype.hpp"

namespace overtake::user_kernel {

struct Parameter {
  std::string name;
  std::optional<DType> type;  ///< none: that of the arrays given for `letter`
  char letter = 0;
  bool whole = false;    ///< an array read by place: "raw float32 x", "const float32* x"
  bool written = false;  ///< "float32* x", or an output
};

/// What a list of declarations is for.
enum class ListKind : std::uint8_t {
  inputs,   ///< "float32 x, raw T table"
  outputs,  ///< "float32 y"
  raw,      ///< "const float32* x, int32* counts, int64 n"
};

/// Throws UsageError("[kernel] ...") with the declaration that cannot be understood.
[[nodiscard]] std::vector<Parameter> parse_parameters(std::string_view kernel, std::string_view list, ListKind kind);

/// Throws UsageError unless it is a C name that no dialect has taken.
void check_name(std::string_view kernel, std::string_view what, std::string_view name);

/// Throws UsageError where a name stands in both lists.
void check_different(std::string_view kernel, const std::vector<Parameter>& some, const std::vector<Parameter>& others);

/// The dialect's name of a type's values ("float32" for float) and of its elements in memory (bool: uint8).
[[nodiscard]] std::string_view value_name(DType type);
[[nodiscard]] std::string_view memory_name(DType type);

/// The dialect's type of four neighbours in memory ("float4").
[[nodiscard]] std::string_view vector_name(DType type);

/// The dialect's type of the kernel argument that brings a number of a type, and the number again, from an argument.
[[nodiscard]] std::string_view argument_type(DType type);
[[nodiscard]] std::string number_from(std::string_view argument, DType type);

/// The type of an output: that declared, or of the input with its letter. `types` are those of the inputs. Throws
/// UsageError where no input has the letter.
[[nodiscard]] DType output_type(std::string_view kernel, const Parameter& output, const std::vector<Parameter>& inputs,
                                const std::vector<DType>& types);

}  // namespace overtake::user_kernel
