// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace overtake {

/// The value of a hyper-parameter: none, a flag, a whole number, a number or a word.
using ParameterValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

/// The value "none".
namespace parameter {
inline constexpr std::monostate none{};
}

/// Named values, in the order they were given.
using Parameters = std::vector<std::pair<std::string, ParameterValue>>;

/// "none" (any case: None), "true", "false" (any case), a whole number, a number, else a word.
[[nodiscard]] ParameterValue parse_parameter_value(std::string_view text);

/// The text that parse_parameter_value reads back: "none", "true", "10", "0.5" (shortest form), the word. A double that
/// is whole keeps a point: "1.0".
[[nodiscard]] std::string to_text(const ParameterValue& value);

}  // namespace overtake
