// SPDX-License-Identifier: MIT
// How a file was read, inside a model file.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "overtake/data_table.hpp"

namespace overtake::data {

[[nodiscard]] nlohmann::json reading_to_json(const Reading& reading);

/// Throws DataError naming `source` for anything that reading_to_json does not write.
[[nodiscard]] Reading reading_from_json(const nlohmann::json& json, std::string_view source);

}  // namespace overtake::data
