// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>
#include <variant>

#include "overtake/parameters.hpp"
#include "overtake/report.hpp"

namespace overtake::c_api {

/// Parameters as a JSON object, in their order; none is null.
[[nodiscard]] inline report::Json json_of(const Parameters& parameters) {
  report::Json json = report::Json::object();
  for (const auto& [name, value] : parameters) {
    const auto write = [](const auto& held) -> report::Json {
      if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>)
        return {};
      else
        return held;
    };
    json.set(name, std::visit(write, value));
  }
  return json;
}

}  // namespace overtake::c_api
