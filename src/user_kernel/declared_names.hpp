// SPDX-License-Identifier: MIT
// Names that blocks of a text declare: they hide what is called so around them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/c_text.hpp"

namespace overtake::user_kernel {

/// A name from its declaration to the end of its block, of its loop, or of the text.
struct DeclaredName {
  std::string_view name;  ///< a part of the text
  const char* end = nullptr;

  /// True if a token of the text means this one. An inner declaration of the name is one as well.
  [[nodiscard]] bool is_meant(const c_text::Token& token) const noexcept {
    return token.text == name && token.text.data() >= name.data() && token.text.data() < end;
  }
};

/// Those of a text, inside of `least_depth` braces at least; LOCAL ones and parameters are left out. A statement that
/// begins with `a * b` is a declaration, since it would be of no use otherwise.
[[nodiscard]] std::vector<DeclaredName> declared_names(std::span<const c_text::Token> tokens, int least_depth);

}  // namespace overtake::user_kernel
