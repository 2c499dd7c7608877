// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace overtake::backend {

/// NVIDIA's OpenCL compiler counts the lines of the whole text, as "<kernel>:113:9", whatever #line says. The log with
/// the names and numbers that the text's #line directives give those lines.
[[nodiscard]] std::string with_asked_lines(std::string_view log, std::string_view source);

}  // namespace overtake::backend
