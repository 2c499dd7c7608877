// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "overtake/parameters.hpp"

namespace overtake::search_detail {

/// A value as a JSON value of the library's type: none is null.
template <typename Json>
[[nodiscard]] Json json_of(const ParameterValue& value) {
  return std::visit(
      [](const auto& v) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::monostate>) {
          return nullptr;
        } else {
          return v;
        }
      },
      value);
}

/// {"max_depth":null,"criterion":"gini"} on one line.
[[nodiscard]] std::string parameters_json(const Parameters& parameters);
/// Reads what parameters_json wrote, in its order. Throws DataError for anything else.
[[nodiscard]] Parameters parse_parameters_json(std::string_view text);

}  // namespace overtake::search_detail
