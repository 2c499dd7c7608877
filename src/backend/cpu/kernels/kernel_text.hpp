// SPDX-License-Identifier: MIT
// From a source in the dialect to C that a compiler of C takes, with an entry for each kernel.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/api/program.hpp"
#include "core/c_text.hpp"

namespace overtake::backend::cpu {

/// Stands behind the prelude, before what a program says itself.
inline constexpr std::string_view end_of_dialect = "#line 1 \"options\"\n";

/// The prelude and the definitions of a program: what is before its first line.
[[nodiscard]] std::string text_before(const ProgramSource& program);

/// A kernel as its source declares it.
struct FoundKernel {
  std::string name;         ///< may be a macro
  std::string parameters;   ///< what is between the brackets; may hold macros
  std::string size;         ///< the expression of KERNEL_SIZED; "0": any size
  bool needs_fibers;        ///< may reach SYNC, or declares LOCAL memory
  bool has_items;           ///< runs its work-items itself: WORK_ITEMS
  std::size_t first;        ///< token KERNEL
  std::size_t open, close;  ///< tokens of its braces
};
[[nodiscard]] std::vector<FoundKernel> find_kernels(const std::vector<c_text::Token>& tokens,
                                                    const std::vector<std::string>& defines);

/// What a preprocessor makes of variable `name` of a text that says `const char name[] = OVERTAKE_TEXT(...);`; nothing
/// where an #if leaves it out.
using Preprocess = std::function<std::vector<std::optional<std::string>>(const std::string& text,
                                                                         const std::vector<std::string>& names)>;

/// The whole text for a compiler: prelude, definitions, and the source with an entry behind each kernel
/// (OVERTAKE_ENTRY of c.prelude) and with pointers for LOCAL declarations. Line numbers count from the first line of
/// the source. `preprocess` is called where names or parameters of kernels are macros.
[[nodiscard]] std::string complete_text(const ProgramSource& program, const Preprocess& preprocess);

}  // namespace overtake::backend::cpu
