// SPDX-License-Identifier: MIT
// The values of a parameter as they are written in a grid.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "overtake/parameters.hpp"

namespace overtake::search_detail {

/// The text without the blanks round it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Splits at commas that are outside brackets and quotes, so that a value may be "{a: 1, b: 2}"; parts are trimmed.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text);

/// One value as JSON text: null, true, 3, 0.5, "word"; an object stays the text it is. Throws UsageError naming the
/// parameter `name` for a list, for what is no JSON and for a whole number that 64 bits do not hold.
[[nodiscard]] ParameterValue parse_json_value(const std::string& name, std::string_view text);

/// "none,3,0.5,word" or a JSON list, [null,3,0.5,"word",{"a":1,"b":2}]: an object is kept as JSON text, which is how
/// class weights are given in one value. Throws UsageError naming the parameter `name` and the `form` that is expected:
/// for an empty value, one that comes twice, a list inside the list, a whole number that 64 bits do not hold.
[[nodiscard]] std::vector<ParameterValue> parse_value_list(const std::string& name, std::string_view text,
                                                           const char* form);

}  // namespace overtake::search_detail
