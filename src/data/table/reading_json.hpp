// SPDX-License-Identifier: MIT
// How a file was read, inside a model file.
#pragma once

#include <string>
#include <string_view>

#include "overtake/data/table.hpp"

namespace overtake::data {

/// As JSON text.
[[nodiscard]] std::string reading_to_json(const Reading& reading);

/// What is missing keeps its default. Throws DataError naming `source` for anything else that reading_to_json does not
/// write.
[[nodiscard]] Reading reading_from_json(std::string_view text, std::string_view source);

}  // namespace overtake::data
