// SPDX-License-Identifier: MIT
// What HTML pages are put together with.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace overtake::report {

/// Text for HTML, in elements and in quoted attributes.
[[nodiscard]] std::string escaped(std::string_view text);

/// JSON inside a script element: "</script>" and "<!--" in a string must not end it.
[[nodiscard]] std::string script_safe(std::string json);

/// A name and what stands for {{name}} in a template.
using Replacement = std::pair<std::string_view, std::string>;

/// The template with every {{name}} replaced, unknown names by nothing. One pass, so that braces in inserted text mean
/// nothing.
[[nodiscard]] std::string filled(std::string_view text, std::span<const Replacement> replacements);

}  // namespace overtake::report
